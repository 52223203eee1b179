import { keepBest, type Evolution, type EvolutionOptions } from './evolution.ts'

/**
 * The control: individuals drawn like the first ones, generation after generation; the best stay. Nothing is learnt from those
 * that were judged.
 * @param sample draws an individual
 * @param sizes of the generations after the first
 * @param kept how many stay at most
 */
export function createRandomDraws({ initial }: Pick<EvolutionOptions, 'initial'>, sample: () => Float64Array, sizes: readonly number[], kept: number): Evolution {
  const population: Float64Array[] = initial.map((genes) => genes.slice())
  const fitness = new Array<number>(population.length).fill(-Infinity)
  let generation = 0
  let trials: Float64Array[] = []
  return {
    population,
    fitness,
    propose() {
      trials = Array.from({ length: sizes[generation++]! }, sample)
      return trials
    },
    select(trialFitness) {
      population.push(...trials)
      for (let i = 0; i < trials.length; i++) fitness.push(trialFitness[i]!)
      keepBest({ population, fitness }, kept)
    },
    score(values) {
      for (let i = 0; i < fitness.length; i++) fitness[i] = values[i]!
      // Of the first generation, too, no more count.
      keepBest({ population, fitness }, kept)
    },
    shrink: (size) => keepBest({ population, fitness }, size),
  }
}

import { distinctIndex, keepBest, type Evolution, type EvolutionOptions } from './evolution.ts'

const factor = 0.5
const crossover = 0.9

/** The classic of Storn and Price (1997), DE/rand/1/bin: v = x_r1 + F·(x_r2 − x_r3) with F = .5 and CR = .9. */
export function createRandOneBin({ initial, repair, random }: EvolutionOptions): Evolution {
  const population: Float64Array[] = initial.map((genes) => genes.slice())
  const fitness = new Array<number>(population.length).fill(-Infinity)
  let trials: Float64Array[] = []
  return {
    population,
    fitness,
    propose() {
      const { length } = population
      trials = population.map((parent, i) => {
        const first = distinctIndex(random, length, i)
        const second = distinctIndex(random, length, i, first)
        const third = distinctIndex(random, length, i, first, second)
        const [base, towards, from] = [population[first]!, population[second]!, population[third]!]
        const sure = random.below(parent.length)
        return parent.map((own, j) =>
          j === sure || random.uniform() < crossover ? repair(base[j]! + factor * (towards[j]! - from[j]!), own) : own,
        )
      })
      return trials
    },
    select(trialFitness) {
      trials.forEach((trial, i) => {
        if (!(trialFitness[i]! >= fitness[i]!)) return
        population[i] = trial
        fitness[i] = trialFitness[i]!
      })
    },
    score(values) {
      for (let i = 0; i < fitness.length; i++) fitness[i] = values[i]!
    },
    shrink: (size) => keepBest({ population, fitness }, size),
  }
}

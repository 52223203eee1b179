import type { Random } from '#shared/random/random.ts'

/** What the strategies of Differential Evolution have in common. Genes lie in [0, 1]; fitness is maximised. */

export interface EvolutionOptions {
  /** The first individuals, at least four. */
  initial: readonly Float64Array[]
  /** What a gene out of bounds becomes. */
  repair(value: number, parent: number): number
  random: Random
}

/** A population on its way: `score`, then again and again `propose`, judge the trials, `select`. */
export interface Evolution {
  /** Changed in place; a trial that is taken becomes the very individual. */
  readonly population: Float64Array[]
  /** One per individual; −Infinity before `score`. */
  readonly fitness: number[]
  /** New individuals to be judged: one per parent, and of random draws as many as the generation has. */
  propose(): Float64Array[]
  /** @param trialFitness in the order of `propose` */
  select(trialFitness: ArrayLike<number>): void
  /** Other fitness for the whole population: at the start, and where the question has changed. */
  score(values: ArrayLike<number>): void
  /** Drops the worst until so many are left. */
  shrink(size: number): void
}

/** Smallest population in which the strategies find distinct individuals. */
export const leastPopulation = 4

/** A gene out of bounds becomes the mean of its parent's value and the bound. */
export function midwayRepair(value: number, parent: number): number {
  if (value < 0) return parent / 2
  if (value > 1) return (parent + 1) / 2
  return value
}

/** Indices from the best to the worst; equals in their order. */
export function order(fitness: readonly number[]): number[] {
  return fitness.map((_, i) => i).sort((a, b) => (fitness[a] === fitness[b] ? a - b : fitness[b]! > fitness[a]! ? 1 : -1))
}

/** Keeps the best `size` individuals, in the order in which they stood. */
export function keepBest({ population, fitness }: Pick<Evolution, 'population' | 'fitness'>, size: number): void {
  if (size >= population.length) return
  const kept = order(fitness).slice(0, size).sort((a, b) => a - b)
  kept.forEach((from, to) => {
    population[to] = population[from]!
    fitness[to] = fitness[from]!
  })
  population.length = size
  fitness.length = size
}

/** A whole number below n that is none of the others. */
export function distinctIndex(random: Random, n: number, ...others: readonly number[]): number {
  for (;;) {
    const index = random.below(n)
    if (!others.includes(index)) return index
  }
}

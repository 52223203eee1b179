import type { Random } from '#shared/random/random.ts'
import { distinctIndex, keepBest, order, type Evolution, type EvolutionOptions } from './evolution.ts'

/** Share of the population among which the guide of a mutation is drawn, from the best. */
const guides = 0.11
/** Entries in the memory of what succeeded. */
const memorySize = 6
/** Most replaced parents kept, as a multiple of the population. */
const archiveShare = 2.6

/**
 * L-SHADE (Tanabe & Fukunaga 2014): v = x + F·(x_pbest − x) + F·(x_r1 − x_r2) with binomial crossover; F and CR are drawn
 * about what succeeded before, and replaced parents stay in an archive from which x_r2 may come. When the population shrinks is
 * the schedule's matter.
 */
export function createLShade({ initial, repair, random }: EvolutionOptions): Evolution {
  const population: Float64Array[] = initial.map((genes) => genes.slice())
  const fitness = new Array<number>(population.length).fill(-Infinity)
  const archive: Float64Array[] = []
  const memory = { factor: new Array<number>(memorySize).fill(0.5), crossover: new Array<number | null>(memorySize).fill(0.5), next: 0 }
  let trials: { genes: Float64Array; factor: number; crossover: number }[] = []

  function propose(): Float64Array[] {
    const ranked = order(fitness)
    const guideCount = Math.min(population.length, Math.max(2, Math.round(guides * population.length)))
    trials = population.map((parent, i) => {
      const entry = random.below(memorySize)
      const factor = cauchyFactor(memory.factor[entry]!, random)
      const crossover = drawCrossover(memory.crossover[entry]!, random)
      const guide = population[ranked[random.below(guideCount)]!]!
      const first = distinctIndex(random, population.length, i)
      const second = distinctIndex(random, population.length + archive.length, i, first)
      const towards = population[first]!
      const from = second < population.length ? population[second]! : archive[second - population.length]!
      const genes = parent.slice()
      const sure = random.below(parent.length)
      for (let j = 0; j < parent.length; j++) {
        if (j !== sure && random.uniform() >= crossover) continue
        const value = parent[j]! + factor * (guide[j]! - parent[j]!) + factor * (towards[j]! - from[j]!)
        genes[j] = repair(value, parent[j]!)
      }
      return { genes, factor, crossover }
    })
    return trials.map((trial) => trial.genes)
  }

  function select(trialFitness: ArrayLike<number>): void {
    const gains: Gain[] = []
    trials.forEach(({ genes, factor, crossover }, i) => {
      const gain = trialFitness[i]! - fitness[i]!
      // Equals replace as well: a plateau is crossed so.
      if (!(gain >= 0)) return
      if (gain > 0) {
        archive.push(population[i]!)
        gains.push({ gain, factor, crossover })
      }
      population[i] = genes
      fitness[i] = trialFitness[i]!
    })
    if (gains.length > 0) remember(gains)
    trim(archive, Math.round(archiveShare * population.length), random)
  }

  function remember(gains: readonly Gain[]): void {
    memory.factor[memory.next] = lehmer(gains, 'factor')
    const known = memory.crossover[memory.next]
    const highest = Math.max(...gains.map((gain) => gain.crossover))
    // Once only single genes succeed in this entry, it stays with them.
    memory.crossover[memory.next] = known === null || highest === 0 ? null : lehmer(gains, 'crossover')
    memory.next = (memory.next + 1) % memorySize
  }

  return {
    population,
    fitness,
    propose,
    select,
    score(values) {
      for (let i = 0; i < fitness.length; i++) fitness[i] = values[i]!
    },
    shrink(size) {
      keepBest({ population, fitness }, size)
      trim(archive, Math.round(archiveShare * population.length), random)
    },
  }
}

interface Gain {
  gain: number
  factor: number
  crossover: number
}

/** Σ w·v² / Σ w·v, weighted by what was gained. */
function lehmer(gains: readonly Gain[], name: 'factor' | 'crossover'): number {
  // Where the first scores were not finite, all that replaced them count alike.
  const finite = gains.every((gain) => Number.isFinite(gain.gain))
  let squares = 0
  let sums = 0
  for (const gain of gains) {
    const weight = finite ? gain.gain : 1
    squares += weight * gain[name] ** 2
    sums += weight * gain[name]
  }
  return sums > 0 ? squares / sums : 0
}

/** Cauchy about the remembered value with scale .1, in (0, 1]. */
function cauchyFactor(centre: number, random: Random): number {
  for (;;) {
    const value = centre + 0.1 * Math.tan(Math.PI * (random.uniform() - 0.5))
    if (value > 0) return Math.min(1, value)
  }
}

/** Normal about the remembered value with deviation .1, in [0, 1]. */
function drawCrossover(centre: number | null, random: Random): number {
  const noise = random.normal()
  return centre === null ? 0 : Math.min(1, Math.max(0, centre + 0.1 * noise))
}

/** Drops random ones until at most `most` are left. */
function trim(archive: Float64Array[], most: number, random: Random): void {
  while (archive.length > most) {
    const last = archive.pop()!
    const at = random.below(archive.length + 1)
    if (at < archive.length) archive[at] = last
  }
}

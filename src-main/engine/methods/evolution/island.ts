import type { Head } from '#shared/domain/score.ts'
import { createRandom } from '#shared/random/random.ts'
import { createFill } from '../masks/fills.ts'
import type { Frame } from '../masks/compose.ts'
import type { MaskQueries } from '../queries/mask-queries.ts'
import { createCells } from './cells.ts'
import { order, type Evolution } from './evolution.ts'
import { createGaussians } from './gaussians.ts'
import type { Genotype } from './genotype.ts'
import { judge, type Verdict } from './judge.ts'
import { createLShade } from './lshade.ts'
import { createRandOneBin } from './rand-one-bin.ts'
import { createRandomDraws } from './random-draws.ts'
import { createSegments } from './segments.ts'
import type { EvolutionSettings } from './settings.ts'

/** The first method's id names the streams of both: a control draws the same individuals over the same fills. */
export const stream = 'de-cam'

/** One image, and who answers about it. */
export interface Place {
  frame: Frame
  image: Float32Array
  target: number
  head: Head
  seed: number
  queries: MaskQueries
}

export interface Individual extends Verdict {
  /** As rendered. */
  values: Float32Array
}

/** An island after a generation, which the next ones do not change. */
export interface Population {
  /** Best first. */
  individuals: readonly Individual[]
  /** The rank-weighted mean of the populations of the averaged part so far, or of this one before that, as rendered. */
  mean: Float32Array
}

/** One population with its own fill, segments and random numbers. */
export interface Island {
  genotype: Genotype
  /** Makes the generation of the plan: 0 first, then one after the other. */
  advance(generation: number): Promise<Population>
}

/** How many segments the islands have, as multiples of the parameter, in turn: borders of several sizes average out. */
const segmentScales = [1, 1.5, 2, 3]

export function createGenotype(settings: EvolutionSettings, frame: Frame, image: Float32Array, island: number): Genotype {
  switch (settings.genotype) {
    case 'cells':
      return createCells(frame, settings.resolution)
    case 'gaussians':
      return createGaussians(frame, settings.hills)
    case 'segments':
      return createSegments(frame, image, Math.round(settings.segments * segmentScales[island % segmentScales.length]!), settings.compactness)
  }
}

export function createIsland(place: Place, settings: EvolutionSettings, index: number): Island {
  const { frame, image, target, head, seed, queries } = place
  const { plan, averageFrom } = settings
  const genotype = createGenotype(settings, frame, image, index)
  const fills = createFill(settings.fill, frame, image, settings.fillBlur, createRandom(seed, stream, 'fill', index))
  let fill = fills.next().slice()
  const evolution = begin(settings, genotype, seed, index)
  const known = new WeakMap<Float64Array, Individual>()
  const sum = new Float64Array(genotype.values)
  let summed = 0

  async function look(all: readonly Float64Array[]): Promise<Individual[]> {
    const rendered = all.map((genes) => known.get(genes)?.values ?? genotype.render(genes))
    const verdicts = await judge(queries, genotype, settings, fill, target, head, rendered)
    const individuals = verdicts.map((verdict, i) => ({ ...verdict, values: rendered[i]! }))
    all.forEach((genes, i) => known.set(genes, individuals[i]!))
    return individuals
  }

  function presentMean(individuals: readonly Individual[]): Float64Array {
    // Of random draws only those that count were kept.
    const counted = settings.strategy === 'random' ? individuals : individuals.slice(0, Math.max(1, Math.ceil(settings.elite * individuals.length)))
    const weights = (counted.length * (counted.length + 1)) / 2
    const mean = new Float64Array(genotype.values)
    counted.forEach(({ values }, rank) => {
      const weight = (counted.length - rank) / weights
      for (let k = 0; k < mean.length; k++) mean[k]! += weight * values[k]!
    })
    return mean
  }

  /** @returns the mean so far */
  function average(present: Float64Array, generation: number): Float64Array {
    if (generation < averageFrom) return present
    const { size } = plan[generation]!
    for (let k = 0; k < sum.length; k++) sum[k]! += size * present[k]!
    summed += size
    return sum.map((value) => value / summed)
  }

  return {
    genotype,
    async advance(generation) {
      const { size, redrawn } = plan[generation]!
      if (generation === 0) evolution.score((await look(evolution.population)).map(({ fitness }) => fitness))
      else {
        evolution.shrink(settings.strategy === 'random' ? Infinity : size)
        const trials = evolution.propose()
        // Parents and trials are judged under the same fill.
        if (redrawn) fill = fills.next().slice()
        const parents = redrawn ? evolution.population.slice() : []
        const found = (await look([...parents, ...trials])).map(({ fitness }) => fitness)
        if (redrawn) evolution.score(found.slice(0, parents.length))
        evolution.select(found.slice(parents.length))
      }
      const individuals = order(evolution.fitness).map((i) => known.get(evolution.population[i]!)!)
      return { individuals, mean: Float32Array.from(average(presentMean(individuals), generation)) }
    },
  }
}

/** Mean over the image of the standard deviation between individuals. */
export function diversityOf({ genotype }: Island, { individuals }: Population): number {
  const deviations = new Float32Array(genotype.values)
  for (let k = 0; k < deviations.length; k++) {
    let first = 0
    let second = 0
    for (const { values } of individuals) {
      first += values[k]! / individuals.length
      second += values[k]! ** 2 / individuals.length
    }
    deviations[k] = Math.sqrt(Math.max(0, second - first * first))
  }
  return genotype.area(deviations)
}

function begin(settings: EvolutionSettings, genotype: Genotype, seed: number, index: number): Evolution {
  const first = createRandom(seed, stream, 'first', index)
  const sample = (): Float64Array => genotype.sample(first)
  const initial = Array.from({ length: settings.plan[0]!.size }, sample)
  const options = { initial, repair: genotype.repair, random: createRandom(seed, stream, 'evolution', index) }
  switch (settings.strategy) {
    case 'l-shade':
      return createLShade(options)
    case 'rand-1-bin':
      return createRandOneBin(options)
    case 'random': {
      const sizes = settings.plan.map(({ size }) => size)
      return createRandomDraws(options, sample, sizes.slice(1), Math.max(1, Math.round(settings.elite * sizes.reduce((sum, size) => sum + size, 0))))
    }
  }
}

import type { MapData } from '#shared/domain/image.ts'
import type { MapPart, MapStack } from '#shared/domain/run.ts'
import { upsample } from '#shared/imaging/interpolation.ts'
import { createIsland, diversityOf, type Individual, type Island, type Place, type Population } from './island.ts'
import type { EvolutionSettings } from './settings.ts'

/** All islands of one image. They know nothing of each other; the map is the mean of theirs. */
export interface Archipelago {
  /** One generation of every island; what the rest tells is of then. Until the next call islands may be a generation ahead. */
  advance(generation: number): Promise<void>
  /** Fitness of the individuals of all islands, and how much their masks differ. */
  losses(): { best: number; median: number; worst: number; diversity: number }
  best(): Individual
  /** The map so far, in [0, 1]. */
  map(): MapData
  /** Masks of all islands as they stand, best first, at most so many and of bounded size. */
  strip(most: number): MapStack
  /** The finished populations and the best mask. */
  parts(): MapPart[]
  /** Whether the score ever differed between two masks of an island. */
  readonly reacted: boolean
}

/** Masks of a strip, shorter side in pixels at most. */
const stripSize = 64
const partCount = 32

export function createArchipelago(place: Place, settings: EvolutionSettings): Archipelago {
  const islands = Array.from({ length: settings.islands }, (_, index) => createIsland(place, settings, index))
  /** The next generation of each island. */
  let coming: Promise<Population>[] = []
  let present: { island: Island; population: Population }[] = []
  let reacted = false

  function ranked(): { island: Island; individual: Individual }[] {
    return present
      .flatMap(({ island, population }) => population.individuals.map((individual) => ({ island, individual })))
      .sort((a, b) => b.individual.fitness - a.individual.fitness)
  }

  function stack(most: number): MapStack {
    const pictures = ranked().slice(0, most).map(({ island, individual }) => reduced(pictureOf(island, individual.values)))
    const { height, width } = pictures[0]!
    const data = new Float32Array(pictures.length * height * width)
    pictures.forEach((picture, i) => data.set(picture.data, i * height * width))
    return { count: pictures.length, height, width, data }
  }

  return {
    async advance(generation) {
      const awaited = generation === 0 ? islands.map((island) => island.advance(0)) : coming
      // No island waits for the others, so that there is always something to ask.
      coming = generation + 1 < settings.plan.length ? islands.map((island, i) => awaited[i]!.then(() => island.advance(generation + 1))) : []
      // Whether one fails is asked when its turn comes.
      for (const population of coming) population.catch(() => undefined)
      const populations = await Promise.all(awaited)
      present = islands.map((island, i) => ({ island, population: populations[i]! }))
      reacted ||= populations.some(({ individuals: [one, ...others] }) => others.some(({ gain }) => Math.abs(gain - one!.gain) > 1e-6))
    },
    losses() {
      const fitness = ranked().map(({ individual }) => individual.fitness)
      const middle = fitness.length >> 1
      const median = fitness.length % 2 === 1 ? fitness[middle]! : (fitness[middle - 1]! + fitness[middle]!) / 2
      const diversity = present.reduce((sum, { island, population }) => sum + diversityOf(island, population), 0) / present.length
      return { best: fitness[0]!, median, worst: fitness.at(-1)!, diversity }
    },
    best: () => ranked()[0]!.individual,
    map() {
      const maps = present.map(({ island, population }) => pictureOf(island, population.mean))
      const { height, width } = maps[0]!
      const data = new Float32Array(height * width)
      for (const map of maps) for (let i = 0; i < data.length; i++) data[i]! += map.data[i]! / maps.length
      return { height, width, data }
    },
    strip: stack,
    parts() {
      const [{ island, individual }] = ranked() as [{ island: Island; individual: Individual }]
      return [
        { name: 'best', title: 'Best mask', signed: false, count: 1, ...pictureOf(island, individual.values) },
        { name: 'population', title: 'Last population, best first', signed: false, ...stack(partCount) },
      ]
    },
    get reacted() {
      return reacted
    },
  }
}

function pictureOf({ genotype }: Island, values: Float32Array): MapData {
  return { height: genotype.height, width: genotype.width, data: genotype.picture(values) }
}

function reduced(map: MapData): MapData {
  const scale = Math.min(1, stripSize / Math.min(map.height, map.width))
  return scale === 1 ? map : upsample(map, Math.round(map.height * scale), Math.round(map.width * scale))
}

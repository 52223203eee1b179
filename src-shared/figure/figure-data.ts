import type { MapData, Picture } from '../domain/image.ts'
import type { LossCurves } from './run-figure-data.ts'

/** What a measurement left for a run. */
export interface Measured {
  metric: string
  /** null where it is not defined. */
  value: number | null
  curves: readonly { name: string; x: readonly number[]; y: readonly number[] }[]
}

/** A finished run, as far as figures show it. */
export interface FigureRun {
  id: string
  /** `key` is the same for the same picture. */
  image: { name: string; key: string }
  /** The part of the picture that the classifier sees. */
  picture: Picture
  /** Raw values at the method's own resolution, over `picture`. */
  map: MapData
  signed: boolean
  /** The map's possible limits; infinite where it has none. */
  range: readonly [number, number]
  method: { id: string; title: string }
  /** In the order in which they tell runs apart, e.g. ["preset Maskscope", "λs = 2", "fill: black"]. */
  settings: readonly string[]
  seed: number
  model: { name: string; key: string }
  target: { index: number; label: string | null }
  probability: { original: number | null; masked: number | null }
  /** The masked image lacks what the mask marks; else it keeps that alone. */
  deletes: boolean
  score: string
  losses: LossCurves
  /** What the run puts where its mask hides, as large as `picture`; null where its method puts nothing, or no panel asks for it. */
  fill: { picture: Picture; name: string } | null
  /** Of a run that asks about masks, how many it had asked by each of its iterations; else null. */
  masks: readonly number[] | null
  /** Empty where no panel asks for them. */
  frames: readonly { iteration: number; map: MapData }[]
  metrics: readonly Measured[]
  /** Images sent through the classifier, forth and back. */
  evaluations: number
  seconds: number | null
}

/** Stored variations of one image by a trained generator. */
export interface ReconstructionSheet {
  image: string
  input: Picture
  /** The input as far as the mask keeps it. */
  salient: Picture
  variations: readonly { picture: Picture; probability: number | null; accepted: boolean | null }[]
  /** What the input is classified as. */
  outcome: string | null
  probability: number | null
}

export interface MetricFacts {
  title: string
  better: 'higher' | 'lower' | null
}

/** Everything that a spec's panels show. The same spec and facts give the same bytes. */
export interface FigureFacts {
  study: string
  runs: ReadonlyMap<string, FigureRun>
  /** By `NAME/IMAGE`. */
  reconstructions: ReadonlyMap<string, ReconstructionSheet>
  metrics: ReadonlyMap<string, MetricFacts>
  /** Ids of the study's methods in the order in which they first ran: each keeps its look. */
  methods: readonly string[]
}

/** One number that stands or is drawn in a figure. */
export interface FigureNumber {
  /** The panel's letter. */
  panel: string
  run: string
  /** A line, a row, a picture. */
  series: string
  quantity: string
  /** Iteration, share of pixels, cost; null where there is none. */
  x: number | null
  value: number | null
  low: number | null
  high: number | null
}

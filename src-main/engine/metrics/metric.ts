import type { SerialisedError } from '#shared/domain/errors.ts'
import type { MapData } from '#shared/domain/image.ts'
import type { ParameterSchema, ParameterValues, Preset } from '#shared/domain/parameters.ts'
import type { Evaluations } from '#shared/domain/run.ts'
import type { Classifier } from '../classifier/classifier.ts'
import type { Frame } from '../methods/masks/compose.ts'
import type { Once } from './once.ts'

/** A map to be judged, at the classifier's input size. */
export interface JudgedMap {
  /** What the method returned, raw. */
  saliency: MapData
  /** What ranks the pixels: the values before a sigmoid where the map is one, else the map itself. */
  ranking: MapData
  signed: boolean
  /** Whether it is a mask in [0, 1], which keeps and hides as it stands; also a ranking may lie there. */
  mask: boolean
}

export interface MetricTask {
  /** The one that was explained. */
  classifier: Classifier
  /** Another, that the method never asked. */
  judge: Classifier | null
  frame: Frame
  /** H·W·C in [0, 1], as the classifier saw it. */
  image: Float32Array
  target: number
  map: JudgedMap
  /** 0 or 1 per pixel of the input: the object, or the cell of a mosaic that holds the target. */
  object: Uint8Array | null
  /** What other methods answered to the same image, by id. */
  others: ReadonlyMap<string, JudgedMap>
  /** The method over again, on another image, classifier, seed or target, with the same parameters. */
  explain(image: Float32Array, options?: { classifier?: Classifier; seed?: number; target?: number }): Promise<JudgedMap>
  /** Of finding the map. */
  evaluations: Evaluations
  seed: number
  /** Complete and validated. */
  parameters: ParameterValues
  /** Checked between calls of the classifier. */
  signal: AbortSignal
  once: Once
}

/** With which the names of details begin that a judge answered. */
export const judgePrefix = 'judge-'

export interface Measurement {
  /** NaN where it is not defined for this image; said in `note`. */
  value: number
  /** Other numbers of the same measurement, by a kebab-case name, e.g. one per fill, or the share of ties. */
  details?: Readonly<Record<string, number>>
  curves?: readonly { name: string; x: readonly number[]; y: readonly number[] }[]
  note?: string
}

/** What became of one metric: it costs only itself where it fails. */
export interface MetricOutcome {
  id: string
  measurement: Measurement | null
  error: SerialisedError | null
}

/** `map`: computed from the map alone; `queries`: asks the classifier; `dear`: runs the method again. */
export type MetricCost = 'map' | 'queries' | 'dear'

/** @property cost where it is another than the metric's own */
export interface MetricPreset extends Preset {
  cost?: MetricCost
}

/** One metric: one object in one file, plus one line in registry.ts. Definition and citation stand in docs/metrics.md. */
export interface Metric extends ParameterSchema {
  /** kebab-case; of a variant `metric@preset`. */
  id: string
  title: string
  citation: string
  /** One sentence with the formula in words, shown beside the number. */
  definition: string
  /** null: neither. */
  better: 'higher' | 'lower' | null
  /** Possible limits; infinite where there are none. */
  range: readonly [number, number]
  cost: MetricCost
  needs: readonly ('object' | 'mosaic' | 'others' | 'graph')[]
  /** The first is what it computes by itself; each further one is a variant of its own (registry.ts). */
  presets: readonly MetricPreset[]
  /** @throws MaskscopeError 'cancelled' on abort */
  measure(task: MetricTask): Promise<Measurement>
  /** It does not look at the map, so one with NaN in it is no hindrance. */
  anyMap?: boolean
}

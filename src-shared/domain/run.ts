import type { SerialisedError } from './errors.ts'
import type { MapData } from './image.ts'
import type { ParameterValues } from './parameters.ts'
import type { ScoreKind } from './score.ts'

/** One step's news of one image of a batch. */
export interface Progress {
  /** Index in the batch. */
  image: number
  /** 0 = before the first step. */
  iteration: number
  iterations: number
  /** Named numbers, and `total` where the method minimises one; the same names at every step; never dropped. */
  losses: Record<string, number>
  /** Probability of the target under the current mask, in [0, 1]; NaN where the method has no mask, or the outputs are no probabilities. */
  probability: number
  /** The map at the method's own resolution: at the iterations of `storedIterations`, and between them where somebody watches. */
  frame?: MapData
  /** The masks of a population as they stand, best first; only where somebody watches. */
  strip?: MapStack
  /** Of this image so far. */
  evaluations?: Evaluations
}

export interface Evaluations {
  /** Images sent through the classifier, forward. */
  forward: number
  /** Images whose gradient was taken. */
  backward: number
}

/** Maps of one size. */
export interface MapStack {
  count: number
  height: number
  width: number
  /** [count, height, width], row-major */
  data: Float32Array
}

/** A map, or several, that a method keeps beside its result, e.g. the plain mask, a standard error, the segments. */
export interface MapPart extends MapStack {
  /** kebab-case, unique in the explanation. */
  name: string
  /** For people, e.g. "Sensitivity". */
  title: string
  signed: boolean
}

/** A number or word that belongs to a result, e.g. the completeness gap, or what stood for zero. */
export interface Fact {
  label: string
  value: number | string
}

/** What a method returns for one image. Maps hold raw values: no display normalisation. */
export interface Explanation {
  /** At the classifier's input size. */
  saliency: MapData
  /** At the method's own resolution. */
  own: MapData
  /** Pre-sigmoid values at the own resolution, where the map is a sigmoid: they rank pixels that saturate. */
  ranking?: MapData
  /** The map's possible limits. */
  range: readonly [number, number]
  signed: boolean
  score: ScoreKind
  target: number
  /** NaN where there is none: the outputs are no probabilities, or the map is no mask. */
  probability: { original: number; masked: number }
  iterations: number
  evaluations: Evaluations
  /** What the person should know, e.g. that early stopping ended the run. */
  notes: readonly string[]
  /** At any resolution, kept beside the maps. */
  parts?: readonly MapPart[]
  /** Shown with the result; what the parameters do not say. */
  facts?: readonly Fact[]
}

/** Parameters changed on the way: those named hold from the step that makes `iteration` on. */
export interface ParameterChange {
  iteration: number
  parameters: ParameterValues
}

export type RunState = 'queued' | 'running' | 'paused' | 'finished' | 'failed' | 'cancelled'

export type RunEvent =
  | { type: 'queued'; run: string }
  /** `original`: the target's probability in the clean image, null where the outputs are not probabilities. */
  | { type: 'started'; run: string; worker: number; target: number; original: number | null }
  | { type: 'progress'; run: string; progress: Progress }
  /** It stands after `iteration` until it is resumed. */
  | { type: 'paused'; run: string; iteration: number }
  | { type: 'resumed'; run: string }
  | { type: 'changed'; run: string; change: ParameterChange }
  | { type: 'finished'; run: string; seconds: number }
  | { type: 'failed'; run: string; error: SerialisedError }
  | { type: 'cancelled'; run: string }

/** Everything that determines a run's bytes (with the versions and the executor, recorded beside it). */
export interface RunRequest {
  method: string
  parameters: ParameterValues
  seed: number
  /** `auto`: the clean image's top class. */
  target: number | 'auto'
  /** In the order of their iterations. */
  changes: readonly ParameterChange[]
}

/**
 * The iterations whose frames are stored: 0, 1, 2, 5, 10, 20, 50, then evenly, and the last; at most 64. It depends on
 * nothing but the number of iterations, so the same run stores the same frames whoever watches.
 */
export function storedIterations(iterations: number): number[] {
  const early = [0, 1, 2, 5, 10, 20, 50].filter((i) => i <= iterations)
  const last = early[early.length - 1] ?? 0
  const wanted = new Set([...early, iterations])
  const free = 64 - wanted.size
  const step = Math.max(1, Math.ceil((iterations - last) / (free + 1)))
  for (let i = last + step; i < iterations; i += step) wanted.add(i)
  return [...wanted].sort((a, b) => a - b)
}

import type { ImageBatch, MapData } from '#shared/domain/image.ts'
import type { Family, Need } from '#shared/domain/method.ts'
import type { Access, ModelInfo } from '#shared/domain/model.ts'
import type { ParameterSchema, ParameterValues } from '#shared/domain/parameters.ts'
import type { Explanation, MapStack, Progress } from '#shared/domain/run.ts'
import type { Classifier } from '../classifier/classifier.ts'
import type { Spread } from './queries/mask-queries.ts'

export interface ExplainTask {
  classifier: Classifier
  /** At the classifier's input size. */
  images: ImageBatch
  /** Class index per image. */
  targets: readonly number[]
  /** One per image, so that a batch gives what singles give. */
  seeds: readonly number[]
  /** Complete and validated (`resolveParameters`). */
  parameters: ParameterValues
  /** Checked at every step. */
  signal: AbortSignal
  /** The true object of each image, 0 or 1 per pixel of the input, where it is known. */
  objects?: readonly (Uint8Array | null)[]
  /** Other workers that take part of the queries; alone without it, with the same result. */
  spread?: Spread
  /**
   * Called before the step that makes `iteration`, for the whole batch; waits as long as the run is paused. What it gives
   * holds from this step on for all images: validated values of `live` parameters, or null.
   * @throws MaskscopeError 'cancelled' on abort
   */
  steer?(iteration: number): Promise<ParameterValues | null>
}

/** News of a step as a method tells it. */
export interface Step extends Progress {
  /** The map as it stands, computed only where somebody watches; to be called before the next step. Changes nothing. */
  look?(): MapData
  /** The same for the masks of a population, best first. */
  lookAtStrip?(): MapStack
}

/** What `baseline` needs of an order. */
export interface BaselineTask {
  /** H·W·C in [0, 1], as the classifier sees it. */
  image: Float32Array
  height: number
  width: number
  channels: number
  /** Complete and validated. */
  parameters: ParameterValues
  seed: number
}

/** One explanation method: one object in one file, plus one line in registry.ts. */
export interface Method extends ParameterSchema {
  /** kebab-case. */
  id: string
  title: string
  citation: string
  access: Access
  /** It asks by `MaskQueries`, so that other workers can take part of its questions; what does not gets all cores for its calls. */
  spreads?: true
  family: Family
  /** What it needs besides: the layers of a graph of ours, or the true object. */
  needs?: readonly Need[]
  /** It draws nothing at random, at least with these parameters: every seed gives the same map, so that one is enough. */
  deterministic?: true | ((parameters: ParameterValues) => boolean)
  /** What stands between a model and these parameters, beside `access` and `needs`, as a sentence; null: nothing. */
  whyNotWith?(parameters: ParameterValues, info: ModelInfo, hasObject: boolean): string | null
  /** Its masked images lack what the mask marks, in place of keeping it: with these parameters, or always. */
  deletes?: true | ((parameters: ParameterValues) => boolean)
  /** What its maps are while they come: a result says it of itself. A mask in [0, 1] where left out. */
  map?: { range: readonly [number, number]; signed: boolean }
  /** Yields progress per image and step; returns one explanation per image. Throws MaskscopeError 'cancelled' on abort. */
  explain(task: ExplainTask): AsyncGenerator<Step, Explanation[], void>
  /** What stands where the map hides the image, H·W·C, and its name; of a drawn fill one example. Null: there is no such thing. */
  baseline?(task: BaselineTask): { picture: Float32Array; name: string } | null
}

/** Whether every seed gives the same map with these parameters. */
export function drawsNothing({ deterministic }: Pick<Method, 'deterministic'>, parameters: ParameterValues): boolean {
  return typeof deterministic === 'function' ? deterministic(parameters) : deterministic === true
}

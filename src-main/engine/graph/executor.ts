import type { Score } from '#shared/domain/score.ts'
import type { ReluRule } from '../classifier/classifier.ts'

export interface ScoredBatch {
  /** [count, classes] */
  logits: Float32Array
  /** One per image. */
  scores: Float32Array
  /** d score / d image, in the images' layout. */
  gradient: Float32Array
}

export interface ActivationBatch {
  /** Of the node, per image: [height, width, channels], or whatever shape it has. */
  shape: readonly number[]
  /** [count, ...shape], row-major. */
  activations: Float32Array
  /** d score / d activation in the same layout, where scores were given. */
  gradients: Float32Array | null
  logits: Float32Array
  scores: Float32Array | null
}

/**
 * Runs one frozen graph. Images and gradients are [count, height, width, channels] in [0, 1], logits
 * [count, classes], all row-major plain arrays, so executors of any engine look alike. Callers have checked scores and counts.
 *
 * Where a function has a kink, all executors take the same side: a ReLU passes no gradient at 0, a limited one none at its
 * limit; a clip, and the clips inside hard sigmoids and hard swishes, pass it at theirs; leaky ones have the slope of the
 * negative side at 0. Of equal maxima in a pooling window the first in row-major order gets all of it; of two equal operands
 * of a maximum or minimum the first; equal extremes that a reduction is over share it.
 */
export interface Executor {
  /** Pinned in manifests: `tfjs`, `onnxruntime`, and with `-opaque` where the model's own file is run as it is. */
  readonly id: string
  forward(images: Float32Array, count: number): Promise<Float32Array>
  /** @param scores one per image */
  gradient(images: Float32Array, count: number, scores: readonly Score[], reluRule: ReluRule): Promise<ScoredBatch>
  /**
   * @param node of the graph
   * @param scores one per image; without them no gradients are taken
   */
  activations(images: Float32Array, count: number, node: string, scores: readonly Score[] | null, reluRule: ReluRule): Promise<ActivationBatch>
  /**
   * Logits with single channels of a node put to zero, a row per image and channel; the part of the graph before the node is computed once
   * per image.
   * @param channels a list per image
   * @param most rows that go through the rest of the graph at once
   */
  ablated(images: Float32Array, count: number, node: string, channels: readonly (readonly number[])[], most: number): Promise<Float32Array>
  dispose(): void
}

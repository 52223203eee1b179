import type { ImageBatch } from '#shared/domain/image.ts'
import type { ModelInfo } from '#shared/domain/model.ts'
import type { Score } from '#shared/domain/score.ts'

/** How a backward pass goes through a ReLU: exactly, or passing only positive gradients (guided backpropagation). */
export type ReluRule = 'exact' | 'guided'

export interface ScoreGradient {
  /** One score per image. */
  scores: Float32Array
  /** [count, classes]: they come for free, so no method asks twice. */
  logits: Float32Array
  /** d score / d image, in the images' own layout and length. */
  gradient: Float32Array
}

/**
 * A frozen classifier. Everything is asynchronous and batched; images are at `info.input` size with values in [0, 1]
 * (the range, mean and std belong to the classifier). The chain rule is cut exactly here: a method composes its masked
 * images in plain arrays, asks the classifier, and pulls the returned gradient back through its own composition, so a
 * classifier may run on any backend, in another engine, or, query-only, elsewhere.
 */
export interface Classifier {
  readonly info: ModelInfo
  /**
   * @returns logits [count, classes], row-major; log-probabilities where the file ends in a softmax that could not be
   * taken off.
   * @throws MaskscopeError 'run' when the outputs are not finite.
   */
  logits(images: ImageBatch): Promise<Float32Array>
  /**
   * The score of each image and its gradient with respect to that image.
   * @param scores one per image
   * @throws MaskscopeError 'unavailable' where `info.access` is `query`.
   */
  scoreGradient(images: ImageBatch, scores: readonly Score[], options?: { reluRule?: ReluRule }): Promise<ScoreGradient>
  dispose(): void
}

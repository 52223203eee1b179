import type { ImageBatch } from '#shared/domain/image.ts'
import type { GraphReport } from '#shared/domain/layers.ts'
import type { ModelInfo } from '#shared/domain/model.ts'
import type { Score } from '#shared/domain/score.ts'

/** How a backward pass goes through a ReLU: exactly, or passing only positive gradients (guided backpropagation). */
export type ReluRule = 'exact' | 'guided'

export interface GradientOptions {
  reluRule?: ReluRule
}

/** What a layer answers to a batch of images. */
export interface Activations {
  /** Of one image: [height, width, channels], or whatever shape the layer has. */
  shape: readonly number[]
  /** [count, ...shape], row-major. */
  activations: Float32Array
  /** d score / d activation in the same layout, where scores were given. */
  gradients: Float32Array | null
  /** [count, classes] */
  logits: Float32Array
  /** One per image, where they were given. */
  scores: Float32Array | null
}

/** How many images go through the network at once, by what their activations take. */
export interface BatchLimits {
  forward: number
  gradient: number
}

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
  /** The frozen graph for people; null where it cannot express the model. Its layers are those of `activations`. */
  readonly graph: GraphReport | null
  /**
   * The most images that go through at once: larger batches are cut to it. Whoever draws images itself, as many as it likes,
   * asks for so many at a time.
   */
  readonly limits: BatchLimits
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
  scoreGradient(images: ImageBatch, scores: readonly Score[], options?: GradientOptions): Promise<ScoreGradient>
  /**
   * What a layer answers, and the scores' gradients with respect to it.
   * @param layer a name of `graph.layers`
   * @param scores one per image; without them no gradients are taken
   * @throws MaskscopeError 'usage' naming a layer that is not there, 'unavailable' where there are no layers, or no gradients.
   */
  activations(images: ImageBatch, layer: string, scores?: readonly Score[] | null, options?: GradientOptions): Promise<Activations>
  dispose(): void
}

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

export interface LogitsOptions {
  /**
   * Channels of a layer that are put to zero, each alone: `channels` holds a list per image, and the answer has a row for every
   * entry of it, image by image. What comes before the layer is computed once per image.
   */
  ablate?: Ablation
}

export interface Ablation {
  /** A name of `graph.layers`. */
  layer: string
  /** Indices along the layer's last dimension. */
  channels: readonly (readonly number[])[]
}

/** How relevance goes back through a graph (docs/methods.md, "LRP"). */
export interface LrpRule {
  /** ε of the upper layers, in units of the root mean square of a layer's outputs; 0 and up. */
  epsilon: number
  /** γ of the lower layers, 0 and up; 0 is ε without an ε. */
  gamma: number
  /** The share of the layers with weights, counted from the image, that take γ; the others take ε. In [0, 1]. */
  lower: number
  /**
   * The first layer with weights: as its place says, by the limits 0 and 1 of pixels (z^B), spread evenly over its window, or
   * relative to the mean colour of the image, whose own part nobody gets.
   */
  input: 'same' | 'box' | 'flat' | 'mean'
  /** Whether biases take their share of the relevance, which then does not arrive, or none. */
  biases: 'share' | 'none'
}

export interface Relevance {
  /** In the images' layout; where biases take none it sums to the target's logit. */
  relevance: Float32Array
  /** [count, classes] */
  logits: Float32Array
}

/** Which weights are shuffled, each array within itself; all else stays. */
export interface WeightShuffle {
  /** Names of `graph.layers` that have parameters. */
  layers: readonly string[]
  seed: number
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
   * taken off. With `ablate` one row per image and channel.
   * @throws MaskscopeError 'run' when the outputs are not finite; of a layer as `activations`.
   */
  logits(images: ImageBatch, options?: LogitsOptions): Promise<Float32Array>
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
  /**
   * Layer-wise relevance propagation: the target's logit handed back layer by layer to the pixels. TF.js computes it, whatever
   * runs the rest.
   * @param targets a class index per image
   * @throws MaskscopeError 'unavailable' where the graph is not ours.
   */
  relevance(images: ImageBatch, targets: readonly number[], rule: LrpRule): Promise<Relevance>
  /**
   * The same classifier with weights out of order, for sanity checks; the caller disposes of it.
   * @throws MaskscopeError 'unavailable' where the graph is not ours, 'usage' naming a layer that has no weights.
   */
  withWeights(shuffle: WeightShuffle): Promise<Classifier>
  dispose(): void
}

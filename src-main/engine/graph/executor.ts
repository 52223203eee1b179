import type { ReluRule } from '../classifier/classifier.ts'

/**
 * Runs one frozen graph. Images and gradients are [count, height, width, channels] in [0, 1], logits
 * [count, classes], all row-major plain arrays, so executors of any engine look alike.
 */
export interface Executor {
  /** Shown to the person and pinned in manifests. */
  readonly id: string
  forward(images: Float32Array, count: number): Promise<Float32Array>
  /**
   * @param seed gives d score / d logits from the logits
   * @returns the logits and the gradient with respect to the images
   */
  gradient(images: Float32Array, count: number, seed: (logits: Float32Array) => Float32Array, reluRule: ReluRule): Promise<{ logits: Float32Array; gradient: Float32Array }>
  dispose(): void
}

/** Adam's state over all weights of a network, one after the other. */
export interface AdamState {
  /** Running means of the gradient and of its square. */
  mean: Float32Array
  square: Float32Array
  /** Updates made so far. */
  steps: number
}

const firstDecay = 0.9
const secondDecay = 0.999
const epsilon = 1e-8

export function createAdamState(length: number): AdamState {
  return { mean: new Float32Array(length), square: new Float32Array(length), steps: 0 }
}

/**
 * One step of Adam (Kingma & Ba, 2015) against the gradient, in place. The moments are float32, as a checkpoint holds them, so that
 * training goes on from one as if it had never stopped.
 * @param gradient as long as the weights
 */
export function adamStep(weights: Float32Array, gradient: Float32Array, state: AdamState, learningRate: number): void {
  const { mean, square } = state
  const steps = ++state.steps
  const rate = learningRate / (1 - firstDecay ** steps)
  const correction = 1 / Math.sqrt(1 - secondDecay ** steps)
  for (let i = 0; i < weights.length; i++) {
    const slope = gradient[i]!
    const first = firstDecay * mean[i]! + (1 - firstDecay) * slope
    const second = secondDecay * square[i]! + (1 - secondDecay) * slope * slope
    mean[i] = first
    square[i] = second
    weights[i]! -= (rate * first) / (Math.sqrt(second) * correction + epsilon)
  }
}

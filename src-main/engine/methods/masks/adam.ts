/** Adam (Kingma & Ba, 2015) with the usual decays .9 and .999 and ε = 1e-8 outside the root. */
export interface Adam {
  /**
   * One step of `values` against `gradient`, in place.
   * @param factors of each value's step; 1 where left out
   */
  step(values: Float32Array, gradient: Float32Array, learningRate: number, factors?: Float32Array): void
}

const firstDecay = 0.9
const secondDecay = 0.999
const epsilon = 1e-8

export function createAdam(length: number): Adam {
  const mean = new Float64Array(length)
  const square = new Float64Array(length)
  let steps = 0
  return {
    step(values, gradient, learningRate, factors) {
      steps++
      const firstCorrection = 1 - firstDecay ** steps
      const secondCorrection = 1 - secondDecay ** steps
      for (let i = 0; i < length; i++) {
        const slope = gradient[i]!
        mean[i] = firstDecay * mean[i]! + (1 - firstDecay) * slope
        square[i] = secondDecay * square[i]! + (1 - secondDecay) * slope * slope
        const step = mean[i]! / firstCorrection / (Math.sqrt(square[i]! / secondCorrection) + epsilon)
        values[i]! -= learningRate * step * (factors ? factors[i]! : 1)
      }
    },
  }
}

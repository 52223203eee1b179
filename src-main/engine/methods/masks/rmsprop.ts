import { begin, kernels, put, take } from './simd/kernels.ts'

/**
 * RMSProp as the reference implementation of NeuroMask runs it (TensorFlow 1): decay .9, no momentum, ε = 1e-10 inside
 * the root, and the mean square starting at ones. TF.js starts it at zeros with another ε, and the masks never become
 * sparse.
 */
export interface Optimiser {
  /** One step of `values` against `gradient`, in place. */
  step(values: Float32Array, gradient: Float32Array, learningRate: number): void
}

export function createRmsProp(length: number): Optimiser {
  const meanSquare = new Float32Array(length).fill(1)
  return {
    step(values, gradient, learningRate) {
      begin()
      const at = put(values)
      const squares = put(meanSquare)
      kernels.rmsProp(at, put(gradient), squares, length, learningRate)
      take(at, values)
      take(squares, meanSquare)
    },
  }
}

import { begin, kernels, put, roomForDoubles, take } from './simd/kernels.ts'

/** NeuroMask's two regularisers on the map w (or on its smoothed form), with closed-form gradients. */

/**
 * λ·mean|w + offset|; adds its subgradient (0 where w = −offset) to `gradient`.
 * @returns the weighted term
 */
export function sparsity(map: Float32Array, offset: number, weight: number, gradient: Float32Array): number {
  begin()
  const to = put(gradient)
  const term = kernels.sparsity(put(map), to, map.length, offset, weight)
  take(to, gradient)
  return term
}

/** Adds λ times the gradient to `gradient` and returns λ times the term. */
export type Smoothness = (map: Float32Array, weight: number, gradient: Float32Array) => number

/**
 * mean((K∗w)²) over the places where the k×k high-pass K (centre k² − 1, the rest −1) fits: 'VALID'. K∗w is
 * k²·centre − box sum, and the gradient 2/n·Kᵀ∗(K∗w) is the same form again over zero-padded values; box sums run along
 * columns.
 * @param size k, odd, at most the height and the width
 */
export function createSmoothness(height: number, width: number, size: number): Smoothness {
  if (Math.min(height, width) < size) throw new RangeError(`A ${size}×${size} kernel does not fit a map of ${height}×${width}.`)
  const around = size - 1
  return (map, weight, gradient) => {
    begin()
    const to = put(gradient)
    const response = roomForDoubles((height + around) * (width + around))
    const sums = roomForDoubles(height * width + width + around)
    const term = kernels.smoothness(put(map), to, height, width, size, weight, response, sums)
    take(to, gradient)
    return term
  }
}

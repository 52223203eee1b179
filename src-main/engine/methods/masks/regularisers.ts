/** NeuroMask's two regularisers on the map w (or on its smoothed form), with closed-form gradients. */

/**
 * λ·mean|w + offset|; adds its subgradient (0 where w = −offset) to `gradient`.
 * @returns the weighted term
 */
export function sparsity(map: Float32Array, offset: number, weight: number, gradient: Float32Array): number {
  const slope = weight / map.length
  let sum = 0
  for (let i = 0; i < map.length; i++) {
    const value = map[i]! + offset
    if (value > 0) {
      sum += value
      gradient[i]! += slope
    } else if (value < 0) {
      sum -= value
      gradient[i]! -= slope
    }
  }
  return (weight * sum) / map.length
}

/** Adds λ times the gradient to `gradient` and returns λ times the term. */
export type Smoothness = (map: Float32Array, weight: number, gradient: Float32Array) => number

/**
 * mean((K∗w)²) over the places where the k×k high-pass K (centre k² − 1, the rest −1) fits: 'VALID'. K∗w is
 * k²·centre − box sum, and the gradient 2/n·Kᵀ∗(K∗w) is the same form again over zero-padded values; box sums run along
 * rows and columns, so the cost does not depend on k.
 * @param size k, odd, at most the height and the width
 */
export function createSmoothness(height: number, width: number, size: number): Smoothness {
  const outHeight = height - size + 1
  const outWidth = width - size + 1
  if (outHeight < 1 || outWidth < 1) throw new RangeError(`A ${size}×${size} kernel does not fit a map of ${height}×${width}.`)
  const centre = (size - 1) / 2
  const area = size * size
  const count = outHeight * outWidth
  const response = new Float64Array(count)
  // Box sums along rows; wide enough for the padded sums of the way back.
  const sums = new Float64Array(height * width)
  const column = new Float64Array(width)

  return (map, weight, gradient) => {
    for (let y = 0; y < height; y++) {
      let running = 0
      for (let x = 0; x < width; x++) {
        running += map[y * width + x]!
        if (x >= size) running -= map[y * width + x - size]!
        if (x >= size - 1) sums[y * width + x - size + 1] = running
      }
    }
    column.fill(0)
    let total = 0
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < outWidth; x++) column[x]! += sums[y * width + x]! - (y >= size ? sums[(y - size) * width + x]! : 0)
      const top = y - size + 1
      if (top < 0) continue
      for (let x = 0; x < outWidth; x++) {
        const value = area * map[(top + centre) * width + x + centre]! - column[x]!
        response[top * outWidth + x] = value
        total += value * value
      }
    }

    const slope = (2 * weight) / count
    // Padded sums along rows: sums[y, x] = Σ response[y, x − size + 1 … x].
    for (let y = 0; y < outHeight; y++) {
      let running = 0
      for (let x = 0; x < width; x++) {
        if (x < outWidth) running += response[y * outWidth + x]!
        if (x >= size) running -= response[y * outWidth + x - size]!
        sums[y * width + x] = running
      }
    }
    column.fill(0)
    for (let y = 0; y < height; y++) {
      const row = y * width
      if (y < outHeight) for (let x = 0; x < width; x++) column[x]! += sums[row + x]!
      if (y >= size) for (let x = 0; x < width; x++) column[x]! -= sums[row - size * width + x]!
      for (let x = 0; x < width; x++) gradient[row + x]! -= slope * column[x]!
    }
    for (let y = 0; y < outHeight; y++) {
      const row = (y + centre) * width + centre
      for (let x = 0; x < outWidth; x++) gradient[row + x]! += slope * area * response[y * outWidth + x]!
    }
    return (weight * total) / count
  }
}

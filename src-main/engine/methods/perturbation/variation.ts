/**
 * weight·(mean|∂y m|^β + mean|∂x m|^β), each mean over the pairs of neighbours; adds the gradient (0 where neighbours agree).
 * @param pairs factors of the pairs, as `pairWeights` gives them; all 1 where left out
 */
export function differencePower(
  map: Float32Array, height: number, width: number, beta: number, weight: number, gradient: Float32Array, pairs?: { down: Float32Array; right: Float32Array },
): number {
  const columns = width - 1
  let sum = 0
  const meanDown = weight / Math.max(1, (height - 1) * width)
  for (let i = 0; i < (height - 1) * width; i++) sum += pair(i, i + width, meanDown * (pairs ? pairs.down[i]! : 1))
  const meanRight = weight / Math.max(1, height * columns)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < columns; x++) sum += pair(y * width + x, y * width + x + 1, meanRight * (pairs ? pairs.right[y * columns + x]! : 1))
  }
  return sum

  function pair(i: number, j: number, factor: number): number {
    const difference = map[j]! - map[i]!
    if (difference === 0) return 0
    const size = Math.abs(difference)
    const slope = factor * beta * size ** (beta - 1) * Math.sign(difference)
    gradient[j]! += slope
    gradient[i]! -= slope
    return factor * size ** beta
  }
}

/**
 * weight·mean((∂x² + ∂y²)^(β/2)) over all places, differences past the border being 0; adds the gradient (0 where all three
 * agree).
 */
export function isotropicVariation(map: Float32Array, height: number, width: number, beta: number, weight: number, gradient: Float32Array): number {
  const factor = weight / (height * width)
  let sum = 0
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x
      const right = x < width - 1 ? map[i + 1]! - map[i]! : 0
      const down = y < height - 1 ? map[i + width]! - map[i]! : 0
      const square = right * right + down * down
      if (square === 0) continue
      sum += square ** (beta / 2)
      const slope = factor * beta * square ** (beta / 2 - 1)
      if (right !== 0) gradient[i + 1]! += slope * right
      if (down !== 0) gradient[i + width]! += slope * down
      gradient[i]! -= slope * (right + down)
    }
  }
  return factor * sum
}

/** λ·(mean|∂x m| + mean|∂y m|) of a map. Adds its subgradient (0 where neighbours agree) to `gradient`, where one is given. */
export function variation(map: Float32Array, height: number, width: number, weight: number, gradient?: Float32Array): number {
  const across = height * (width - 1)
  const down = (height - 1) * width
  return along(map, height, width, 1, weight / Math.max(1, across), gradient) + along(map, height, width, width, weight / Math.max(1, down), gradient)
}

/** Σ|m_{i+step} − m_i|·factor over the neighbours to the right (step 1) or below (step = width). */
function along(map: Float32Array, height: number, width: number, step: number, factor: number, gradient: Float32Array | undefined): number {
  const columns = step === 1 ? width - 1 : width
  const rows = step === 1 ? height : height - 1
  let sum = 0
  for (let y = 0; y < rows; y++) {
    for (let i = y * width; i < y * width + columns; i++) {
      const difference = map[i + step]! - map[i]!
      sum += Math.abs(difference)
      if (gradient === undefined || difference === 0) continue
      const slope = difference > 0 ? factor : -factor
      gradient[i + step]! += slope
      gradient[i]! -= slope
    }
  }
  return sum * factor
}

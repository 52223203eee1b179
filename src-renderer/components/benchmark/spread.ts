/** How the values of many images lie. */
export interface Spread {
  n: number
  mean: number
  /** 5th, 25th, 50th, 75th and 95th percentile. */
  quantiles: readonly [number, number, number, number, number]
  /** Some of the values, evenly through their order, to be drawn as dots. */
  dots: readonly number[]
}

const mostDots = 160

/** @returns null where there is no value */
export function spreadOf(values: ArrayLike<number>): Spread | null {
  const sorted = Float64Array.from(Array.from(values).filter(Number.isFinite)).sort()
  const n = sorted.length
  if (n === 0) return null
  const at = (share: number): number => {
    const place = share * (n - 1)
    const below = Math.floor(place)
    return sorted[below]! + (sorted[Math.min(n - 1, below + 1)]! - sorted[below]!) * (place - below)
  }
  const step = Math.max(1, n / mostDots)
  return {
    n, mean: sorted.reduce((sum, value) => sum + value, 0) / n, quantiles: [at(0.05), at(0.25), at(0.5), at(0.75), at(0.95)],
    dots: Array.from({ length: Math.min(n, mostDots) }, (_, i) => sorted[Math.min(n - 1, Math.floor(i * step))]!),
  }
}

/** Where a dot lies across its row, −1 to 1: the same every time, and no two neighbours alike. */
export function jitter(index: number): number {
  return 2 * ((index * 0.618034) % 1) - 1
}

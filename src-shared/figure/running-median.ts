/**
 * The median of each value and its neighbours, `window` (odd) of them where there are as many on both sides, fewer near
 * the ends. It commutes with a logarithm, so it looks the same on either axis.
 */
export function runningMedian(values: readonly number[], window: number): number[] {
  return medianAt(values, window, values.map((_, i) => i))
}

/** The running median at these indices only. */
export function medianAt(values: readonly number[], window: number, indices: readonly number[]): number[] {
  const half = Math.floor(window / 2)
  return indices.map((i) => {
    const reach = Math.min(half, i, values.length - 1 - i)
    return Float64Array.from(values.slice(i - reach, i + reach + 1)).sort()[reach] as number
  })
}

/** Of the plot's height: a line that strays further from its running median, on average, is noise to the eye. */
export const noiseLimit = 0.012

/** An odd window of about a tenth of so many values, between 5 and 101. */
export function medianWindow(count: number): number {
  return Math.min(101, Math.max(5, 2 * Math.round(count / 20) + 1))
}

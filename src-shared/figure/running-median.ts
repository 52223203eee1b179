/**
 * The median of each value and its neighbours, `window` (odd) of them where there are as many on both sides, fewer near
 * the ends. It commutes with a logarithm, so it looks the same on either axis.
 */
export function runningMedian(values: readonly number[], window: number): number[] {
  const half = Math.floor(window / 2)
  const all = Float64Array.from(values)
  return values.map((_, i) => {
    const reach = Math.min(half, i, values.length - 1 - i)
    return all.slice(i - reach, i + reach + 1).sort()[reach] as number
  })
}

/** An odd window of about a tenth of so many values, between 5 and 101. */
export function medianWindow(count: number): number {
  return Math.min(101, Math.max(5, 2 * Math.round(count / 20) + 1))
}

/**
 * Indices to draw of series over the same rising x: in each of `columns` strips the first and last point and each
 * series' lowest and highest, so that the drawn lines look the same and no extreme is lost.
 * @param x rising
 * @param series of the same length; values that are no numbers are passed over
 */
export function decimate(x: readonly number[], series: readonly (readonly number[])[], columns: number): number[] {
  const count = x.length
  if (count <= columns * 2) return Array.from({ length: count }, (_, i) => i)
  const first = x[0]!
  const span = (x[count - 1]! - first) || 1
  const stripOf = (i: number): number => Math.min(columns - 1, Math.floor(((x[i]! - first) / span) * columns))
  const kept: number[] = []
  for (let from = 0; from < count;) {
    const strip = stripOf(from)
    let to = from + 1
    while (to < count && stripOf(to) === strip) to++
    const picked = new Set([from, to - 1])
    for (const values of series) {
      let low = -1
      let high = -1
      for (let i = from; i < to; i++) {
        const value = values[i]!
        if (Number.isNaN(value)) continue
        if (low === -1 || value < values[low]!) low = i
        if (high === -1 || value > values[high]!) high = i
      }
      if (low !== -1) picked.add(low).add(high)
    }
    kept.push(...[...picked].sort((a, b) => a - b))
    from = to
  }
  return kept
}

import type { Axis } from '#shared/figure/axis.ts'
import { medianAt, medianWindow, noiseLimit } from '#shared/figure/running-median.ts'

/** So few steps are seen one by one. */
const fewest = 20

/**
 * Where a line of the chart would be drawn as noise: the running medians as positions on the axis, at about one of `kept`
 * a column and null between, so that a long run costs no more than a short one. Null where no line is noisy. As in print.
 * @param kept rising indices into the values
 */
export function noisyMedians(
  values: readonly (readonly number[])[], kept: readonly number[], axis: Axis, columns: number,
): (number | null)[][] | null {
  const count = values[0]?.length ?? 0
  if (count < fewest) return null
  const stride = Math.ceil(kept.length / columns)
  const places = kept.map((_, at) => at).filter((at) => at % stride === 0 || at === kept.length - 1)
  let noisy = false
  const medians = values.map((list) => {
    const found = medianAt(list, medianWindow(count), places.map((at) => kept[at]!)).map((value) => axis.position(value))
    const strayed = places.reduce((sum, at, i) => sum + (Math.abs(axis.position(list[kept[at]!]!) - found[i]!) || 0), 0)
    noisy ||= strayed / places.length > noiseLimit
    const line = new Array<number | null>(kept.length).fill(null)
    places.forEach((at, i) => (line[at] = Number.isFinite(found[i]) ? found[i]! : null))
    return line
  })
  return noisy ? medians : null
}

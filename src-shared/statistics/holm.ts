/**
 * Holm's step-down adjustment (Scandinavian Journal of Statistics, 1979): the least first, each times the number of hypotheses not yet
 * rejected, and never below the one before.
 * @param pValues of one declared family; NaN stands for no test and does not count
 * @returns adjusted, in [0, 1], in the same order
 */
export function holm(pValues: readonly number[]): number[] {
  const order = [...pValues.keys()].filter((i) => !Number.isNaN(pValues[i])).sort((a, b) => pValues[a]! - pValues[b]!)
  const adjusted = pValues.map(() => NaN)
  let least = 0
  order.forEach((i, place) => {
    least = Math.max(least, Math.min(1, (order.length - place) * pValues[i]!))
    adjusted[i] = least
  })
  return adjusted
}

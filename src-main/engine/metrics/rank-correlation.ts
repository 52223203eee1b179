import { rankPixels } from './ranking.ts'

/**
 * Spearman's rank correlation: Pearson's of the ranks, equal values sharing the mean of their ranks.
 * @returns in [−1, 1]; NaN where one of the two is constant
 */
export function rankCorrelation(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) throw new RangeError(`Maps of ${a.length} and ${b.length} values do not fit.`)
  return correlation(averageRanks(a), averageRanks(b))
}

/** 1 for the highest value; equal values share the mean of their places. */
export function averageRanks(values: Float32Array): Float64Array {
  const { order, ends } = rankPixels(values)
  const ranks = new Float64Array(values.length)
  let from = 0
  for (const end of ends) {
    for (let i = from; i < end; i++) ranks[order[i]!] = (from + 1 + end) / 2
    from = end
  }
  return ranks
}

/** Pearson's. @returns in [−1, 1]; NaN where one of the two is constant */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const n = a.length
  let meanA = 0
  let meanB = 0
  for (let i = 0; i < n; i++) {
    meanA += a[i]! / n
    meanB += b[i]! / n
  }
  let both = 0
  let squaresA = 0
  let squaresB = 0
  for (let i = 0; i < n; i++) {
    const [x, y] = [a[i]! - meanA, b[i]! - meanB]
    both += x * y
    squaresA += x * x
    squaresB += y * y
  }
  if (constant(a) || constant(b)) return NaN
  return Math.min(1, Math.max(-1, both / Math.sqrt(squaresA * squaresB)))
}

/** Rounding of a mean must not make a constant vary. */
function constant(values: ArrayLike<number>): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return false
  return true
}

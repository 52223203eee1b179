import { createRandom } from '../random/random.ts'
import { gather } from './clusters.ts'

export interface BootstrapOptions {
  seed: number
  /** 10,000 where undefined. */
  resamples?: number
  /** .95 where undefined. */
  confidence?: number
  /** Which values belong together (those of one photo): they are drawn together. */
  clusters?: readonly (number | string)[]
}

export interface Interval {
  mean: number
  low: number
  high: number
}

/**
 * The mean and its percentile bootstrap interval (Efron & Tibshirani, 1993, chapter 13). Which images are drawn depends on the seed
 * and on how many there are alone: columns of one length, one value per image, are resampled together (paired). NaN marks a missing
 * value: it keeps its place and counts nowhere.
 * @returns NaN everywhere where there is no finite value
 */
export function bootstrapMean(values: readonly number[], { seed, resamples = 10_000, confidence = 0.95, clusters }: BootstrapOptions): Interval {
  const groups = gather(values, clusters)
  const sums = Float64Array.from(groups, ({ sum }) => sum)
  const counts = Float64Array.from(groups, ({ count }) => count)
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return { mean: NaN, low: NaN, high: NaN }
  const random = createRandom(seed, 'bootstrap', groups.length)
  const means = new Float64Array(resamples)
  let found = 0
  for (let r = 0; r < resamples; r++) {
    let sum = 0
    let count = 0
    for (let i = 0; i < groups.length; i++) {
      const k = random.below(groups.length)
      sum += sums[k]!
      count += counts[k]!
    }
    if (count > 0) means[found++] = sum / count
  }
  const sorted = means.subarray(0, found).sort()
  const tail = (1 - confidence) / 2
  return { mean: sums.reduce((sum, value) => sum + value, 0) / total, low: quantile(sorted, tail), high: quantile(sorted, 1 - tail) }
}

/** Linear interpolation between order statistics. @param sorted ascending */
export function quantile(sorted: ArrayLike<number>, fraction: number): number {
  const at = (sorted.length - 1) * fraction
  const below = sorted[Math.floor(at)]!
  const above = sorted[Math.ceil(at)]!
  return below + (above - below) * (at - Math.floor(at))
}

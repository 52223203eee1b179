import { createRandom } from '../random/random.ts'
import { gather } from './clusters.ts'

export interface SignFlipOptions {
  seed: number
  /** 10,000 where undefined. Where there are no more sign patterns than this, all of them are counted and p is exact. */
  permutations?: number
  /** Of the mean difference; both sides where undefined. */
  alternative?: 'two-sided' | 'greater'
  /** Which differences belong together (those of one photo): they are flipped together. */
  clusters?: readonly (number | string)[]
}

/**
 * Paired permutation test on the mean: how often the mean difference is at least as large when each pair's sign is drawn anew.
 * @param differences one per image; NaN marks a pair of which one is missing, which is left out
 * @returns p in (0, 1], (1 + as large) / (1 + drawn) where signs are drawn; NaN without a pair
 */
export function signFlipTest(differences: readonly number[], { seed, permutations = 10_000, alternative = 'two-sided', clusters }: SignFlipOptions): number {
  const sums = Float64Array.from(gather(differences, clusters).filter(({ count }) => count > 0), ({ sum }) => sum)
  const n = sums.length
  if (n === 0) return NaN
  const size = (sum: number): number => (alternative === 'two-sided' ? Math.abs(sum) : sum)
  const scale = sums.reduce((sum, value) => sum + Math.abs(value), 0)
  // Sums of the same numbers in another order differ by rounding.
  const observed = size(sums.reduce((sum, value) => sum + value, 0)) - 1e-12 * scale
  if (n < 31 && 2 ** n <= permutations) return countAll(sums, (sum) => size(sum) >= observed) / 2 ** n
  const random = createRandom(seed, 'sign-flip', n)
  let as = 0
  for (let r = 0; r < permutations; r++) {
    let sum = 0
    for (let i = 0; i < n; i += 32) {
      const bits = random.uint32()
      for (let k = i; k < Math.min(n, i + 32); k++) sum += (bits >>> (k - i)) & 1 ? sums[k]! : -sums[k]!
    }
    if (size(sum) >= observed) as++
  }
  return (1 + as) / (1 + permutations)
}

function countAll(sums: Float64Array, holds: (sum: number) => boolean): number {
  let count = 0
  for (let signs = 0; signs < 2 ** sums.length; signs++) {
    let sum = 0
    for (let i = 0; i < sums.length; i++) sum += (signs >>> i) & 1 ? sums[i]! : -sums[i]!
    if (holds(sum)) count++
  }
  return count
}

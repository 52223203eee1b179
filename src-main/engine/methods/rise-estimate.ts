import type { Frame } from './masks/compose.ts'
import { createMaskSums } from './queries/mask-sums.ts'
import type { GridMasks } from './queries/masks.ts'
import type { RiseSettings } from './rise-parameters.ts'

/** The map of RISE from weighted masks, and how well it is known. */
export interface Estimate {
  add(masks: GridMasks, weights: Float32Array): void
  /** H·W */
  map(): Float32Array
  /** The standard error of the map at each pixel. */
  error(): Float32Array
  /** Pixels that no mask has shown so far; they get the mean weight of the first masks. */
  unseen(): number
}

export function createEstimate(frame: Frame, { keep, normalisation }: Pick<RiseSettings, 'keep' | 'normalisation'>): Estimate {
  const sums = createMaskSums(frame)
  const { coverage, weighted, squares, weightedSquares, squaredWeights } = sums
  let count = 0
  /** Taken off every weight, so that weights that hardly differ do not drown in rounding; the mean of the first ones. */
  let centre = 0
  const divisor = (): number => (normalisation === 'expectation' ? count * keep : count)
  return {
    add(masks, weights) {
      if (count === 0) centre = weights.reduce((a, b) => a + b, 0) / weights.length
      count += masks.count
      sums.add(masks, Float64Array.from(weights, (weight) => weight - centre))
    },
    map: () => normalisation === 'per-pixel'
      ? Float32Array.from(coverage, (sum, k) => centre + (sum > 0 ? weighted[k]! / sum : 0))
      : Float32Array.from(coverage, (sum, k) => (weighted[k]! + centre * sum) / divisor()),
    error: () => Float32Array.from(coverage, (sum, k) => {
      if (normalisation === 'per-pixel') {
        // Of a ratio: the scatter of m·(w − map) around 0.
        if (sum === 0) return 0
        const ratio = weighted[k]! / sum
        return Math.sqrt(Math.max(0, squaredWeights[k]! - 2 * ratio * weightedSquares[k]! + ratio * ratio * squares[k]!)) / sum
      }
      // Of a sum of m·w.
      const total = weighted[k]! + centre * sum
      const squared = squaredWeights[k]! + 2 * centre * weightedSquares[k]! + centre * centre * squares[k]!
      return Math.sqrt(Math.max(0, (squared - (total * total) / count) * (count / Math.max(1, count - 1)))) / divisor()
    }),
    unseen: () => coverage.reduce((found, sum) => found + (sum > 0 ? 0 : 1), 0),
  }
}

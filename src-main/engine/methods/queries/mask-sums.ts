import type { Frame } from '../masks/compose.ts'
import { enlargedBytes, enlargerOn, type GridMasks } from './masks.ts'
import { createDesk, type Desk } from './simd/kernels.ts'

/** What weights w of masks m add up to at each pixel, H·W each, in float64. */
export interface MaskSums {
  add(masks: GridMasks, weights: ArrayLike<number>): void
  /** Σ m */
  readonly coverage: Float64Array
  /** Σ m·w */
  readonly weighted: Float64Array
  /** Σ m² */
  readonly squares: Float64Array
  /** Σ m²·w */
  readonly weightedSquares: Float64Array
  /** Σ m²·w² */
  readonly squaredWeights: Float64Array
}

const planes = 5
/** Another memory than that of images on their way to the classifier, which must not move meanwhile. */
let desk: Desk | undefined

export function createMaskSums(frame: Frame): MaskSums {
  const size = frame.height * frame.width
  const sums = new Float64Array(planes * size)
  const plane = (k: number): Float64Array => sums.subarray(k * size, (k + 1) * size)
  return {
    coverage: plane(0), weighted: plane(1), squares: plane(2), weightedSquares: plane(3), squaredWeights: plane(4),
    add(masks, weights) {
      desk ??= createDesk()
      desk.clear(sums.byteLength + enlargedBytes(masks, frame))
      const to = desk.lay(sums)
      const enlarged = enlargerOn(desk, masks, frame)
      for (let i = 0; i < masks.count; i++) desk.kernels.gather(enlarged(i), weights[i]!, to, size)
      sums.set(desk.doubles(to, sums.length))
    },
  }
}

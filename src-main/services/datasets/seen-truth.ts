import type { View } from '#shared/domain/image.ts'
import { applySeparable, bandedMatrix, type BandedMatrix } from '#shared/imaging/banded.ts'
import type { Truth } from './item.ts'

/**
 * A truth as the classifier sees it: 1 where at least half of an input pixel's area belongs to it.
 * @returns [height·width] of the view's size; null where nothing of it is left
 */
export function seenTruth(truth: Truth, { picture, crop, size }: View): Uint8Array | null {
  if (truth.width !== picture.width || truth.height !== picture.height) {
    throw new RangeError(`A truth of ${truth.width}×${truth.height} does not fit a picture of ${picture.width}×${picture.height}.`)
  }
  const vertical = coverage(truth.height, size.height, crop.top, crop.height)
  const horizontal = coverage(truth.width, size.width, crop.left, crop.width)
  const shares = applySeparable(vertical, horizontal, Float32Array.from(truth.mask))
  // Rounding may leave an exact half a hair below it.
  const seen = Uint8Array.from(shares, (share) => (share >= 0.5 - 1e-6 ? 1 : 0))
  return seen.includes(1) ? seen : null
}

/** [to × from]: the share of each output pixel that each input pixel fills. */
function coverage(from: number, to: number, start: number, length: number): BandedMatrix {
  const span = length / to
  return bandedMatrix(from, Array.from({ length: to }, (_, i) => {
    const low = start + i * span
    const high = low + span
    const begin = Math.floor(low)
    const weights: number[] = []
    for (let k = begin; k < Math.min(from, high); k++) weights.push((Math.min(k + 1, high) - Math.max(k, low)) / span)
    return { begin, weights }
  }))
}

import { bandedMatrix, transpose, type BandedMatrix } from '#shared/imaging/banded.ts'
import { resize } from '#shared/imaging/resize.ts'
import { applyFast } from '../methods/masks/separable.ts'

interface Area {
  height: number
  width: number
}

/** Stacks of pictures from one size to another, antialiased and bilinear, and the adjoint for gradients. */
export interface Resampler {
  /** [count, from, channels] → [count, to, channels]; the very array where the sizes are the same. */
  apply(pictures: Float32Array, channels: number): Float32Array
  /** [count, to, channels] → [count, from, channels] */
  adjoint(gradient: Float32Array, channels: number): Float32Array
}

export function createResampler(from: Area, to: Area): Resampler {
  if (from.height === to.height && from.width === to.width) return { apply: (pictures) => pictures, adjoint: (gradient) => gradient }
  const vertical = resizeMatrix(from.height, to.height)
  const horizontal = resizeMatrix(from.width, to.width)
  const verticalT = transpose(vertical)
  const horizontalT = transpose(horizontal)
  return {
    apply: (pictures, channels) => planes(vertical, horizontal, pictures, channels),
    adjoint: (gradient, channels) => planes(verticalT, horizontalT, gradient, channels),
  }
}

/** [to × from]: what `resize` makes of each single pixel of a column. */
function resizeMatrix(from: number, to: number): BandedMatrix {
  const identity = new Float32Array(from * from)
  for (let i = 0; i < from; i++) identity[i * from + i] = 1
  const dense = resize({ width: from, data: identity, channels: 1 }, { left: 0, top: 0, width: from, height: from }, { width: from, height: to }, 'bilinear')
  return bandedMatrix(from, Array.from({ length: to }, (_, row) => {
    const weights = Array.from(dense.subarray(row * from, (row + 1) * from))
    const begin = Math.max(0, weights.findIndex((weight) => weight !== 0))
    return { begin, weights: weights.slice(begin, weights.findLastIndex((weight) => weight !== 0) + 1) }
  }))
}

function planes(vertical: BandedMatrix, horizontal: BandedMatrix, pictures: Float32Array, channels: number): Float32Array {
  const area = vertical.columns * horizontal.columns
  const outArea = vertical.rows * horizontal.rows
  const count = pictures.length / (area * channels)
  const out = new Float32Array(count * outArea * channels)
  const plane = new Float32Array(area)
  for (let n = 0; n < count; n++) {
    for (let c = 0; c < channels; c++) {
      for (let i = 0, at = n * area * channels + c; i < area; i++, at += channels) plane[i] = pictures[at]!
      const made = applyFast(vertical, horizontal, plane)
      for (let i = 0, at = n * outArea * channels + c; i < outArea; i++, at += channels) out[at] = made[i]!
    }
  }
  return out
}

import type { BandedMatrix } from '#shared/imaging/banded.ts'
import { begin, kernels, put, putDoubles, putIntegers, room, take, type Pointer } from './simd/kernels.ts'

/**
 * vertical · source · horizontalᵀ, as `applySeparable` of imaging/banded.ts computes it, by SIMD kernels.
 * @param source row-major, vertical.columns × horizontal.columns
 * @returns row-major, vertical.rows × horizontal.rows, a new array
 */
export function applyFast(vertical: BandedMatrix, horizontal: BandedMatrix, source: Float32Array): Float32Array {
  const out = new Float32Array(vertical.rows * horizontal.rows)
  begin()
  const from = put(source)
  const to = room(out.length)
  // Rows are the slow direction: they are taken where there are fewer of them.
  if (vertical.columns <= vertical.rows) {
    const between = room(vertical.columns * horizontal.rows)
    alongRows(horizontal, from, vertical.columns, between)
    alongColumns(vertical, between, horizontal.rows, to)
  } else {
    const between = room(vertical.rows * horizontal.columns)
    alongColumns(vertical, from, horizontal.columns, between)
    alongRows(horizontal, between, vertical.rows, to)
  }
  take(to, out)
  return out
}

function alongRows(matrix: BandedMatrix, source: Pointer, height: number, out: Pointer): void {
  const { begin, offset, weights, rows, columns } = matrix
  kernels.alongRows(putIntegers(begin), putIntegers(offset), putDoubles(weights), rows, columns, source, height, out)
}

function alongColumns(matrix: BandedMatrix, source: Pointer, width: number, out: Pointer): void {
  const { begin, offset, weights, rows } = matrix
  kernels.alongColumns(putIntegers(begin), putIntegers(offset), putDoubles(weights), rows, source, width, out)
}

/**
 * Small fixed linear maps on images, as matrices whose rows each hold one contiguous run of weights. Interpolation and
 * Gaussian smoothing are both L·M·Rᵀ with two such matrices, and their adjoints Lᵀ·G·R with the transposed ones, so a
 * gradient is pulled back exactly on every backend (the gradient kernels of TF.js resize are not exact).
 */
export interface BandedMatrix {
  rows: number
  columns: number
  /** First column of each row's run. */
  begin: Int32Array
  /** Where each row's weights start in `weights`; length rows + 1. */
  offset: Int32Array
  weights: Float64Array
}

/** A matrix from one run of weights per row. */
export function bandedMatrix(columns: number, runs: readonly { begin: number; weights: readonly number[] }[]): BandedMatrix {
  const offset = new Int32Array(runs.length + 1)
  runs.forEach((run, r) => (offset[r + 1] = offset[r]! + run.weights.length))
  const weights = new Float64Array(offset[runs.length]!)
  runs.forEach((run, r) => weights.set(run.weights, offset[r]))
  return { rows: runs.length, columns, begin: Int32Array.from(runs, (run) => run.begin), offset, weights }
}

/** The transpose; zeros inside a column's span are kept as weights. */
export function transpose(matrix: BandedMatrix): BandedMatrix {
  const first = new Int32Array(matrix.columns).fill(matrix.rows)
  const last = new Int32Array(matrix.columns).fill(-1)
  const visit = (see: (row: number, column: number, weight: number) => void): void => {
    for (let r = 0; r < matrix.rows; r++) {
      for (let k = matrix.offset[r]!; k < matrix.offset[r + 1]!; k++) {
        see(r, matrix.begin[r]! + k - matrix.offset[r]!, matrix.weights[k]!)
      }
    }
  }
  visit((r, c) => {
    first[c] = Math.min(first[c]!, r)
    last[c] = Math.max(last[c]!, r)
  })
  const runs = Array.from(first, (begin, c) => ({
    begin: last[c]! < 0 ? 0 : begin,
    weights: new Array<number>(Math.max(0, last[c]! - begin + 1)).fill(0),
  }))
  visit((r, c, weight) => {
    const run = runs[c]!
    run.weights[r - run.begin]! += weight
  })
  return bandedMatrix(matrix.rows, runs)
}

/**
 * vertical · source · horizontalᵀ.
 * @param source row-major, vertical.columns × horizontal.columns
 * @param out row-major, vertical.rows × horizontal.rows; allocated where not given, never the source itself
 */
export function applySeparable(
  vertical: BandedMatrix,
  horizontal: BandedMatrix,
  source: Float32Array,
  out = new Float32Array(vertical.rows * horizontal.rows),
): Float32Array {
  // The direction that shrinks (or grows less) goes first: fewer values in between.
  if (vertical.rows * horizontal.columns <= vertical.columns * horizontal.rows) {
    const between = new Float32Array(vertical.rows * horizontal.columns)
    alongColumns(vertical, source, horizontal.columns, between)
    alongRows(horizontal, between, vertical.rows, out)
  } else {
    const between = new Float32Array(vertical.columns * horizontal.rows)
    alongRows(horizontal, source, vertical.columns, between)
    alongColumns(vertical, between, horizontal.rows, out)
  }
  return out
}

/** out = source · matrixᵀ, row by row. */
function alongRows(matrix: BandedMatrix, source: Float32Array, height: number, out: Float32Array): void {
  const { rows, columns, begin, offset, weights } = matrix
  for (let y = 0; y < height; y++) {
    for (let r = 0; r < rows; r++) {
      const end = offset[r + 1]!
      let from = y * columns + begin[r]!
      let sum = 0
      for (let k = offset[r]!; k < end; k++) sum += weights[k]! * source[from++]!
      out[y * rows + r] = sum
    }
  }
}

/** out = matrix · source, whole rows at a time. */
function alongColumns(matrix: BandedMatrix, source: Float32Array, width: number, out: Float32Array): void {
  const { rows, begin, offset, weights } = matrix
  out.fill(0)
  for (let r = 0; r < rows; r++) {
    const end = offset[r + 1]!
    const to = r * width
    let from = begin[r]! * width
    for (let k = offset[r]!; k < end; k++) {
      const weight = weights[k]!
      if (weight !== 0) for (let x = 0; x < width; x++) out[to + x]! += weight * source[from + x]!
      from += width
    }
  }
}

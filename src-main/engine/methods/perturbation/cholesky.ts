/**
 * Symmetric positive definite systems by the factor A = L·Lᵀ. Where A is singular a little is added along the diagonal, which
 * gives nearly the solution of least norm.
 */
export interface Factor {
  solve(right: Float64Array): Float64Array
}

/** @param matrix n×n, row-major; left as it is */
export function factorise(matrix: Float64Array, n: number): Factor {
  let largest = 0
  for (let i = 0; i < n; i++) largest = Math.max(largest, matrix[i * n + i]!)
  let lower = tryCholesky(matrix, n, 0)
  for (let extra = 1e-10; lower === null; extra *= 100) lower = tryCholesky(matrix, n, largest > 0 ? extra * largest : 1)
  const factor = lower
  return {
    solve(right) {
      const x = right.slice()
      for (let i = 0; i < n; i++) {
        let sum = x[i]!
        for (let k = 0; k < i; k++) sum -= factor[i * n + k]! * x[k]!
        x[i] = sum / factor[i * n + i]!
      }
      for (let i = n - 1; i >= 0; i--) {
        let sum = x[i]!
        for (let k = i + 1; k < n; k++) sum -= factor[k * n + i]! * x[k]!
        x[i] = sum / factor[i * n + i]!
      }
      return x
    },
  }
}

/** L, or null where a pivot is lost in rounding: the column depends on those before it. */
function tryCholesky(matrix: Float64Array, n: number, extra: number): Float64Array | null {
  const lower = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * n + j]! + (i === j ? extra : 0)
      for (let k = 0; k < j; k++) sum -= lower[i * n + k]! * lower[j * n + k]!
      if (i !== j) lower[i * n + j] = sum / lower[j * n + j]!
      else if (sum <= 1e-11 * (matrix[i * n + i]! + extra)) return null
      else lower[i * n + i] = Math.sqrt(sum)
    }
  }
  return lower
}

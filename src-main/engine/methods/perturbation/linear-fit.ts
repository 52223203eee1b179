import { factorise, type Factor } from './cholesky.ts'

/** A weighted linear model y ≈ intercept + X·β. */
export interface LinearFit {
  coefficients: Float64Array
  intercept: number
  /** Weighted share of the variance that the model explains; 1 where there is none. */
  rSquared: number
  /** Square root of the weighted mean of the squared residuals. */
  error: number
}

export interface FitInput {
  /** [rows, columns] */
  x: Float32Array
  y: ArrayLike<number>
  /** One per row, 0 and up. */
  weights: ArrayLike<number>
  columns: number
}

export type Penalty = { kind: 'ridge'; strength: number } | { kind: 'lasso'; strength: number }

/**
 * Ridge: minimises Σw(y − β₀ − xβ)² + α|β|², in closed form. Lasso: Σw(y − β₀ − xβ)²/(2Σw) + α|β|₁, by coordinate descent. The
 * intercept is never penalised.
 */
export function fitLinear(input: FitInput, penalty: Penalty): LinearFit {
  const centred = centre(input)
  const { columns } = input
  const coefficients = penalty.kind === 'lasso' ? lasso(centred, columns, penalty.strength) : ridgeFactor(centred, columns, penalty.strength).solve(centred.moment)
  return judge(input, centred, coefficients)
}

/**
 * The standard error of each coefficient over draws of the rows, whatever the form of what was fitted (the sandwich
 * A⁻¹(Σw²e²xxᵀ)A⁻¹ of White, Econometrica 48, 1980, enlarged by rows/(rows − columns − 1)); null where there are too few rows.
 */
export function standardErrors(input: FitInput, fit: LinearFit, strength: number): Float64Array | null {
  const { columns, x, weights } = input
  const rows = input.y.length
  if (rows <= columns + 1) return null
  const centred = centre(input)
  const factor = ridgeFactor(centred, columns, strength)
  const middle = new Float64Array(columns * columns)
  const row = new Float64Array(columns)
  for (let i = 0; i < rows; i++) {
    let residual = input.y[i]! - fit.intercept
    for (let j = 0; j < columns; j++) {
      residual -= fit.coefficients[j]! * x[i * columns + j]!
      row[j] = x[i * columns + j]! - centred.means[j]!
    }
    addOuter(middle, row, columns, (weights[i]! * residual) ** 2)
  }
  mirror(middle, columns)
  // diag(A⁻¹·B·A⁻¹): column j of A⁻¹ on both sides.
  const unit = new Float64Array(columns)
  return Float64Array.from({ length: columns }, (_, j) => {
    unit.fill(0)
    unit[j] = 1
    const column = factor.solve(unit)
    let variance = 0
    for (let a = 0; a < columns; a++) {
      let sum = 0
      for (let b = 0; b < columns; b++) sum += middle[a * columns + b]! * column[b]!
      variance += column[a]! * sum
    }
    return Math.sqrt(Math.max(0, variance) * (rows / (rows - columns - 1)))
  })
}

interface Centred {
  means: Float64Array
  meanY: number
  total: number
  /** Σw(x − x̄)(x − x̄)ᵀ */
  gram: Float64Array
  /** Σw(x − x̄)(y − ȳ) */
  moment: Float64Array
}

function centre({ x, y, weights, columns }: FitInput): Centred {
  const rows = y.length
  const means = new Float64Array(columns)
  let total = 0
  let meanY = 0
  for (let i = 0; i < rows; i++) {
    total += weights[i]!
    meanY += weights[i]! * y[i]!
    for (let j = 0; j < columns; j++) means[j]! += weights[i]! * x[i * columns + j]!
  }
  for (let j = 0; j < columns; j++) means[j]! /= total
  meanY /= total
  const gram = new Float64Array(columns * columns)
  const moment = new Float64Array(columns)
  const row = new Float64Array(columns)
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      row[j] = x[i * columns + j]! - means[j]!
      moment[j]! += weights[i]! * row[j]! * (y[i]! - meanY)
    }
    addOuter(gram, row, columns, weights[i]!)
  }
  mirror(gram, columns)
  return { means, meanY, total, gram, moment }
}

/** The lower triangle of factor·row·rowᵀ. */
export function addOuter(matrix: Float64Array, row: Float64Array, n: number, factor: number): void {
  for (let a = 0; a < n; a++) {
    const value = factor * row[a]!
    if (value === 0) continue
    for (let b = 0; b <= a; b++) matrix[a * n + b]! += value * row[b]!
  }
}

/** The lower triangle copied to the upper one. */
export function mirror(matrix: Float64Array, n: number): void {
  for (let a = 0; a < n; a++) for (let b = 0; b < a; b++) matrix[b * n + a] = matrix[a * n + b]!
}

function ridgeFactor({ gram }: Centred, columns: number, strength: number): Factor {
  const matrix = gram.slice()
  for (let j = 0; j < columns; j++) matrix[j * columns + j]! += strength
  return factorise(matrix, columns)
}

function lasso({ gram, moment, total }: Centred, columns: number, strength: number): Float64Array {
  const beta = new Float64Array(columns)
  for (let sweep = 0; sweep < 10_000; sweep++) {
    let moved = 0
    for (let j = 0; j < columns; j++) {
      const own = gram[j * columns + j]! / total
      if (own <= 0) continue
      let rest = moment[j]!
      for (let k = 0; k < columns; k++) if (k !== j) rest -= gram[j * columns + k]! * beta[k]!
      rest /= total
      const next = Math.abs(rest) <= strength ? 0 : (rest - Math.sign(rest) * strength) / own
      moved = Math.max(moved, Math.abs(next - beta[j]!))
      beta[j] = next
    }
    if (moved < 1e-10) break
  }
  return beta
}

function judge({ x, y, weights, columns }: FitInput, { means, meanY, total }: Centred, coefficients: Float64Array): LinearFit {
  let intercept = meanY
  for (let j = 0; j < columns; j++) intercept -= coefficients[j]! * means[j]!
  let left = 0
  let spread = 0
  for (let i = 0; i < y.length; i++) {
    let value = intercept
    for (let j = 0; j < columns; j++) value += coefficients[j]! * x[i * columns + j]!
    left += weights[i]! * (y[i]! - value) ** 2
    spread += weights[i]! * (y[i]! - meanY) ** 2
  }
  return { coefficients, intercept, rSquared: spread > 0 ? 1 - left / spread : 1, error: Math.sqrt(left / total) }
}

/** Rules for ∫₀¹ f(α) dα ≈ Σ weight·f(point). */
export interface Quadrature {
  points: Float64Array
  weights: Float64Array
}

/** An integral of gradients along a path, ∫₀¹ gradient dα. */
export interface Path {
  /** Where the next gradients are to be taken; empty when all are. How many there are follows from the number of steps alone. */
  next(): number[]
  /** In the order of `next`. @param slope of the score along the path */
  take(score: number, slope: number, gradient: Float32Array): void
  /** So far; changes with every gradient. */
  readonly integral: Float64Array
}

/** By a rule that is known beforehand. @param length of a gradient */
export function createRuledPath({ points, weights }: Quadrature, length: number): Path {
  const integral = new Float64Array(length)
  let asked = false
  let taken = 0
  return {
    integral,
    next() {
      if (asked) return []
      asked = true
      return [...points]
    },
    take(score, slope, gradient) {
      const weight = weights[taken++]!
      for (let i = 0; i < length; i++) integral[i]! += weight * gradient[i]!
    },
  }
}

export const quadratures = ['gauss-legendre', 'middle', 'right', 'left', 'trapezoid', 'plain-mean', 'captum-trapezoid'] as const
export type QuadratureKind = (typeof quadratures)[number]

/** @param n points, at least 2 */
export function quadrature(kind: QuadratureKind, n: number): Quadrature {
  const rule = (point: (i: number) => number, weight: (i: number) => number): Quadrature => ({
    points: Float64Array.from({ length: n }, (_, i) => point(i)), weights: Float64Array.from({ length: n }, (_, i) => weight(i)),
  })
  const isEnd = (i: number): boolean => i === 0 || i === n - 1
  const betweenEnds = (i: number): number => i / (n - 1)
  switch (kind) {
    case 'gauss-legendre':
      return gaussLegendre(n)
    case 'middle':
      return rule((i) => (i + 0.5) / n, () => 1 / n)
    case 'right':
      return rule((i) => (i + 1) / n, () => 1 / n)
    case 'left':
      return rule((i) => i / n, () => 1 / n)
    case 'trapezoid':
      return rule(betweenEnds, (i) => (isEnd(i) ? 0.5 : 1) / (n - 1))
    case 'plain-mean':
      return rule(betweenEnds, () => 1 / n)
    case 'captum-trapezoid':
      // Its weights add up to (n − 1)/n: even a linear model loses a part of its attribution.
      return rule(betweenEnds, (i) => (isEnd(i) ? 0.5 : 1) / n)
  }
}

/** The roots of the Legendre polynomial Pₙ by Newton's method from Tricomi's estimates, and their weights 2/((1 − x²)·Pₙ′²), moved to [0, 1]. */
function gaussLegendre(n: number): Quadrature {
  const points = new Float64Array(n)
  const weights = new Float64Array(n)
  for (let i = 0; i < n; i++) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5))
    let slope = 0
    for (let step = 0; step < 100; step++) {
      const { value, derivative } = legendre(n, x)
      slope = derivative
      const move = value / derivative
      x -= move
      if (Math.abs(move) < 1e-15) break
    }
    points[n - 1 - i] = (1 + x) / 2
    weights[n - 1 - i] = 1 / ((1 - x * x) * slope * slope)
  }
  return { points, weights }
}

function legendre(n: number, x: number): { value: number; derivative: number } {
  let before = 1
  let value = x
  for (let k = 2; k <= n; k++) {
    const next = ((2 * k - 1) * x * value - (k - 1) * before) / k
    before = value
    value = next
  }
  return { value, derivative: (n * (before - x * value)) / (1 - x * x) }
}

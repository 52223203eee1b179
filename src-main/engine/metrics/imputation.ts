import type { Random } from '#shared/random/random.ts'

/**
 * ROAD's noisy linear imputation (Rong et al., 2022): every removed pixel is the weighted mean of its eight neighbours,
 * 1/6 for those beside it and 1/12 for those at a corner, renormalised at the border; then N(0, .01²) is added to it. The
 * system is solved by conjugate gradients (row by row it reads Σw·x − Σw·x_neighbour = 0, which is symmetric).
 * @param image H·W·C
 * @param removed 1 where the pixel is to be imputed, H·W
 * @param random for the noise; none is added where it is absent
 * @returns a copy of the image with the removed pixels imputed; the mean colour everywhere where nothing is left
 */
export function noisyLinearImputation(
  image: Float32Array, height: number, width: number, channels: number, removed: Uint8Array, random?: Random,
): Float32Array {
  const out = image.slice()
  const unknown: number[] = []
  for (let i = 0; i < removed.length; i++) if (removed[i] === 1) unknown.push(i)
  const system = neighbourSystem(unknown, height, width)
  for (let c = 0; c < channels; c++) {
    const plane = Float64Array.from({ length: height * width }, (_, i) => image[i * channels + c]!)
    const mean = plane.reduce((sum, value) => sum + value, 0) / plane.length
    if (unknown.length === plane.length) plane.fill(mean)
    else solve(system, plane, mean)
    for (const i of unknown) out[i * channels + c] = plane[i]! + (random ? 0.01 * random.normal() : 0)
  }
  return out
}

/** The largest |x − weighted mean of its neighbours| over the removed pixels of one channel: 0 where the system is solved. */
export function imputationResidual(plane: Float64Array, height: number, width: number, removed: Uint8Array): number {
  let worst = 0
  for (let i = 0; i < removed.length; i++) {
    if (removed[i] !== 1) continue
    let sum = 0
    let weights = 0
    visitNeighbours(i, height, width, (j, weight) => {
      sum += weight * plane[j]!
      weights += weight
    })
    worst = Math.max(worst, Math.abs(plane[i]! - sum / weights))
  }
  return worst
}

interface NeighbourSystem {
  unknown: readonly number[]
  /** Eight neighbours of each unknown pixel, as positions in `unknown`; its length for those that are known or outside. */
  neighbours: Int32Array
  /** The known ones as pixel indices, −1 for the others. */
  known: Int32Array
  /** Sum of the weights of those inside. */
  diagonal: Float64Array
}

const beside = 1 / 6
const corner = 1 / 12
/** Four beside, then four at corners. */
const offsets: readonly (readonly [number, number, number])[] = [
  [0, 1, beside], [0, -1, beside], [1, 0, beside], [-1, 0, beside], [1, 1, corner], [1, -1, corner], [-1, 1, corner], [-1, -1, corner],
]

function visitNeighbours(i: number, height: number, width: number, visit: (j: number, weight: number, k: number) => void): void {
  const y = Math.floor(i / width)
  const x = i % width
  offsets.forEach(([dy, dx, weight], k) => {
    if (y + dy >= 0 && y + dy < height && x + dx >= 0 && x + dx < width) visit(i + dy * width + dx, weight, k)
  })
}

function neighbourSystem(unknown: readonly number[], height: number, width: number): NeighbourSystem {
  const positions = new Int32Array(height * width).fill(-1)
  unknown.forEach((i, n) => (positions[i] = n))
  const neighbours = new Int32Array(8 * unknown.length).fill(unknown.length)
  const known = new Int32Array(8 * unknown.length).fill(-1)
  const diagonal = new Float64Array(unknown.length)
  unknown.forEach((i, n) => {
    visitNeighbours(i, height, width, (j, weight, k) => {
      if (positions[j]! >= 0) neighbours[8 * n + k] = positions[j]!
      else known[8 * n + k] = j
      diagonal[n]! += weight
    })
  })
  return { unknown, neighbours, known, diagonal }
}

/** Conjugate gradients from the mean, in place, until the residual is below 1e-7 of values in [0, 1]. */
function solve({ unknown, neighbours, known, diagonal }: NeighbourSystem, plane: Float64Array, start: number): void {
  const n = unknown.length
  /** Σw·x − Σw·x_neighbour over unknown neighbours; `x` holds a 0 after its last value, which stands for all others. */
  function apply(x: Float64Array, out: Float64Array): void {
    for (let k = 0, e = 0; k < n; k++, e += 8) {
      const sides = x[neighbours[e]!]! + x[neighbours[e + 1]!]! + x[neighbours[e + 2]!]! + x[neighbours[e + 3]!]!
      const corners = x[neighbours[e + 4]!]! + x[neighbours[e + 5]!]! + x[neighbours[e + 6]!]! + x[neighbours[e + 7]!]!
      out[k] = diagonal[k]! * x[k]! - beside * sides - corner * corners
    }
  }
  const x = new Float64Array(n + 1).fill(start, 0, n)
  const residual = new Float64Array(n)
  const product = new Float64Array(n)
  const direction = new Float64Array(n + 1)
  apply(x, product)
  let norm = 0
  for (let k = 0; k < n; k++) {
    let wanted = 0
    for (let d = 0; d < 8; d++) {
      const j = known[8 * k + d]!
      if (j >= 0) wanted += offsets[d]![2] * plane[j]!
    }
    residual[k] = wanted - product[k]!
    direction[k] = residual[k]!
    norm += residual[k]! ** 2
  }
  for (let round = 0; round < 20 * Math.ceil(Math.sqrt(plane.length)) && norm > n * 1e-16; round++) {
    apply(direction, product)
    let curvature = 0
    for (let k = 0; k < n; k++) curvature += direction[k]! * product[k]!
    const step = norm / curvature
    let next = 0
    for (let k = 0; k < n; k++) {
      x[k]! += step * direction[k]!
      const rest = residual[k]! - step * product[k]!
      residual[k] = rest
      next += rest * rest
    }
    const keep = next / norm
    for (let k = 0; k < n; k++) direction[k] = residual[k]! + keep * direction[k]!
    norm = next
  }
  for (let k = 0; k < n; k++) plane[unknown[k]!] = x[k]!
}

import type { MapData } from '#shared/domain/image.ts'
import { applySeparable, bandedMatrix, type BandedMatrix } from '#shared/imaging/banded.ts'

/**
 * Structural similarity of two maps (Wang et al., IEEE TIP 2004, equation 13), each stretched to [0, 1] by its own least and
 * greatest value: Gaussian window of 11×11 with σ 1.5, K₁ .01, K₂ .03, mean over the places where the window fits. The window is part
 * of the definition and does not scale with the image; where the map is smaller, it is cut to the largest odd size that fits.
 * @returns in [−1, 1]; a constant map counts as all zeros
 */
export function structuralSimilarity(a: MapData, b: MapData): number {
  const { height, width } = a
  if (b.height !== height || b.width !== width) throw new RangeError(`Maps of ${height}×${width} and ${b.height}×${b.width} do not fit.`)
  const radius = Math.min(5, Math.floor((Math.min(height, width) - 1) / 2))
  const vertical = windowMatrix(height, radius)
  const horizontal = windowMatrix(width, radius)
  const mean = (plane: Float32Array): Float32Array => applySeparable(vertical, horizontal, plane)
  const [x, y] = [stretched(a.data), stretched(b.data)]
  const [mx, my] = [mean(x), mean(y)]
  const [xx, yy, xy] = [mean(x.map((v) => v * v)), mean(y.map((v) => v * v)), mean(x.map((v, i) => v * y[i]!))]
  let sum = 0
  for (let i = 0; i < mx.length; i++) {
    const [p, q] = [mx[i]!, my[i]!]
    const varianceX = Math.max(0, xx[i]! - p * p)
    const varianceY = Math.max(0, yy[i]! - q * q)
    const covariance = xy[i]! - p * q
    sum += ((2 * p * q + c1) * (2 * covariance + c2)) / ((p * p + q * q + c1) * (varianceX + varianceY + c2))
  }
  return sum / mx.length
}

/** (K·L)² for values in [0, 1]. */
const c1 = 0.01 ** 2
const c2 = 0.03 ** 2

/** [size − 2·radius × size] */
function windowMatrix(size: number, radius: number): BandedMatrix {
  const raw = Array.from({ length: 2 * radius + 1 }, (_, k) => Math.exp(-((k - radius) ** 2) / (2 * 1.5 ** 2)))
  const sum = raw.reduce((total, weight) => total + weight, 0)
  const weights = raw.map((weight) => weight / sum)
  return bandedMatrix(size, Array.from({ length: size - 2 * radius }, (_, begin) => ({ begin, weights })))
}

function stretched(values: Float32Array): Float32Array {
  let least = Infinity
  let most = -Infinity
  for (const value of values) {
    if (value < least) least = value
    if (value > most) most = value
  }
  return values.map((value) => (most > least ? (value - least) / (most - least) : 0))
}

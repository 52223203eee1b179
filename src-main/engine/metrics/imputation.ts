import type { Random } from '#shared/random/random.ts'
import { createSystem, solve, type System } from './imputation-system.ts'

/**
 * ROAD's noisy linear imputation (Rong et al., 2022): every removed pixel is the weighted mean of its eight neighbours,
 * 1/6 for those beside it and 1/12 for those at a corner, renormalised at the border; then N(0, .01²) is added to it.
 * @param image H·W·C
 * @param removed 1 where the pixel is to be imputed, H·W
 * @param random for the noise; none is added where it is absent
 * @param tolerance the root mean square by which a pixel may miss the mean of its neighbours; a thousandth of the noise is enough with it
 * @returns a copy of the image with the removed pixels imputed; the mean colour everywhere where nothing is left
 */
export function noisyLinearImputation(
  image: Float32Array, height: number, width: number, channels: number, removed: Uint8Array, random?: Random, tolerance = random ? 1e-5 : 1e-8,
): Float32Array {
  return withImputation(image, channels, linearImputation(image, height, width, channels, removed, tolerance), random)
}

/** What stands where pixels were removed, before the noise. */
export interface Imputation {
  /** The removed pixels, ascending. */
  places: Uint32Array
  /** One for each of them, channel after channel. */
  values: Float64Array
}

/** The means alone, see `noisyLinearImputation`. */
export function linearImputation(image: Float32Array, height: number, width: number, channels: number, removed: Uint8Array, tolerance: number): Imputation {
  const places = Uint32Array.from(removed.keys()).filter((i) => removed[i] === 1)
  const values = new Float64Array(places.length * channels)
  const system: System | null = places.length === 0 || places.length === removed.length ? null : createSystem(removed, height, width)
  for (let c = 0; c < (places.length === 0 ? 0 : channels); c++) {
    const plane = Float64Array.from({ length: height * width }, (_, i) => image[i * channels + c]!)
    if (system) solve(system, plane, tolerance)
    else plane.fill(plane.reduce((sum, value) => sum + value, 0) / plane.length)
    places.forEach((i, k) => (values[c * places.length + k] = plane[i]!))
  }
  return { places, values }
}

/** A copy of the image with the imputation, and with noise where `random` is given. */
export function withImputation(image: Float32Array, channels: number, { places, values }: Imputation, random?: Random): Float32Array {
  const out = image.slice()
  for (let c = 0, at = 0; c < channels; c++) {
    for (const i of places) out[i * channels + c] = values[at++]! + (random ? 0.01 * random.normal() : 0)
  }
  return out
}

/** The largest |x − weighted mean of its neighbours| over the removed pixels of one channel: 0 where the system is solved. */
export function imputationResidual(plane: Float64Array, height: number, width: number, removed: Uint8Array): number {
  let worst = 0
  for (let i = 0; i < removed.length; i++) {
    if (removed[i] !== 1) continue
    const [y, x] = [Math.floor(i / width), i % width]
    let sum = 0
    let weights = 0
    for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
      for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
        const weight = v === y && u === x ? 0 : v === y || u === x ? 1 / 6 : 1 / 12
        sum += weight * plane[v * width + u]!
        weights += weight
      }
    }
    worst = Math.max(worst, Math.abs(plane[i]! - sum / weights))
  }
  return worst
}

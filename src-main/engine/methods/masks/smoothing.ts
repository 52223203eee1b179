import { bandedMatrix, transpose, type BandedMatrix } from '#shared/imaging/banded.ts'
import { applyFast } from './separable.ts'

/** Gaussian smoothing of a map, G∗w, and its adjoint; both return a new array. */
export interface Smoothing {
  apply(map: Float32Array): Float32Array
  adjoint(gradient: Float32Array): Float32Array
}

/**
 * The Gaussian is cut at 3σ and renormalised at the border, so a constant map stays constant and nothing leaks in from
 * outside.
 * @param sigma in cells; 0 leaves maps as they are
 */
export function createSmoothing(height: number, width: number, sigma: number): Smoothing {
  if (sigma <= 0) return { apply: (map) => map.slice(), adjoint: (gradient) => gradient.slice() }
  const vertical = gaussianMatrix(height, sigma)
  const horizontal = width === height ? vertical : gaussianMatrix(width, sigma)
  const verticalT = transpose(vertical)
  const horizontalT = horizontal === vertical ? verticalT : transpose(horizontal)
  return {
    apply: (map) => applyFast(vertical, horizontal, map),
    adjoint: (gradient) => applyFast(verticalT, horizontalT, gradient),
  }
}

function gaussianMatrix(size: number, sigma: number): BandedMatrix {
  const radius = Math.ceil(3 * sigma)
  const runs = Array.from({ length: size }, (_, i) => {
    const begin = Math.max(0, i - radius)
    const end = Math.min(size, i + radius + 1)
    const raw = Array.from({ length: end - begin }, (_, k) => Math.exp(-((begin + k - i) ** 2) / (2 * sigma * sigma)))
    const sum = raw.reduce((a, b) => a + b, 0)
    return { begin, weights: raw.map((weight) => weight / sum) }
  })
  return bandedMatrix(size, runs)
}

import { upsample, upsampleAdjoint } from '#shared/imaging/interpolation.ts'
import { createSmoothing } from './smoothing.ts'

/** From the free parameters w to the mask over the image: v = G∗w, m = U·σ(v/T)·Uᵀ; and its gradient. */
export interface Parametrisation {
  /** Size of w. */
  height: number
  width: number
  /** G∗w; w itself where nothing is smoothed. */
  smooth(w: Float32Array): Float32Array
  /** σ(v/T) at w's size. */
  squash(v: Float32Array): Float32Array
  /** The mask at the image's size; the same array where the sizes agree. */
  enlarge(own: Float32Array): Float32Array
  /**
   * @param own σ(v/T)
   * @param maskGradient with respect to the enlarged mask
   * @param vGradient with respect to v, of everything that acts on v directly; overwritten
   * @returns the gradient with respect to w
   */
  pullBack(own: Float32Array, maskGradient: Float32Array, vGradient: Float32Array): Float32Array
}

/**
 * @param resolution cells along the shorter side; 0, or as many as there are pixels, means one per pixel
 * @param smoothing σ of G in cells
 */
export function createParametrisation(
  image: { height: number; width: number }, resolution: number, smoothing: number, temperature: number,
): Parametrisation {
  const shorter = Math.min(image.height, image.width)
  const full = resolution === 0 || resolution >= shorter
  const height = full ? image.height : Math.round((image.height * resolution) / shorter)
  const width = full ? image.width : Math.round((image.width * resolution) / shorter)
  const steepness = -1 / temperature
  const gaussian = createSmoothing(height, width, smoothing)
  return {
    height,
    width,
    smooth: (w) => gaussian.apply(w),
    squash(v) {
      const own = new Float32Array(v.length)
      for (let i = 0; i < v.length; i++) own[i] = 1 / (1 + Math.exp(v[i]! * steepness))
      return own
    },
    enlarge: (own) => (full ? own : upsample({ height, width, data: own }, image.height, image.width).data),
    pullBack(own, maskGradient, vGradient) {
      const small = full
        ? maskGradient
        : upsampleAdjoint({ height: image.height, width: image.width, data: maskGradient }, height, width).data
      for (let i = 0; i < own.length; i++) vGradient[i]! += (small[i]! * own[i]! * (1 - own[i]!)) / temperature
      return gaussian.adjoint(vGradient)
    },
  }
}

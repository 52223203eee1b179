import { transpose } from '#shared/imaging/banded.ts'
import { interpolationMatrix } from '#shared/imaging/interpolation.ts'
import { applyFast } from './separable.ts'
import { begin, kernels, put, room, take } from './simd/kernels.ts'
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
  /** The adjoint of `enlarge`: from the gradient with respect to the enlarged mask to that with respect to σ(v/T). */
  shrink(maskGradient: Float32Array): Float32Array
  /**
   * @param own σ(v/T)
   * @param ownGradient with respect to it
   * @param vGradient with respect to v, of everything that acts on v directly; overwritten
   * @returns the gradient with respect to w
   */
  pullBack(own: Float32Array, ownGradient: Float32Array, vGradient: Float32Array): Float32Array
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
  const up = full ? null : { vertical: interpolationMatrix(height, image.height), horizontal: interpolationMatrix(width, image.width) }
  const down = up && { vertical: transpose(up.vertical), horizontal: transpose(up.horizontal) }
  const gaussian = createSmoothing(height, width, smoothing)
  return {
    height,
    width,
    smooth: (w) => gaussian.apply(w),
    squash(v) {
      const own = new Float32Array(v.length)
      begin()
      const to = room(v.length)
      kernels.sigmoid(put(v), to, v.length, steepness)
      take(to, own)
      return own
    },
    enlarge: (own) => (up ? applyFast(up.vertical, up.horizontal, own) : own),
    shrink: (maskGradient) => (down ? applyFast(down.vertical, down.horizontal, maskGradient) : maskGradient),
    pullBack(own, ownGradient, vGradient) {
      begin()
      const to = put(vGradient)
      kernels.sigmoidPullBack(put(own), put(ownGradient), to, own.length, 1 / temperature)
      take(to, vGradient)
      return gaussian.adjoint(vGradient)
    },
  }
}

import type { Frame } from '../masks/compose.ts'
import { createSmoothing } from '../masks/smoothing.ts'

/**
 * An image between the image itself (mask 1) and its strongest blur (mask 0), through ever less blurred copies: at mask m the
 * value lies on the straight line between the two levels next to m·(levels − 1).
 */
export interface Pyramid {
  /** @param mask H·W in [0, 1] @param out H·W·C */
  compose(mask: Float32Array, out: Float32Array): void
  /** Adds factor × the gradient with respect to the mask, from the one with respect to the composed image. */
  pullBack(mask: Float32Array, gradient: Float32Array, factor: number, maskGradient: Float32Array): void
  /** What stands where the mask is 0. */
  darkest: Float32Array
}

/** Copies blurred by σ·(1 − k/(levels − 1)) pixels. */
export function blurPyramid(frame: Frame, image: Float32Array, levels: number, sigma: number): Pyramid {
  return createPyramid(frame, Array.from({ length: levels }, (_, k) => blurred(frame, image, sigma * (1 - k / (levels - 1)))))
}

/** From another picture straight to the image. */
export function fillPyramid(frame: Frame, image: Float32Array, fill: Float32Array): Pyramid {
  return createPyramid(frame, [fill, image])
}

function createPyramid({ channels }: Frame, copies: readonly Float32Array[]): Pyramid {
  const steps = copies.length - 1
  return {
    darkest: copies[0]!,
    compose(mask, out) {
      for (let i = 0; i < mask.length; i++) {
        const level = mask[i]! * steps
        const below = Math.min(steps - 1, Math.floor(level))
        const part = level - below
        const [low, high] = [copies[below]!, copies[below + 1]!]
        for (let c = i * channels; c < (i + 1) * channels; c++) out[c] = low[c]! + part * (high[c]! - low[c]!)
      }
    },
    pullBack(mask, gradient, factor, maskGradient) {
      for (let i = 0; i < mask.length; i++) {
        const below = Math.min(steps - 1, Math.floor(mask[i]! * steps))
        const [low, high] = [copies[below]!, copies[below + 1]!]
        let sum = 0
        for (let c = i * channels; c < (i + 1) * channels; c++) sum += gradient[c]! * (high[c]! - low[c]!)
        maskGradient[i]! += factor * steps * sum
      }
    },
  }
}

function blurred({ height, width, channels }: Frame, image: Float32Array, sigma: number): Float32Array {
  if (sigma <= 0) return image.slice()
  const smoothing = createSmoothing(height, width, sigma)
  const out = new Float32Array(image.length)
  for (let c = 0; c < channels; c++) {
    const plane = smoothing.apply(Float32Array.from({ length: height * width }, (_, i) => image[i * channels + c]!))
    plane.forEach((value, i) => (out[i * channels + c] = value))
  }
  return out
}

import type { MapData } from '#shared/domain/image.ts'
import type { ParameterValues } from '#shared/domain/parameters.ts'
import { upsample } from '#shared/imaging/interpolation.ts'
import { createSmoothing } from '../masks/smoothing.ts'
import { numberOf } from './parameters.ts'

interface Size {
  height: number
  width: number
}

/** The parameter `map-blur` in pixels of this image: it is stated for a shorter side of 64. */
export function mapBlurOf(values: ParameterValues, { height, width }: Size): number {
  return (numberOf(values, 'map-blur') * Math.min(height, width)) / 64
}

/**
 * A map at its own resolution and at the image's. A blur is of the image's pixels, so a blurred map has the image's resolution as its own,
 * and so has one that is enlarged in its own way: what is shown and stored is what is judged.
 * @param map at the method's resolution
 * @param blur σ in pixels of the image; 0: none
 * @param enlarged where the method enlarges its maps otherwise than by exact interpolation
 */
export function finishMap(map: MapData, { height, width }: Size, blur: number, enlarged?: MapData): { own: MapData; saliency: MapData } {
  const saliency = enlarged ?? upsample(map, height, width)
  if (blur <= 0) return { own: enlarged ?? map, saliency }
  const blurred = { height, width, data: createSmoothing(height, width, blur).apply(saliency.data) }
  return { own: blurred, saliency: blurred }
}

/** The one value of a map that is the same everywhere, to what float32 can tell; null where it varies. */
export function constantValue(values: Float32Array): number | null {
  let low = Infinity
  let high = -Infinity
  for (const value of values) {
    if (value < low) low = value
    if (value > high) high = value
  }
  return high - low <= 1e-7 * Math.max(Math.abs(low), Math.abs(high)) ? high : null
}

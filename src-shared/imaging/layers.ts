import type { MapData } from '../domain/image.ts'
import type { Colormap } from './colormap.ts'
import { colourIndex } from './colormap.ts'
import { normalise, strength, type Limits } from './normalisation.ts'
import { opacityPower } from './overlay.ts'

/**
 * Layers for a screen that composes by itself: 8-bit RGBA, row-major, alpha not multiplied in. Drawn over each other
 * they give what `composeOverlay` writes into one picture for print.
 */
export type Layer = Uint8ClampedArray<ArrayBuffer>

/** One opaque pixel per map value. */
export function mapLayer(map: MapData, limits: Limits, scale: Colormap): Layer {
  const out = new Uint8ClampedArray(map.data.length * 4)
  for (let i = 0; i < map.data.length; i++) {
    const entry = colourIndex(normalise(map.data[i]!, limits)) * 3
    out[i * 4] = scale.table[entry]!
    out[i * 4 + 1] = scale.table[entry + 1]!
    out[i * 4 + 2] = scale.table[entry + 2]!
    out[i * 4 + 3] = 255
  }
  return out
}

const alphaSteps = 1024

/**
 * Colour by value and opacity by value.
 * @param opacity of the strongest value, 0 to 1
 * @param threshold values whose strength lies below it add nothing, 0 to 1
 */
export function overlayLayer(map: MapData, limits: Limits, scale: Colormap, opacity: number, threshold: number): Layer {
  const out = mapLayer(map, limits, scale)
  // A power for each pixel of a large mask would take most of a frame's time.
  const alphas = Uint8ClampedArray.from({ length: alphaSteps + 1 }, (_, i) => (i / alphaSteps) ** opacityPower * opacity * 255)
  for (let i = 0; i < map.data.length; i++) {
    const share = strength(map.data[i]!, limits)
    out[i * 4 + 3] = share < threshold ? 0 : alphas[Math.round(share * alphaSteps)]!
  }
  return out
}

/** How much white lies over the picture below an overlay, as in print. */
const lighten = 0.15

/** Takes the colour out of RGBA pixels in place and lightens them: what an overlay lies on. */
export function quieten(pixels: Layer): void {
  for (let at = 0; at < pixels.length; at += 4) {
    const grey = lumaOf(pixels, at)
    const quiet = Math.round(grey + (255 - grey) * lighten)
    pixels[at] = quiet
    pixels[at + 1] = quiet
    pixels[at + 2] = quiet
  }
}

/** 8-bit RGB, row-major. */
export interface Pixels {
  width: number
  height: number
  data: Uint8Array
}

/** mask · seen + (1 − mask) · fill, opaque. All of one size. */
export function maskedWithFill(mask: Float32Array, seen: Pixels, fill: Pixels): Layer {
  const out = new Uint8ClampedArray(mask.length * 4)
  for (let i = 0, from = 0, to = 0; i < mask.length; i++, from += 3, to += 4) {
    const m = mask[i]!
    for (let c = 0; c < 3; c++) out[to + c] = m * seen.data[from + c]! + (1 - m) * fill.data[from + c]!
    out[to + 3] = 255
  }
  return out
}

/** What the mask keeps is opaque, what it removes transparent: for a checkerboard below. */
export function maskedCutOut(mask: Float32Array, seen: Pixels): Layer {
  const out = new Uint8ClampedArray(mask.length * 4)
  for (let i = 0, from = 0, to = 0; i < mask.length; i++, from += 3, to += 4) {
    for (let c = 0; c < 3; c++) out[to + c] = seen.data[from + c]!
    out[to + 3] = mask[i]! * 255
  }
  return out
}

/** Of the contrast of what is removed, so much stays. */
const dimmedContrast = 0.3

/** What is removed stays as faint grey around the middle, so that one sees where it was. */
export function maskedDimmed(mask: Float32Array, seen: Pixels): Layer {
  const out = new Uint8ClampedArray(mask.length * 4)
  for (let i = 0, from = 0, to = 0; i < mask.length; i++, from += 3, to += 4) {
    const m = mask[i]!
    const dimmed = 128 + (lumaOf(seen.data, from) - 128) * dimmedContrast
    for (let c = 0; c < 3; c++) out[to + c] = m * seen.data[from + c]! + (1 - m) * dimmed
    out[to + 3] = 255
  }
  return out
}

/** Rec. 709 weights on the encoded values, as image editors do. */
function lumaOf(data: Uint8Array | Uint8ClampedArray, at: number): number {
  return 0.2126 * data[at]! + 0.7152 * data[at + 1]! + 0.0722 * data[at + 2]!
}

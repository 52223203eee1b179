import type { MapData, Picture, View } from '../domain/image.ts'
import { colourIndex, type Colormap } from './colormap.ts'
import { normalise, strength, type Limits } from './normalisation.ts'

/** A rectangle in pixels of a shown picture; edges need not be whole. */
export interface Box {
  left: number
  top: number
  width: number
  height: number
}

/** The crop in pixels of a shown picture, which may be smaller than the original. */
export function cropBox(view: View, shown: { width: number; height: number }): Box {
  const sx = shown.width / view.picture.width
  const sy = shown.height / view.picture.height
  const { left, top, width, height } = view.crop
  return { left: left * sx, top: top * sy, width: width * sx, height: height * sy }
}

/** True where the classifier saw the whole picture. */
export function seesAll(view: View): boolean {
  const { crop, picture } = view
  return crop.left === 0 && crop.top === 0 && crop.width === picture.width && crop.height === picture.height
}

/** One pixel per map value: the mask as it is, at its own resolution. */
export function colourMap(map: MapData, limits: Limits, scale: Colormap): Picture {
  const data = new Uint8Array(map.width * map.height * 3)
  for (let i = 0; i < map.data.length; i++) {
    const entry = colourIndex(normalise(map.data[i] as number, limits)) * 3
    for (let c = 0; c < 3; c++) data[i * 3 + c] = scale.table[entry + c] as number
  }
  return { width: map.width, height: map.height, data }
}

export interface OverlayOptions {
  view: View
  limits: Limits
  colormap: Colormap
  /** How much of the picture's colour goes, 0 to 1. */
  desaturation?: number
  /** How much white covers what the classifier saw, 0 to 1: colours need light paper. */
  lighten?: number
  /** How much white covers what the classifier did not see, 0 to 1. */
  fade?: number
}

/** Opacity is the value's strength to this power: weak parts stay visible, none adds nothing. */
export const opacityPower = 0.7

/**
 * The map over the desaturated picture, composed into plain RGB: colour by value, opacity by value, so that nothing is
 * added where the map is zero. Each picture pixel takes the map value under its centre (nearest neighbour: a coarse
 * mask stays visibly coarse). Pictures with fewer pixels than the map are enlarged by a whole number first.
 */
export function composeOverlay(picture: Picture, map: MapData, options: OverlayOptions): Picture {
  const { view, limits, colormap: scale, desaturation = 1, lighten = 0.15, fade = 0.65 } = options
  const seen = cropBox(view, picture)
  const wanted = Math.ceil(Math.max(map.width / seen.width, map.height / seen.height))
  const room = Math.floor(4096 / Math.max(picture.width, picture.height))
  const base = enlargePicture(picture, Math.max(1, Math.min(wanted, room)))
  const box = cropBox(view, base)
  const opacities = cellOpacities(map, limits)
  const entries = Uint16Array.from(map.data, (value) => colourIndex(normalise(value, limits)) * 3)
  const columns = cellsAlong(base.width, box.left, box.width, map.width)
  const rows = cellsAlong(base.height, box.top, box.height, map.height)
  const data = new Uint8Array(base.data.length)
  for (let y = 0, at = 0; y < base.height; y++) {
    for (let x = 0; x < base.width; x++, at += 3) {
      const inside = rows[y] !== -1 && columns[x] !== -1
      const cell = (rows[y] as number) * map.width + (columns[x] as number)
      const opacity = inside ? (opacities[cell] as number) : 0
      const entry = inside ? (entries[cell] as number) : 0
      const white = inside ? lighten : fade
      const grey = luma(base.data, at)
      for (let c = 0; c < 3; c++) {
        const own = base.data[at + c] as number
        const quiet = own + (grey - own) * desaturation
        const under = quiet + (255 - quiet) * white
        data[at + c] = Math.round(under + ((scale.table[entry + c] as number) - under) * opacity)
      }
    }
  }
  return { width: base.width, height: base.height, data }
}

/** 0 where the map adds nothing, 1 at its limit. */
function cellOpacities(map: MapData, limits: Limits): Float32Array {
  return map.data.map((value) => strength(value, limits) ** opacityPower)
}

/** For each of `count` pixels the map cell under its centre, or -1 outside the crop. */
function cellsAlong(count: number, start: number, length: number, cells: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => {
    const cell = Math.floor(((i + 0.5 - start) / length) * cells)
    return cell >= 0 && cell < cells ? cell : -1
  })
}

/** Every pixel repeated `across` times to the right and `down` times downwards. */
export function enlargePicture(picture: Picture, across: number, down = across): Picture {
  if (across === 1 && down === 1) return picture
  const { width, height } = picture
  const data = new Uint8Array(width * height * across * down * 3)
  const rowBytes = width * across * 3
  for (let y = 0; y < height; y++) {
    const start = y * down * rowBytes
    for (let x = 0; x < width * across; x++) {
      const from = (y * width + Math.floor(x / across)) * 3
      for (let c = 0; c < 3; c++) data[start + x * 3 + c] = picture.data[from + c] as number
    }
    for (let repeat = 1; repeat < down; repeat++) data.copyWithin(start + repeat * rowBytes, start, start + rowBytes)
  }
  return { width: width * across, height: height * down, data }
}

/** Rec. 709 weights on the encoded values, as image editors do. */
function luma(data: Uint8Array, at: number): number {
  return 0.2126 * (data[at] as number) + 0.7152 * (data[at + 1] as number) + 0.0722 * (data[at + 2] as number)
}

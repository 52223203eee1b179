import type { MapData, View } from '../domain/image.ts'
import { applySeparable, bandedMatrix, type BandedMatrix } from './banded.ts'

/** The longer side of a map over a picture is at most this many pixels. */
export const longestStoredSide = 2048

export interface PlacedMap {
  map: MapData
  /** Map pixels per picture pixel, at most 1. */
  scale: number
}

/**
 * Lays a map over the square that the classifier saw onto the whole picture: raw values, 0 where a pixel's centre lies
 * outside the crop. Along each axis the values between centres are interpolated linearly with half-pixel centres, as
 * `upsample` does; where several of the map's pixels fall on one, their mean by area is taken.
 * @param map any resolution; it covers the view's crop
 * @returns at the picture's size, or scaled down to `longest` on the longer side
 */
export function placeMap(map: MapData, view: View, longest: number = longestStoredSide): PlacedMap {
  const { picture, crop } = view
  const scale = Math.min(1, longest / Math.max(picture.width, picture.height))
  const height = Math.max(1, Math.round(picture.height * scale))
  const width = Math.max(1, Math.round(picture.width * scale))
  const vertical = placementMatrix(map.height, height, picture.height, crop.top, crop.height)
  const horizontal = placementMatrix(map.width, width, picture.width, crop.left, crop.width)
  return { map: { height, width, data: applySeparable(vertical, horizontal, map.data) }, scale }
}

/** [to × from]: from an axis of the map to the axis of the picture, `to` pixels over `length` of the picture's own. */
function placementMatrix(from: number, to: number, length: number, cropStart: number, cropLength: number): BandedMatrix {
  /** The map's pixels that one pixel of the result spans. */
  const span = ((length / to) * from) / cropLength
  const runs = Array.from({ length: to }, (_, i) => {
    const centre = ((i + 0.5) * length) / to - cropStart
    if (centre < 0 || centre >= cropLength) return { begin: 0, weights: [] }
    const position = (centre * from) / cropLength
    return span > 1 ? areaRun(position - span / 2, position + span / 2, from) : linearRun(position - 0.5, from)
  })
  return bandedMatrix(from, runs)
}

function linearRun(position: number, from: number): { begin: number; weights: number[] } {
  const clamped = Math.min(Math.max(position, 0), from - 1)
  const begin = Math.min(Math.floor(clamped), Math.max(0, from - 2))
  const weight = clamped - begin
  return { begin, weights: from === 1 ? [1] : [1 - weight, weight] }
}

/** The mean over [lo, hi), as far as the map reaches. */
function areaRun(lo: number, hi: number, from: number): { begin: number; weights: number[] } {
  const start = Math.max(0, lo)
  const end = Math.min(from, hi)
  const begin = Math.min(Math.floor(start), from - 1)
  const weights: number[] = []
  for (let k = begin; k < end; k++) weights.push((Math.min(k + 1, end) - Math.max(k, start)) / (end - start))
  return { begin, weights }
}

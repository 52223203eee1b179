import type { MapData, View } from '#shared/domain/image.ts'
import type { Point } from './viewport.ts'

/** The map's cell below a point of the picture, or null outside what the classifier saw. */
export function cellAt(point: Point, view: View, map: { width: number; height: number }): { column: number; row: number } | null {
  const column = Math.floor(((point.x - view.crop.left) / view.crop.width) * map.width)
  const row = Math.floor(((point.y - view.crop.top) / view.crop.height) * map.height)
  return column >= 0 && column < map.width && row >= 0 && row < map.height ? { column, row } : null
}

export function valueAt(point: Point, view: View, map: MapData): number | null {
  const cell = cellAt(point, view, map)
  return cell ? map.data[cell.row * map.width + cell.column]! : null
}

/** The share of the map's values that are higher than the one below the point, 0 to 1. */
export function rankAt(point: Point, view: View, map: MapData): number | null {
  const own = valueAt(point, view, map)
  if (own === null) return null
  let higher = 0
  for (const value of map.data) if (value > own) higher++
  return higher / map.data.length
}

/** The picture's pixel below a point, or null beside the picture. */
export function pixelAt(point: Point, picture: { width: number; height: number }): Point | null {
  const x = Math.floor(point.x)
  const y = Math.floor(point.y)
  return x >= 0 && y >= 0 && x < picture.width && y < picture.height ? { x, y } : null
}

import type { MapData } from '../domain/image.ts'

/** Points as x, y pairs in map cells: the map spans [0, width] × [0, height], cell centres lie at halves. */
export interface Contour {
  points: Float64Array
  closed: boolean
}

/**
 * The lines along which a map has the value `level`, by marching squares between cell centres; beyond the outermost
 * centres the border value continues, as in the interpolation of masks, so lines end at the map's edge. Where the two
 * high corners of a square lie across from each other, the mean of the four decides whether they join.
 */
export function contours(map: MapData, level: number): Contour[] {
  const columns = nodes(map.width)
  const rows = nodes(map.height)
  const across = columns.length
  const value = (x: number, y: number): number => map.data[source(y, map.height) * map.width + source(x, map.width)]!
  const edges = across * rows.length * 2
  /** For each crossed edge the (at most two) edges it is joined with, or -1; every edge is crossed once at most. */
  const links = new Int32Array(edges * 2).fill(-1)
  const crossings = new Float64Array(edges * 2)
  const horizontal = (x: number, y: number): number => (y * across + x) * 2
  const vertical = (x: number, y: number): number => (y * across + x) * 2 + 1

  const cross = (edge: number, x0: number, y0: number, x1: number, y1: number): void => {
    const a = value(x0, y0)
    const t = (level - a) / (value(x1, y1) - a)
    crossings[edge * 2] = columns[x0]! + (columns[x1]! - columns[x0]!) * t
    crossings[edge * 2 + 1] = rows[y0]! + (rows[y1]! - rows[y0]!) * t
  }
  const link = (from: number, to: number): void => void (links[links[from * 2] === -1 ? from * 2 : from * 2 + 1] = to)
  const join = (a: number, b: number): void => {
    link(a, b)
    link(b, a)
  }

  for (let y = 0; y + 1 < rows.length; y++) {
    for (let x = 0; x + 1 < across; x++) {
      const corners = [value(x, y), value(x + 1, y), value(x + 1, y + 1), value(x, y + 1)]
      const [nw, ne, se, sw] = corners.map((v) => v > level) as [boolean, boolean, boolean, boolean]
      const top = horizontal(x, y)
      const right = vertical(x + 1, y)
      const bottom = horizontal(x, y + 1)
      const left = vertical(x, y)
      const crossed: number[] = []
      if (nw !== ne) { crossed.push(top); cross(top, x, y, x + 1, y) }
      if (ne !== se) { crossed.push(right); cross(right, x + 1, y, x + 1, y + 1) }
      if (se !== sw) { crossed.push(bottom); cross(bottom, x, y + 1, x + 1, y + 1) }
      if (sw !== nw) { crossed.push(left); cross(left, x, y, x, y + 1) }
      if (crossed.length === 2) join(crossed[0]!, crossed[1]!)
      else if (crossed.length === 4) {
        const highMiddle = corners.reduce((sum, v) => sum + v, 0) / 4 > level
        // Lines keep to the corners that stand alone.
        if (highMiddle === nw) { join(top, right); join(bottom, left) }
        else { join(top, left); join(right, bottom) }
      }
    }
  }
  return chained(links, crossings)
}

/** Where values are taken along an axis of `count` cells: the centres, and both edges. */
function nodes(count: number): number[] {
  return [0, ...Array.from({ length: count }, (_, i) => i + 0.5), count]
}

/** The cell whose value a node has. */
function source(node: number, count: number): number {
  return Math.min(count - 1, Math.max(0, node - 1))
}

function chained(links: Int32Array, crossings: Float64Array): Contour[] {
  const found: Contour[] = []
  const edges = links.length / 2
  const seen = new Uint8Array(edges)
  const next = (edge: number): number => {
    for (let k = edge * 2; k < edge * 2 + 2; k++) if (links[k] !== -1 && !seen[links[k]!]) return links[k]!
    return -1
  }
  const add = (start: number, closed: boolean): void => {
    const points: number[] = []
    for (let at = start; at !== -1; at = next(at)) {
      seen[at] = 1
      points.push(crossings[at * 2]!, crossings[at * 2 + 1]!)
    }
    found.push({ points: Float64Array.from(points), closed })
  }
  // Lines that end at the edge of the map first, from one of their ends; rings are what is left.
  for (let edge = 0; edge < edges; edge++) if (links[edge * 2] !== -1 && links[edge * 2 + 1] === -1 && !seen[edge]) add(edge, false)
  for (let edge = 0; edge < edges; edge++) if (links[edge * 2] !== -1 && !seen[edge]) add(edge, true)
  return found
}

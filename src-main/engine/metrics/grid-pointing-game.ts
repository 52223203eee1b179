import { positiveShare } from './energy-pointing-game.ts'
import type { Metric } from './metric.ts'
import { areaOf, noParameters, objectOf } from './object.ts'

export const gridPointingGameMetric: Metric = {
  id: 'grid-pointing-game',
  title: 'Grid pointing game',
  citation: 'M. Böhle, M. Fritz, B. Schiele: Convolutional Dynamic Alignment Networks for Interpretable Classifications. CVPR 2021.',
  definition: "In a mosaic of images, the share of the map's positive part that lies in the cell of the target; 0 where nothing is positive.",
  better: 'higher',
  range: [0, 1],
  cost: 'map',
  needs: ['mosaic'],
  ...noParameters,
  async measure(task) {
    const cell = objectOf(task)
    const { height, width } = task.frame
    const cells = cellsOf(cell, height, width)
    if (cells === null) return { value: NaN, note: 'The object is no cell of a mosaic: a rectangle of the Nth part of either side.' }
    const map = task.map.saliency.data
    let mass = 0
    for (const value of map) mass += Math.max(0, value)
    const share = mass < leastMass ? 0 : positiveShare(map, cell)
    return {
      value: share, details: { chance: areaOf(cell) / cell.length, cells },
      ...(mass < leastMass ? { note: 'The map has no positive part.' } : {}),
    }
  },
}

/** Below it there is nothing to share out. */
const leastMass = 1e-7

/** How many cells a mosaic has whose cell this is; null where it is none. Sides that do not divide evenly differ by a pixel. */
function cellsOf(cell: Uint8Array, height: number, width: number): number | null {
  const on = [...cell.keys()].filter((i) => cell[i] === 1)
  if (on.length === 0) return null
  const rows = on.map((i) => Math.floor(i / width))
  const columns = on.map((i) => i % width)
  const [top, bottom] = [rows[0]!, rows.at(-1)!]
  const left = columns.reduce((a, b) => Math.min(a, b))
  const right = columns.reduce((a, b) => Math.max(a, b))
  const [down, across] = [bottom - top + 1, right - left + 1]
  if (down * across !== on.length) return null
  const [n, m] = [Math.round(height / down), Math.round(width / across)]
  return n === m && n > 1 && Math.abs(height - n * down) < n && Math.abs(width - n * across) < n ? n * n : null
}

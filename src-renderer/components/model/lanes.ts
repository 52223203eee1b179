import type { LayersReport } from '#shared/contract/models.ts'

/** One row of the graph's drawing; lanes are counted from 0 at the left. */
export interface LaneRow {
  /** Of the layer's own point. */
  lane: number
  /** Values that go past it. */
  past: readonly number[]
  /** Values that it reads: they come in from above. */
  reads: readonly number[]
  /** Something below reads it. */
  goesOn: boolean
}

/**
 * Lays the graph out as version control does its branches: a value runs down its lane from the layer that gives it to the last one
 * that reads it; a layer takes over the leftmost lane that ends with it.
 * @param layers in topological order
 */
export function layLanes(layers: LayersReport['layers']): { rows: LaneRow[]; lanes: number } {
  const at = new Map(layers.map((layer, i) => [layer.name, i]))
  const lastReader = new Map<number, number>()
  layers.forEach(({ inputs }, i) => {
    for (const input of inputs) lastReader.set(at.get(input)!, i)
  })

  /** By lane: the layer whose value runs there. */
  const running: (number | null)[] = []
  const laneOf = new Map<number, number>()
  let lanes = 0
  const rows = layers.map(({ inputs }, i): LaneRow => {
    const read = [...new Set(inputs.map((input) => at.get(input)!))]
    const reads = read.map((from) => laneOf.get(from)!).sort((a, b) => a - b)
    for (const from of read) if (lastReader.get(from) === i) running[laneOf.get(from)!] = null
    const past = running.flatMap((value, lane) => (value === null ? [] : [lane]))
    const freed = reads.find((lane) => running[lane] === null)
    const empty = running.findIndex((value) => value === null)
    const lane = freed ?? (empty === -1 ? running.length : empty)
    const goesOn = lastReader.has(i)
    running[lane] = goesOn ? i : null
    laneOf.set(i, lane)
    lanes = Math.max(lanes, lane + 1)
    return { lane, past, reads, goesOn }
  })
  return { rows, lanes }
}

/** From lane to lane, in px: less where there are many. */
export function laneStep(lanes: number, width: number): number {
  return Math.min(10, (width - 10) / Math.max(1, lanes - 1))
}

/** The lines of a row as an SVG path. @param step from lane to lane, in px @param height of the row */
export function lanePath(row: LaneRow, step: number, height: number): string {
  const x = (lane: number): number => 5.5 + lane * step
  const middle = height / 2
  const own = x(row.lane)
  const parts = row.past.map((lane) => `M${x(lane)} 0V${height}`)
  for (const lane of row.reads) {
    const from = x(lane)
    parts.push(from === own ? `M${own} 0V${middle}` : `M${from} 0C${from} ${middle * 0.8} ${own} ${middle * 0.2} ${own} ${middle}`)
  }
  if (row.goesOn) parts.push(`M${own} ${middle}V${height}`)
  return parts.join('')
}

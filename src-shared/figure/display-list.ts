import type { Picture } from '../domain/image.ts'
import type { SetLine } from './text.ts'

/**
 * A figure ready to be drawn: lengths in mm from the top left corner, y downwards; font sizes and line widths in pt.
 * Writers draw the items in order and decide nothing.
 */
export interface DisplayList {
  width: number
  height: number
  /** Plain text for readers that cannot see the figure, and for the file's metadata. */
  title: string
  description: string
  items: Item[]
}

export type Item = TextItem | PathItem | ImageItem

export interface TextItem {
  type: 'text'
  /** Start of the line; y is the base line. */
  x: number
  y: number
  /** pt */
  size: number
  colour: string
  line: SetLine
  /** Reads upwards: turned by a quarter about its start. */
  turned?: true
}

export type PathCommand = readonly ['M' | 'L', number, number] | readonly ['Z']

export interface PathItem {
  type: 'path'
  commands: PathCommand[]
  fill?: string
  stroke?: Stroke
}

export interface Stroke {
  colour: string
  /** pt */
  width: number
  /** pt, on and off in turn. */
  dash?: readonly number[]
  cap?: 'butt' | 'round'
}

export interface ImageItem {
  type: 'image'
  /** Unique in the list. */
  id: string
  x: number
  y: number
  width: number
  height: number
  picture: Picture
  /** Drawn with square pixels; otherwise viewers may smooth. */
  pixelated: boolean
}

export function polyline(points: readonly (readonly [number, number])[], stroke: Stroke): PathItem {
  return { type: 'path', commands: points.map(([x, y], i) => [i === 0 ? 'M' : 'L', x, y]), stroke }
}

export function rectangle(x: number, y: number, width: number, height: number): PathCommand[] {
  return [['M', x, y], ['L', x + width, y], ['L', x + width, y + height], ['L', x, y + height], ['Z']]
}

/** The same list at another size: everything scales, text and, unless they are to stay as they are, lines too. */
export function scaled(list: DisplayList, factor: number, strokes: 'scaled' | 'kept' = 'scaled'): DisplayList {
  if (factor === 1) return list
  const lines = strokes === 'kept' ? 1 : factor
  return { ...list, width: list.width * factor, height: list.height * factor, items: list.items.map((item) => scaledItem(item, factor, lines)) }
}

/** The same items elsewhere. */
export function moved(items: readonly Item[], dx: number, dy: number): Item[] {
  return items.map((item): Item => (item.type === 'path'
    ? { ...item, commands: item.commands.map((c): PathCommand => (c[0] === 'Z' ? c : [c[0], c[1] + dx, c[2] + dy])) }
    : { ...item, x: item.x + dx, y: item.y + dy }))
}

function scaledItem(item: Item, factor: number, lines: number): Item {
  switch (item.type) {
    case 'text': {
      const runs = item.line.runs.map((run) => ({ ...run, offset: run.offset * factor, width: run.width * factor }))
      return { ...item, x: item.x * factor, y: item.y * factor, size: item.size * factor, line: { runs, width: item.line.width * factor } }
    }
    case 'image':
      return { ...item, x: item.x * factor, y: item.y * factor, width: item.width * factor, height: item.height * factor }
    case 'path': {
      const commands = item.commands.map((c): PathCommand => (c[0] === 'Z' ? c : [c[0], c[1] * factor, c[2] * factor]))
      const { stroke } = item
      if (!stroke) return { ...item, commands }
      const dash = stroke.dash ? { dash: stroke.dash.map((d) => d * lines) } : {}
      return { ...item, commands, stroke: { ...stroke, width: stroke.width * lines, ...dash } }
    }
  }
}

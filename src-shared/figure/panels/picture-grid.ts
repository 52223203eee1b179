import { MaskscopeError } from '../../domain/errors.ts'
import type { Picture } from '../../domain/image.ts'
import { barThickness, lyingBar, lyingBarHeight, standingBar, standingBarWidth, type BarScale } from '../colour-bar.ts'
import { rectangle, type Item, type PathCommand, type Stroke } from '../display-list.ts'
import { capHeight, headAscent, placeLine, placeText } from '../set.ts'
import { hairline, mutedInk, typeSizes } from '../style.ts'
import { ellipsise, pointMm, setLine, textWidth, wrap, type SetLine, type Span } from '../text.ts'
import { drawHead, headHeight, type Area, type Panel, type PanelContext } from './panel.ts'

export interface PictureCell {
  /** null: an empty place under a head. */
  picture: Picture | null
  /** Its pixels are values: they stay square. */
  pixelated: boolean
  /** Lines over it, from 0 to 1 along both edges. */
  lines: readonly { commands: readonly PathCommand[]; stroke: Stroke }[]
  /** A hairline around it, where its edge would be lost on the paper. */
  framed: boolean
  above: string | null
  below: readonly Span[] | null
}

export interface PictureRow {
  /** Beside the row, reading upwards: the first line is a name, others stand as they are. */
  label: readonly (readonly Span[])[]
  cells: readonly (PictureCell | null)[]
  /** Of a scale that this row has to itself. */
  bar: BarScale | null
}

export interface PictureGrid {
  columns: number
  rows: readonly PictureRow[]
  /** One under all maps, or one under each column; null: none there. */
  bars: readonly (BarScale | null)[]
  /** Where the bar for all begins: the input has no scale. */
  barFrom: number
}

/** mm */
const leastCell = 5
const mostCell = 60
const mostHeight = 78
const textGap = 1.1
const rowGap = 1
/** Below this, viewers would blur a picture's own pixels: they are drawn square. */
const smoothFrom = 200

interface Shape {
  left: number
  cell: number
  rows: { above: SetLine[][]; aboveHeight: number; height: number; belowHeight: number; label: SetLine[] }[]
  barHeight: number
  height: number
}

/** Pictures in rows and columns with heads, row names and scales. */
export function pictureGridPanel(context: PanelContext, grid: PictureGrid, title: string | null): Omit<Panel, 'caption' | 'numbers'> {
  const { family } = context
  const format = { family, size: typeSizes[family].text }
  const leading = format.size * pointMm * 1.16
  const cap = capHeight(format)
  // A letter stands in the margin of the row names where there is one.
  const labelled = grid.rows.some(({ label }) => label.length > 0)
  const headed = title !== null || (context.letter !== null && !labelled)

  function shapeAt(width: number): Shape {
    let lines = Math.max(0, ...grid.rows.map(({ label }) => label.length))
    let shape = tryShape(width, lines)
    const taken = Math.max(0, ...shape.rows.map(({ label }) => label.length))
    if (taken > lines) {
      lines = taken
      shape = tryShape(width, lines)
    }
    return shape
  }

  function tryShape(width: number, labelLines: number): Shape {
    const marginOfLetter = context.letter !== null && labelled ? textWidth(`(${context.letter})`, { family, size: typeSizes[family].head }, 'bold') + 1 : 0
    const left = labelled ? Math.max(marginOfLetter, labelLines * leading + textGap) : 0
    const right = Math.max(0, ...grid.rows.map(({ bar }) => (bar ? standingBarWidth(bar, family) + 1.6 : 0)))
    const free = width - left - right - context.gutter * (grid.columns - 1)
    let cell = Math.min(free / grid.columns, mostCell)
    // No row is taller than a page can bear; all cells keep one width.
    for (const { cells } of grid.rows) cell = Math.min(cell, mostHeight / Math.max(...cells.map((one) => (one ? tallness(one) : 0)), 0.01))
    cell = Math.max(cell, Math.min(free / grid.columns, leastCell))
    if (!(cell >= leastCell)) {
      throw new MaskscopeError('usage', `Each of the ${grid.columns} pictures in a line would be ${Math.max(0, cell).toFixed(1)} mm wide, which nobody can read. Make the figure wider, or put fewer pictures in a line.`, { subject: 'width' })
    }
    const rows = grid.rows.map((row) => {
      const above = row.cells.map((one) => (one?.above ? headLines(one.above, cell) : []))
      const height = Math.max(...row.cells.map((one) => (one ? Math.min(mostHeight, cell * tallness(one)) : 0)), leastCell / 2)
      const most = Math.max(0, ...above.map((found) => found.length))
      return {
        above, height,
        aboveHeight: most === 0 ? 0 : headAscent(family) + (most - 1) * leading + textGap,
        belowHeight: row.cells.some((one) => one?.below) ? textGap + cap + 0.8 : 0,
        label: labelLinesOf(row, height),
      }
    })
    const barHeight = grid.bars.some((bar) => bar !== null) ? 1.6 + lyingBarHeight(family) : 0
    const height = (headed ? headHeight(family) - 0.4 : 0) + barHeight
      + rows.reduce((sum, row, i) => sum + row.aboveHeight + row.height + row.belowHeight + (i > 0 ? gapBefore(row) : 0), 0)
    return { left, cell, rows, barHeight, height: height + 0.3 }
  }

  function gapBefore(row: { aboveHeight: number }): number {
    return row.aboveHeight > 0 ? Math.max(context.gutter, rowGap) + 0.8 : context.gutter
  }

  /** At most two lines, the second shortened. */
  function headLines(text: string, room: number): SetLine[] {
    const found = wrap([{ text }], room, format)
    if (found.length <= 2) return found.map((line) => (line.width <= room + 1e-6 ? line : setLine([{ text: ellipsise(text, room, format) }], format)))
    const first = found[0]!.runs.map((run) => run.text).join('')
    const rest = text.slice(first.length).trimStart()
    return [found[0]!, setLine([{ text: ellipsise(rest === '' ? text : rest, room, format) }], format)]
  }

  function labelLinesOf({ label }: PictureRow, height: number): SetLine[] {
    const room = Math.max(height, leastCell)
    return label.flatMap((line, i) => {
      const plain = line.map(({ text }) => text).join('')
      if (i === 0) return headLines(plain, room)
      const set = setLine(line, format)
      return [set.width <= room ? set : setLine([{ text: ellipsise(plain, room, format) }], format)]
    })
  }

  function tallness({ picture }: PictureCell): number {
    return picture ? picture.height / picture.width : 0
  }

  return {
    grows: false,
    height: (width) => shapeAt(width).height,
    draw(area: Area): Item[] {
      const { left, cell, rows, barHeight } = shapeAt(area.width)
      const items: Item[] = headed ? drawHead(context, title ?? '', area) : []
      let y = area.y + (headed ? headHeight(family) - 0.4 : 0)
      if (!headed && context.letter !== null) {
        const head = { family, size: typeSizes[family].head }
        items.push(placeText([{ text: `(${context.letter})`, style: 'bold' }], area.x, area.y + headAscent(family), head))
        // Row names reach up beside the first picture only.
        if (rows[0]!.aboveHeight === 0) y += headHeight(family) - 0.4
      }
      const place = (column: number): number => area.x + left + column * (cell + context.gutter)
      rows.forEach((row, r) => {
        if (r > 0) y += gapBefore(row)
        const source = grid.rows[r]!
        row.above.forEach((lines, c) => lines.forEach((line, i) => {
          const baseline = y + row.aboveHeight - textGap - (lines.length - 1 - i) * leading
          items.push(placeLine(line, place(c) + cell / 2, baseline, format, { anchor: 'middle' }))
        }))
        y += row.aboveHeight
        const middle = y + row.height / 2
        row.label.forEach((line, i) => {
          const x = area.x + left - textGap - (row.label.length - 1 - i) * leading
          items.push({ ...placeLine(line, x, middle + line.width / 2, format), turned: true })
        })
        source.cells.forEach((one, c) => {
          if (one) items.push(...drawCell(one, `${context.name}-${r}-${c}`, place(c), y, cell, row.height))
        })
        if (source.bar) items.push(...standingBar(`${context.name}-bar-${r}`, source.bar, place(grid.columns - 1) + cell + 1.6, y, row.height, family))
        y += row.height
        source.cells.forEach((one, c) => {
          if (!one?.below) return
          const plain = one.below.map(({ text }) => text).join('')
          const line = setLine(one.below, format)
          const fitting = line.width <= cell ? line : setLine([{ text: ellipsise(plain, cell, format) }], format)
          items.push(placeLine(fitting, place(c) + cell / 2, y + textGap + cap, format, { anchor: 'middle', colour: mutedInk }))
        })
        y += row.belowHeight
      })
      if (barHeight > 0) items.push(...drawBars(y + 1.6, place, cell, area.x + area.width))
      return items
    },
  }

  function drawCell(one: PictureCell, id: string, x: number, y: number, cell: number, rowHeight: number): Item[] {
    const { picture } = one
    if (!picture) return []
    const high = Math.min(rowHeight, cell * tallness(one))
    const wide = high / tallness(one)
    const left = x + (cell - wide) / 2
    const top = y + (rowHeight - high) / 2
    const sharp = one.pixelated || picture.width / (wide / 25.4) < smoothFrom
    const at = ([sign, ...point]: PathCommand): PathCommand => (sign === 'Z' ? ['Z'] : [sign, left + point[0]! * wide, top + point[1]! * high])
    const inset = 0.06
    return [
      { type: 'image', id, x: left, y: top, width: wide, height: high, picture, pixelated: sharp },
      ...one.lines.map(({ commands, stroke }): Item => ({ type: 'path', commands: commands.map(at), stroke })),
      ...(one.framed ? [{ type: 'path' as const, commands: rectangle(left + inset, top + inset, wide - 2 * inset, high - 2 * inset), stroke: hairline }] : []),
    ]
  }

  function drawBars(y: number, place: (column: number) => number, cell: number, end: number): Item[] {
    if (grid.bars.length === 1) {
      const from = place(Math.min(grid.barFrom, grid.columns - 1))
      const to = place(grid.columns - 1) + cell
      // One narrow column has no room for a bar with its name: it may use the whole panel.
      const room = to - from < 30 ? { x: place(0), width: Math.max(to, Math.min(end, place(0) + 30)) - place(0) } : { x: from, width: to - from }
      return lyingBar(`${context.name}-bar`, grid.bars[0]!, room.x, y, room.width, family)
    }
    return grid.bars.flatMap((bar, c) => (bar === null ? [] : columnBar(bar, c, place(c), y, cell)))
  }

  /** As wide as its column, with both limits under its ends. */
  function columnBar({ colormap, limits }: BarScale, column: number, x: number, y: number, cell: number): Item[] {
    const tickFormat = { family, size: typeSizes[family].tick }
    const baseline = y + barThickness + 0.9 + capHeight(tickFormat)
    // Shorter than its column, so that nobody reads two neighbours' limits together.
    const inset = Math.min(1.2, cell / 8)
    const left = x + inset
    const length = cell - 2 * inset
    const low = limitText(limits.low)
    const high = limitText(limits.high)
    return [
      { type: 'image', id: `${context.name}-bar-${column}`, x: left, y, width: length, height: barThickness, picture: { width: 256, height: 1, data: colormap.table }, pixelated: true },
      placeText(low, left, baseline, tickFormat),
      ...(textWidth(low, tickFormat) + textWidth(high, tickFormat) + 1 <= length ? [placeText(high, left + length, baseline, tickFormat, { anchor: 'end' as const })] : []),
    ]
  }
}

/** A limit in few signs. */
export function limitText(value: number): string {
  if (value === 0) return '0'
  const size = Math.abs(value)
  const text = size >= 0.01 && size < 1000 ? String(Number(value.toPrecision(2))) : value.toExponential(0)
  return text.replace('-', '−').replace('e+', 'e')
}

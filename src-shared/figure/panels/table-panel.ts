import { polyline, type Item } from '../display-list.ts'
import type { FigureNumber } from '../figure-data.ts'
import { capHeight, placeText } from '../set.ts'
import { axisStroke, ink, mutedInk, typeSizes } from '../style.ts'
import type { PanelOf } from '../spec.ts'
import { ellipsise, pointMm, textWidth, wrap, type Span } from '../text.ts'
import { countText } from './grouping.ts'
import { drawHead, headHeight, sentence, type Area, type Panel, type PanelContext } from './panel.ts'
import { tableModel, type TableCell } from './table.ts'

/** mm */
const columnGap = 3
const rulePad = 1.1
/** Between the parts of a table that is wider than its place. */
const blockGap = 2.6
/** mm that a name always has, and the share of the longest that may be cut before columns go below each other. */
const leastName = 16
const shortestName = 0.75
const heavy = { ...axisStroke, width: 0.8 }

/** So many columns beside each other. */
interface Block {
  names: number
  columns: { index: number; width: number; head: ReturnType<typeof wrap> }[]
  lines: number
}

/** Methods (or runs) by metrics, with the rules that printed tables have. */
export function tablePanel(spec: PanelOf<'table'>, context: PanelContext): Panel {
  const { family, letter } = context
  const model = tableModel(spec, context)
  const format = { family, size: typeSizes[family].text }
  const leading = format.size * pointMm * 1.3
  const headed = letter !== null || spec.title !== null
  const spans = model.rows.map(({ cells }) => cells.map((cell) => cellSpans(cell)))
  const wide = (cell: readonly Span[]): number => cell.reduce((sum, { text, style }) => sum + textWidth(text, format, style), 0)
  const arrows = { higher: ' ↑', lower: ' ↓' }

  const numbers = model.columns.map((_, c) => Math.max(...spans.map((row) => wide(row[c]!))))
  const longest = Math.max(leastName, ...model.rows.map(({ label }) => textWidth(label, format)))

  /** Columns as wide as their numbers, heads broken into lines; the names take what is left. */
  function blockOf(columns: readonly number[], width: number): Block {
    const taken = columns.reduce((sum, c) => sum + numbers[c]! + columnGap, 0)
    const names = Math.min(longest, Math.max(leastName, width - taken))
    const free = Math.max(0, width - names - taken) / columns.length
    const shaped = columns.map((c) => {
      const { title, better } = model.columns[c]!
      const text = `${title}${better === null ? '' : arrows[better]}`
      const room = numbers[c]! + Math.min(free, Math.max(0, textWidth(text, format) - numbers[c]!))
      return { index: c, width: room, head: wrap([{ text }], Math.max(room, 9), format) }
    })
    return { names, columns: shaped, lines: Math.max(...shaped.map(({ head }) => head.length)) }
  }

  /** Columns that do not fit beside the others stand below them, with the names again. */
  function blocksAt(width: number): Block[] {
    const all = numbers.map((_, c) => c)
    const names = Math.min(longest * shortestName, width * 0.45)
    for (let parts = 1; parts < all.length; parts++) {
      const each = Math.ceil(all.length / parts)
      const groups = Array.from({ length: Math.ceil(all.length / each) }, (_, part) => all.slice(part * each, (part + 1) * each))
      if (groups.every((own) => own.reduce((sum, c) => sum + numbers[c]! + columnGap, names) <= width)) return groups.map((own) => blockOf(own, width))
    }
    return all.map((c) => blockOf([c], width))
  }

  const heightOf = ({ lines }: Block): number => rulePad * 5 + leading * (lines + model.rows.length) + 0.8
  const heightAt = (width: number): number => (headed ? headHeight(family) : 0) + blocksAt(width).reduce((sum, block) => sum + heightOf(block) + blockGap, -blockGap)

  function drawBlock({ names, columns, lines }: Block, x: number, top: number): Item[] {
    const items: Item[] = []
    const cap = capHeight(format)
    const total = names + columns.reduce((sum, column) => sum + column.width + columnGap, 0)
    const rule = (y: number, stroke = axisStroke): Item => polyline([[x, y], [x + total, y]], stroke)
    let y = top + 0.2
    items.push(rule(y, heavy))
    y += rulePad
    let right = x + names
    const rights = columns.map((column) => (right += columnGap + column.width))
    columns.forEach(({ head }, c) => head.forEach((line, i) => {
      const baseline = y + cap + leading * (lines - head.length + i) + 0.3
      items.push({ type: 'text', x: rights[c]! - line.width, y: baseline, size: format.size, colour: ink, line })
    }))
    y += leading * lines + rulePad
    items.push(rule(y))
    y += rulePad
    model.rows.forEach(({ label }, r) => {
      const baseline = y + leading * r + cap + 0.4
      items.push(placeText(ellipsise(label, names, format), x, baseline, format))
      columns.forEach(({ index }, c) => items.push(placeText(spans[r]![index]!, rights[c]!, baseline, format, { anchor: 'end' })))
    })
    items.push(rule(y + leading * model.rows.length + rulePad * 0.6, heavy))
    return items
  }

  function draw(area: Area): Item[] {
    const items: Item[] = headed ? drawHead(context, spec.title ?? '', area) : []
    let y = area.y + (headed ? headHeight(family) : 0)
    for (const block of blocksAt(area.width)) {
      items.push(...drawBlock(block, area.x, y))
      y += heightOf(block) + blockGap
    }
    return items
  }

  const counts = countText(model.rows.map(({ runs }) => ({ runs })))
  return {
    grows: false,
    height: heightAt,
    draw,
    caption: sentence(context, `${model.columns.map(({ title }) => title).join(', ')} of ${model.rows.length} ${model.rows.some(({ runs }) => runs.length > 1) ? 'methods' : 'runs'}, ${counts}${model.intervals ? '; means with 95% bootstrap intervals, bold where the best interval overlaps no other' : ''}; arrows point to the better end.`),
    numbers: model.rows.flatMap(({ label, runs, cells }) => cells.map((cell, c): FigureNumber => ({
      panel: context.name, run: runs.join(' '), series: label, quantity: model.columns[c]!.metric, x: null, value: finite(cell.mean), low: finite(cell.low), high: finite(cell.high),
    }))),
  }
}

function cellSpans({ mean, low, high, best }: TableCell): Span[] {
  if (!Number.isFinite(mean)) return [{ text: '–', colour: mutedInk }]
  const own: Span = { text: decimalText(mean), ...(best ? { style: 'bold' as const } : {}) }
  return Number.isFinite(low) ? [own, { text: ` [${decimalText(low)}, ${decimalText(high)}]`, colour: mutedInk }] : [own]
}

/** The same number of decimals down a column, as tables are read. */
export function decimalText(value: number): string {
  const size = Math.abs(value)
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3
  return value.toFixed(digits).replace('-', '−')
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

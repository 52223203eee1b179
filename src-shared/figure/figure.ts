import { MaskscopeError } from '../domain/errors.ts'
import { scaled, type DisplayList, type Item } from './display-list.ts'
import type { FigureFacts, FigureNumber } from './figure-data.ts'
import { curvesPanel } from './panels/curves-panel.ts'
import { lossesPanel } from './panels/losses-panel.ts'
import { evolutionPanel, gridPanel, methodsPanel } from './panels/map-panels.ts'
import type { Panel, PanelContext } from './panels/panel.ts'
import { reconstructionPanel } from './panels/reconstruction-panel.ts'
import { scatterPanel } from './panels/scatter-panel.ts'
import { tablePanel } from './panels/table-panel.ts'
import { capHeight, placeLine } from './set.ts'
import { figureWidth, type FigureSpec, type PanelPlace, type PanelSpec } from './spec.ts'
import { typeSizes } from './style.ts'
import { pointMm, wrap, type Span } from './text.ts'

/** mm between panels. */
const betweenColumns = 6
const betweenRows = 4.5
/** Wider than any page, a figure is for a screen: its type is larger where nobody says otherwise. */
const screen = { width: 220, enlarged: 1.6 }
const tallest = 2000
/** pt */
const leastType = 6

export interface LaidOutFigure {
  list: DisplayList
  caption: string
  numbers: FigureNumber[]
}

/**
 * A spec as a display list: every panel in its place, then the caption. Pure: the same spec and facts give the same list.
 * @throws MaskscopeError 'usage' naming what cannot be drawn
 */
export function layOutFigure(spec: FigureSpec, facts: FigureFacts): LaidOutFigure {
  const { font: family } = spec
  const factor = typeFactor(spec)
  const width = figureWidth(spec) / factor
  const lettered = spec.letters === 'on' || (spec.letters === 'auto' && spec.panels.length > 1)
  const panels = spec.panels.map((panel, i) => {
    const name = String.fromCharCode(97 + i)
    return panelOf(panel, { facts, family, name, letter: lettered ? name : null, gutter: spec.gutter / factor })
  })
  const { items, height } = arrange(panels, spec, width)
  const caption = captionOf(spec, panels, facts)
  let bottom = height
  if (spec.caption) {
    const format = { family, size: typeSizes[family].text }
    const leading = format.size * pointMm * 1.24
    let baseline = bottom + 3 + capHeight(format)
    for (const line of wrap(caption, width, format)) {
      items.push(placeLine(line, 0, baseline, format))
      baseline += leading
    }
    bottom = baseline - leading + format.size * pointMm * 0.25
  }
  const text = plain(caption.map((span) => span.text).join(''))
  const list: DisplayList = { width, height: Math.ceil((bottom + 0.3) * 100) / 100, title: plain(titleOf(spec, facts)), description: text, items }
  const whole = scaled(list, factor, 'kept')
  if (whole.height > tallest) {
    throw new MaskscopeError('usage', `The figure would be ${Math.round(whole.height)} mm high. Show fewer rows, or more pictures in a line.`, { subject: 'panels' })
  }
  return { list: whole, caption: text, numbers: panels.flatMap(({ numbers }) => numbers) }
}

/** How much larger everything is than at the usual size of type; lines keep their widths. */
function typeFactor(spec: FigureSpec): number {
  const usual = typeSizes[spec.font]
  if (spec.size === null) return figureWidth(spec) > screen.width ? screen.enlarged : 1
  return Math.max(spec.size / usual.text, leastType / Math.min(usual.tick, usual.text, usual.head))
}

function panelOf(panel: PanelSpec, context: PanelContext): Panel {
  switch (panel.kind) {
    case 'methods': return methodsPanel(panel, context)
    case 'grid': return gridPanel(panel, context)
    case 'evolution': return evolutionPanel(panel, context)
    case 'losses': return lossesPanel(panel, context)
    case 'curves': return curvesPanel(panel, context)
    case 'table': return tablePanel(panel, context)
    case 'scatter': return scatterPanel(panel, context)
    case 'reconstruction': return reconstructionPanel(panel, context)
  }
}

/** The grid of panels: rows as high as what stands in them, panels over several rows stretching these evenly. */
function arrange(panels: readonly Panel[], { grid }: FigureSpec, width: number): { items: Item[]; height: number } {
  const places: readonly PanelPlace[] = grid.places.length > 0 ? grid.places : panels.map((_, row) => ({ row, column: 0, rows: 1, columns: 1 }))
  const shares = grid.places.length > 0 ? grid.columns : [1]
  const sum = shares.reduce((a, b) => a + b, 0)
  const free = width - betweenColumns * (shares.length - 1)
  const lefts = shares.map((_, c) => shares.slice(0, c).reduce((x, share) => x + (free * share) / sum + betweenColumns, 0))
  const wide = ({ column, columns }: PanelPlace): number => shares.slice(column, column + columns).reduce((w, share) => w + (free * share) / sum, 0) + betweenColumns * (columns - 1)
  const needs = panels.map((panel, i) => panel.height(wide(places[i]!)))
  const heights: number[] = new Array(Math.max(...places.map(({ row, rows }) => row + rows))).fill(0)
  const bySpan = places.map((_, i) => i).sort((a, b) => places[a]!.rows - places[b]!.rows || a - b)
  for (const i of bySpan) {
    const { row, rows } = places[i]!
    const span = heights.slice(row, row + rows)
    const lacking = needs[i]! - span.reduce((a, b) => a + b, 0) - betweenRows * (rows - 1)
    if (lacking > 0) for (let r = row; r < row + rows; r++) heights[r]! += lacking / rows
  }
  const tops = heights.map((_, r) => heights.slice(0, r).reduce((y, h) => y + h + betweenRows, 0))
  const items = panels.flatMap((panel, i) => {
    const place = places[i]!
    const height = heights.slice(place.row, place.row + place.rows).reduce((a, b) => a + b, 0) + betweenRows * (place.rows - 1)
    return panel.draw({ x: lefts[place.column]!, y: tops[place.row]!, width: wide(place), height: panel.grows ? height : needs[i]! })
  })
  return { items, height: heights.reduce((a, b) => a + b, 0) + betweenRows * (heights.length - 1) }
}

function captionOf(spec: FigureSpec, panels: readonly Panel[], facts: FigureFacts): Span[] {
  const all: Span[] = [{ text: `${titleOf(spec, facts)}.`, style: 'bold' }, ...panels.flatMap(({ caption }) => caption)]
  return spec.title !== null ? all : all.slice(1).map((span, i) => (i === 0 ? { ...span, text: span.text.trimStart() } : span))
}

function titleOf({ title, panels }: FigureSpec, facts: FigureFacts): string {
  if (title !== null) return title
  const images = new Set([...facts.runs.values()].map(({ image }) => image.name))
  const methods = new Set([...facts.runs.values()].map(({ method }) => method.title))
  if (images.size === 0) return `Figure of the study ${facts.study}, ${panels.length} panel${panels.length === 1 ? '' : 's'}`
  const [image] = images
  return `${images.size === 1 ? image! : `${images.size} images`} by ${methods.size <= 3 ? [...methods].join(', ') : `${methods.size} methods`}`
}

/** For metadata: other scripts stay, control characters and those that turn the writing direction do not. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\u200b-\u200f\u202a-\u202e\u2060-\u2069]/gu, ' ').replace(/\s+/g, ' ').trim()
}

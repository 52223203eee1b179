import * as z from 'zod/mini'
import { MaskscopeError } from '../domain/errors.ts'
import { colormapIds } from '../imaging/colormap.ts'
import { normalisations } from '../imaging/normalisation.ts'
import { fontFamilies } from './faces.ts'
import { widthLimits, widthPresets } from './presets.ts'

/**
 * A figure as data: what the window's composer edits, what a study keeps in `figures/NAME.json`, and what
 * `maskscope figure STUDY --spec FILE` reads (docs/figures.md). It names runs of one study by their ids, e.g.
 * `0001-zebra-neuromask`, and never the state of a view. Everything but `panels` has a default, so that the least spec is
 *
 *     { "format": "maskscope-figure", "version": 1, "panels": [{ "kind": "methods", "runs": ["0001-zebra-neuromask"] }] }
 */
export const specFormat = 'maskscope-figure'
export const specVersion = 1

/** Of the whole figure's panels, and of the rows and columns of one. */
export const specLimits = { panels: 26, rows: 60, columns: 30, runs: 2000, text: 300, size: [6, 24], gutter: [0, 20], height: [15, 300] } as const

const text = z.string().check(z.maxLength(specLimits.text))
const runId = z.string().check(z.minLength(1), z.maxLength(128))
const runs = z.array(runId).check(z.minLength(1), z.maxLength(specLimits.runs))
const on = z._default(z.boolean(), true)
const between = ([low, high]: readonly [number, number]) => z.number().check(z.gte(low), z.lte(high))
/** null: made from the runs. */
const label = z._default(z.nullable(text), null)
/** mm of the plot itself; null: as high as its neighbours, or a usual height. */
const plotHeight = z._default(z.nullable(between(specLimits.height)), null)

/** How maps are shown, in all panels that hold pictures. */
const mapOptions = {
  /** `overlay`: over the grey input; `masked`: the input times the map; `contour`: lines at `levels` over the input. */
  show: z._default(z.enum(['overlay', 'map', 'masked', 'contour']), 'overlay'),
  /** In place of what a masked input removes: what the run itself put there (grey where its method puts nothing), or one grey, or white. */
  removed: z._default(z.enum(['fill', 'grey', 'white']), 'fill'),
  /** null: viridis, or RdBu for signed maps. */
  colormap: z._default(z.nullable(z.enum(colormapIds)), null),
  /** null: the stated limits of masks, the 99th percentile of other maps. */
  normalisation: z._default(z.nullable(z.enum(normalisations)), null),
  /** Which maps share their limits. `auto`: all of the panel where they are of one kind and have the same stated limits, else `each` has its own. */
  scale: z._default(z.enum(['auto', 'shared', 'row', 'column', 'each']), 'auto'),
  /** One bar per shared scale; where a map has a scale of its own its limits stand below it instead. */
  colourBar: on,
  /** Shares of the scale at which contours run. */
  levels: z._default(z.array(z.number().check(z.gt(0), z.lt(1))).check(z.minLength(1), z.maxLength(6)), [0.25, 0.5, 0.75]),
  /** The input as the first picture. */
  input: on,
  columnLabels: on,
  rowLabels: on,
  /** The explained class, where it tells rows or pictures apart. */
  classes: on,
  /** The class's probability on the whole image. */
  probabilities: on,
}

/** One image, one picture per run, in lines of `across` pictures. */
const methodsPanel = z.strictObject({
  kind: z.literal('methods'), title: label, ...mapOptions,
  runs: z.array(runId).check(z.minLength(1), z.maxLength(specLimits.rows)),
  /** Own words above the pictures, as many as runs; null: the method's name. */
  labels: z._default(z.array(z.nullable(text)), []),
  /** Pictures in a line, the input among them; null: as many as stay wide enough. */
  across: z._default(z.nullable(z.int().check(z.gte(1), z.lte(specLimits.columns))), null),
})

/** Images (or classes, or models) × methods. */
const gridPanel = z.strictObject({
  kind: z.literal('grid'), title: label, ...mapOptions,
  /** Own words of the head; null: made from the runs. */
  columns: z.array(z.strictObject({ label })).check(z.minLength(1), z.maxLength(specLimits.columns)),
  /** `cells`: a run's id per column; null leaves the place empty. */
  rows: z.array(z.strictObject({ label, cells: z.array(z.nullable(runId)) })).check(z.minLength(1), z.maxLength(specLimits.rows)),
})

/** One run's map on its way. */
const evolutionPanel = z.strictObject({
  kind: z.literal('evolution'), title: label, ...mapOptions,
  run: runId,
  /** The stored frame nearest to each is shown, and its own iteration is printed; empty: six over the whole course. */
  iterations: z._default(z.array(z.int().check(z.gte(0))).check(z.maxLength(64)), []),
  across: z._default(z.nullable(z.int().check(z.gte(1), z.lte(specLimits.columns))), null),
})

/** The course of one run, or of several in one plot. */
const lossesPanel = z.strictObject({
  kind: z.literal('losses'), title: label, height: plotHeight, runs,
  /**
   * `fitness`: the median of a population between its best and its worst; `convergence`: how far an estimate has settled, over the masks
   * where the run is made of masks. `auto`: of one run the first it has of fitness, convergence and terms; of several the total, else
   * what all have.
   */
  quantity: z._default(z.enum(['auto', 'terms', 'total', 'probability', 'fitness', 'convergence']), 'auto'),
})

/** A curve that a metric leaves for each run, e.g. of deletion; runs with the same label are averaged, with a 95% bootstrap band from three on. */
const curvesPanel = z.strictObject({
  kind: z.literal('curves'), title: label, height: plotHeight, runs,
  metric: z._default(z.string().check(z.maxLength(64)), 'deletion'),
})

/** Means of metrics by method, with 95% bootstrap intervals from three runs on. */
const tablePanel = z.strictObject({
  kind: z.literal('table'), title: label, runs,
  /** Ids; empty: all that were measured of every run. */
  metrics: z._default(z.array(z.string().check(z.maxLength(64))).check(z.maxLength(20)), []),
  /** `auto`: methods where one has several runs, else runs. */
  by: z._default(z.enum(['auto', 'method', 'run']), 'auto'),
})

/** Cost against quality, one marker per method. */
const scatterPanel = z.strictObject({
  kind: z.literal('scatter'), title: label, height: plotHeight, runs,
  metric: z.string().check(z.maxLength(64)),
  cost: z._default(z.enum(['evaluations', 'seconds']), 'evaluations'),
})

/** Of a trained reconstruction: one image, its salient input, and stored variations of it with their probabilities. */
const reconstructionPanel = z.strictObject({
  kind: z.literal('reconstruction'), title: label,
  /** The name of its folder below `reconstructions/`. */
  reconstruction: z.string().check(z.minLength(1), z.maxLength(128)),
  /** Name of a stored set of variations, which is of one image. */
  image: z.string().check(z.minLength(1), z.maxLength(128)),
  variations: z._default(z.int().check(z.gte(1), z.lte(64)), 8),
  across: z._default(z.nullable(z.int().check(z.gte(1), z.lte(specLimits.columns))), null),
  classes: on,
  probabilities: on,
})

export const panelSpec = z.discriminatedUnion('kind', [
  methodsPanel, gridPanel, evolutionPanel, lossesPanel, curvesPanel, tablePanel, scatterPanel, reconstructionPanel,
])
export type PanelSpec = z.infer<typeof panelSpec>
export type PanelKind = PanelSpec['kind']
export type PanelOf<K extends PanelKind> = Extract<PanelSpec, { kind: K }>
/** Of a panel that holds maps. */
export type MapOptions = Pick<PanelOf<'grid'>, keyof typeof mapOptions>

/** Where a panel stands in the grid of panels, counted from 0. */
const place = z.strictObject({
  row: z.int().check(z.gte(0), z.lt(specLimits.panels)), column: z.int().check(z.gte(0), z.lt(12)),
  rows: z._default(z.int().check(z.gte(1), z.lte(specLimits.panels)), 1), columns: z._default(z.int().check(z.gte(1), z.lte(12)), 1),
})
export type PanelPlace = z.infer<typeof place>

export const figureSpec = z.strictObject({
  format: z.literal(specFormat),
  version: z.literal(specVersion),
  /** For the file's metadata and the caption; null: made from the panels. */
  title: label,
  /** For the file's metadata. */
  author: label,
  /** The id of a place (`ieee-1`, …, src-shared/figure/presets.ts), or mm. */
  width: z._default(z.union([z.enum(widthPresets.map(({ id }) => id)), between([widthLimits.least, widthLimits.most])]), 'ieee-2'),
  font: z._default(z.enum(fontFamilies), 'arimo'),
  /** pt of labels; null: 7 to 8 by the font, more on slides. */
  size: z._default(z.nullable(between(specLimits.size)), null),
  /** mm between pictures. */
  gutter: z._default(between(specLimits.gutter), 1),
  /** (a), (b), … before the panels' titles; `auto`: where there are several panels. */
  letters: z._default(z.enum(['auto', 'on', 'off']), 'auto'),
  /** The caption under the figure; papers set their own. */
  caption: z._default(z.boolean(), false),
  panels: z.array(panelSpec).check(z.minLength(1), z.maxLength(specLimits.panels)),
  /**
   * The free grid: relative widths of its columns, and one place per panel. Empty places: the panels stand one under another.
   * Rows are as high as what stands in them; charts grow to the height of their row.
   */
  grid: z._default(z.strictObject({ columns: z.array(between([0.05, 100])).check(z.minLength(1), z.maxLength(12)), places: z.array(place) }), { columns: [1], places: [] }),
})

/** Complete: what the layout reads. */
export type FigureSpec = z.infer<typeof figureSpec>
/** As written by hand: what has a default may be left out. */
export type FigureSpecInput = z.input<typeof figureSpec>

/**
 * Completes and checks a spec.
 * @throws MaskscopeError 'usage' naming the first wrong field, e.g. `panels.0.runs`
 */
export function parseFigureSpec(value: unknown): FigureSpec {
  const result = figureSpec.safeParse(value)
  if (result.success) return checkPlaces(result.data)
  const issue = result.error.issues[0]!
  const field = issue.path.map(String).join('.') || 'figure'
  throw new MaskscopeError('usage', `The figure's field "${field}" ${wrong(issue)}. See "Specs" in docs/figures.md.`, { subject: field })
}

function wrong(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'unrecognized_keys': return `has what no figure has: ${issue.keys.join(', ')}`
    case 'invalid_value': return `must be ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`
    case 'invalid_type': return `must be of type ${issue.expected}`
    case 'too_small': return `must be at least ${issue.minimum}${counted(issue.origin)}`
    case 'too_big': return `must be at most ${issue.maximum}${counted(issue.origin)}`
    default: return 'is none of the things it can be'
  }
}

function counted(origin: string): string {
  return origin === 'array' ? ' entries long' : origin === 'string' ? ' letters long' : ''
}

function checkPlaces(spec: FigureSpec): FigureSpec {
  const { panels, grid: { columns, places } } = spec
  const refuse = (field: string, what: string): never => {
    throw new MaskscopeError('usage', `The figure's field "${field}" ${what}`, { subject: field })
  }
  panels.forEach((panel, i) => {
    if (panel.kind !== 'grid') return
    panel.rows.forEach(({ cells }, k) => {
      if (cells.length !== panel.columns.length) refuse(`panels.${i}.rows.${k}.cells`, `names ${cells.length} runs where the panel has ${panel.columns.length} columns; write null for an empty place.`)
    })
    if (panel.rows.every(({ cells }) => cells.every((cell) => cell === null))) refuse(`panels.${i}.rows`, 'names no run.')
  })
  if (places.length === 0) return spec
  if (places.length !== panels.length) refuse('grid.places', `has ${places.length} places where there are ${panels.length} panels.`)
  const taken = new Map<string, number>()
  places.forEach(({ row, column, rows, columns: wide }, i) => {
    if (column + wide > columns.length) refuse(`grid.places.${i}`, `ends past the last of ${columns.length} columns.`)
    for (let r = row; r < row + rows; r++) {
      for (let c = column; c < column + wide; c++) {
        const other = taken.get(`${r} ${c}`)
        if (other !== undefined) refuse(`grid.places.${i}`, `covers a place that panel ${other + 1} has.`)
        taken.set(`${r} ${c}`, i)
      }
    }
  })
  return spec
}

/** mm */
export function figureWidth({ width }: Pick<FigureSpec, 'width'>): number {
  return typeof width === 'number' ? width : widthPresets.find(({ id }) => id === width)!.width
}

/** Every run that a figure names, once each, in the order of its panels. */
export function runsOfSpec({ panels }: Pick<FigureSpec, 'panels'>): string[] {
  return [...new Set(panels.flatMap((panel): (string | null)[] => {
    switch (panel.kind) {
      case 'grid': return panel.rows.flatMap(({ cells }) => cells)
      case 'evolution': return [panel.run]
      case 'reconstruction': return []
      default: return panel.runs
    }
  }).filter((run) => run !== null))]
}

import { MaskscopeError } from '../../domain/errors.ts'
import { targetName } from '../caption.ts'
import type { FigureNumber, FigureRun } from '../figure-data.ts'
import { probabilityText } from '../numbers.ts'
import type { MapOptions, PanelOf } from '../spec.ts'
import type { Span } from '../text.ts'
import { barOf, chooseScales, mapCell, scaleSentence, type Scales, type ShownMap } from './map-cells.ts'
import { captionLetter, sentence, type Panel, type PanelContext } from './panel.ts'
import { limitText, pictureGridPanel, type PictureCell, type PictureGrid, type PictureRow } from './picture-grid.ts'
import { classLines, equation, methodLabels } from './run-labels.ts'

/** mm that a picture has at least where their number in a line is free. */
const easyCell = 17

export function runOf({ facts }: PanelContext, id: string): FigureRun {
  const run = facts.runs.get(id)
  if (!run) throw new MaskscopeError('usage', `There is no run "${id}" in the study ${facts.study}. Choose another for this panel.`, { subject: id })
  return run
}

function inputCell(run: FigureRun, below: readonly Span[] | null, above: string | null): PictureCell {
  return { picture: run.picture, pixelated: false, lines: [], framed: false, above, below }
}

/** One image × methods. @throws MaskscopeError 'usage' where the runs are not of one image */
export function methodsPanel(spec: PanelOf<'methods'>, context: PanelContext): Panel {
  const runs = spec.runs.map((id) => runOf(context, id))
  const first = runs[0]!
  const other = runs.find((run) => run.image.key !== first.image.key || run.picture.width !== first.picture.width || run.picture.height !== first.picture.height)
  if (other) {
    throw new MaskscopeError('usage', `The panel shows one image: run ${other.id} is of ${sizedName(other)}, ${first.id} of ${sizedName(first)}. Use "images × methods" for several.`, { subject: other.id })
  }
  const labels = methodLabels(runs)
  const names = runs.map((run, i) => spec.labels[i] ?? labels.get(run.id)!)
  return lined(context, spec, spec.across, (across) => {
    const offset = spec.input ? 1 : 0
    const shown = runs.map((run, i): ShownMap => ({ run, map: run.map, row: Math.floor((i + offset) / across), column: (i + offset) % across }))
    const scales = chooseScales(shown, spec)
    const what: Span[] = [...(spec.classes ? [{ text: targetName(first) }] : []), ...probabilitySpans(first, spec, spec.classes)]
    return {
      shown, scales,
      first: spec.input ? inputCell(first, what.length > 0 ? what : null, spec.columnLabels ? 'Input' : null) : null,
      heads: shown.map((_, i) => (spec.columnLabels ? names[i]! : null)), below: shown.map(() => null),
    }
  }, runs.length, sentence(context, `${first.image.name}, ${targetName(first)}${first.probability.original === null ? '' : ` (p\u00a0=\u00a0${probabilityText(first.probability.original)})`} by ${first.model.name}: ${names.join(', ')}.`))
}

/** One map on its way. @throws MaskscopeError 'usage' for a run that has no course */
export function evolutionPanel(spec: PanelOf<'evolution'>, context: PanelContext): Panel {
  const run = runOf(context, spec.run)
  if (run.frames.length === 0) {
    throw new MaskscopeError('usage', `Run ${run.id} (${run.method.title}) keeps no course of its map. Choose a run of a method that optimises a mask.`, { subject: run.id })
  }
  const frames = chosenFrames(run, spec.iterations)
  const { iterations, probability } = run.losses
  const masked = frames.map(({ iteration }) => probability?.[iterations.indexOf(iteration)] ?? null)
  return lined(context, spec, spec.across, (across) => {
    const offset = spec.input ? 1 : 0
    const shown = frames.map(({ map }, i): ShownMap => ({ run, map, row: Math.floor((i + offset) / across), column: (i + offset) % across }))
    const what: Span[] = [...(spec.classes ? [{ text: targetName(run) }] : []), ...probabilitySpans(run, spec, spec.classes)]
    return {
      shown, scales: chooseScales(shown, spec),
      first: spec.input ? inputCell(run, what.length > 0 ? what : null, spec.columnLabels ? 'Input' : null) : null,
      heads: frames.map(({ iteration }, i) => (!spec.columnLabels ? null : i === 0 ? `iteration ${iteration}` : String(iteration))),
      below: masked.map((p) => (spec.probabilities && p !== null && Number.isFinite(p) ? equation('p', p) : null)),
    }
  }, frames.length, sentence(context, `${run.image.name}, ${targetName(run)}: the map of ${run.method.title} at iterations ${frames.map(({ iteration }) => iteration).join(', ')}${masked.some((p) => p !== null) && spec.probabilities ? `, under each p of the class ${run.deletes ? 'without what the map marks' : 'on the masked input'}` : ''}.`))
}

/** The stored frame nearest to each wish, once each. */
function chosenFrames({ frames }: FigureRun, wishes: readonly number[]): FigureRun['frames'] {
  const last = frames[frames.length - 1]!.iteration
  const wanted = wishes.length > 0 ? wishes : usualIterations(last)
  const near = (wish: number) => frames.reduce((best, frame) => (Math.abs(frame.iteration - wish) < Math.abs(best.iteration - wish) ? frame : best))
  return [...new Set([...wanted].sort((a, b) => a - b).map(near))]
}

/** Six, the early ones closer together, since most happens there. */
function usualIterations(last: number): number[] {
  return [0, 0.05, 0.15, 0.35, 0.65, 1].map((share) => Math.round(share * last))
}

interface Strip {
  shown: ShownMap[]
  scales: Scales
  first: PictureCell | null
  heads: (string | null)[]
  below: (readonly Span[] | null)[]
}

/** Pictures one after the other, in as many lines as they need. */
function lined(context: PanelContext, spec: MapOptions & { title: string | null }, across: number | null, make: (across: number) => Strip, count: number, about: Span[]): Panel {
  const all = count + (spec.input ? 1 : 0)
  const gridAt = (width: number): ReturnType<typeof pictureGridPanel> => {
    const most = Math.max(1, Math.floor((width + context.gutter) / (easyCell + context.gutter)))
    const fitting = Math.min(all, across ?? Math.ceil(all / Math.ceil(all / most)))
    return pictureGridPanel(context, stripGrid(make(fitting), spec, fitting), spec.title)
  }
  const { shown, scales } = make(across ?? all)
  return {
    grows: false,
    height: (width) => gridAt(width).height(width),
    draw: (area) => gridAt(area.width).draw(area),
    caption: [...about, { text: ` ${scaleSentence(shown, scales, spec)}` }],
    numbers: mapNumbers(context, shown, scales),
  }
}

function stripGrid({ shown, scales, first, heads, below }: Strip, spec: MapOptions, across: number): PictureGrid {
  const limits = spec.show !== 'masked' && scales.sharing !== 'shared'
  const cells: PictureCell[] = [
    ...(first ? [first] : []),
    ...shown.map((one, i): PictureCell => {
      const scale = scales.of(one)
      return { ...mapCell(one, scale, spec), above: heads[i]!, below: below[i] ?? (limits && spec.colourBar ? limitSpans(scale.limits) : null) }
    }),
  ]
  const rows: PictureRow[] = []
  for (let i = 0; i < cells.length; i += across) rows.push({ label: [], cells: cells.slice(i, i + across), bar: null })
  const bar = barred(spec, scales) ? barOf(scales.of(shown[0]!), shown) : null
  return { columns: across, rows, bars: bar ? [bar] : [], barFrom: first && rows.length === 1 ? 1 : 0 }
}

function barred({ colourBar, show }: MapOptions, { sharing }: Scales): boolean {
  return colourBar && sharing === 'shared' && show !== 'masked'
}

function limitSpans({ low, high }: { low: number; high: number }): Span[] {
  return [{ text: `${limitText(low)} to ${limitText(high)}` }]
}

/** Images × methods. @throws MaskscopeError 'usage' where a row with its input has runs of several images */
export function gridPanel(spec: PanelOf<'grid'>, context: PanelContext): Panel {
  const offset = spec.input ? 1 : 0
  const shown = spec.rows.flatMap(({ cells }, row) => cells.flatMap((id, column): ShownMap[] => {
    if (id === null) return []
    const run = runOf(context, id)
    return [{ run, map: run.map, row, column: column + offset }]
  }))
  const scales = chooseScales(shown, spec)
  const at = new Map(shown.map((one) => [`${one.row} ${one.column}`, one]))
  const runs = shown.map(({ run }) => run)
  const columnHeads = columnLabels(spec, context, shown, offset)
  const firsts = spec.rows.map((_, r) => shown.find((one) => one.row === r)?.run)
  const names = rowNames(firsts, spec)
  const rows = spec.rows.map(({ label }, r): PictureRow => {
    const members = shown.filter((one) => one.row === r)
    const first = members[0]
    const stray = spec.input ? members.find(({ run }) => run.image.key !== first!.run.image.key) : undefined
    if (stray) {
      throw new MaskscopeError('usage', `Row ${r + 1} shows its input: run ${stray.run.id} is of ${sizedName(stray.run)}, ${first!.run.id} of ${sizedName(first!.run)}. Put one image in a row, or hide the input.`, { subject: stray.run.id })
    }
    const above = (text: string | null): string | null => (spec.columnLabels && r === 0 ? text : null)
    const cells = spec.columns.map((_, c): PictureCell | null => {
      const one = at.get(`${r} ${c + offset}`)
      if (!one) return null
      const scale = scales.of(one)
      const below = scales.sharing === 'each' && spec.colourBar && spec.show !== 'masked' ? limitSpans(scale.limits) : null
      return { ...mapCell(one, scale, spec), above: above(columnHeads[c]!), below }
    })
    const input = spec.input ? [first ? inputCell(first.run, null, above('Input')) : null] : []
    const bar = scales.sharing === 'row' && spec.colourBar && spec.show !== 'masked' && first ? barOf(scales.of(first), members, false) : null
    return { label: spec.rowLabels ? (label !== null ? [[{ text: label }]] : names[r]!) : [], cells: [...input, ...cells], bar }
  })
  const grid: PictureGrid = { columns: spec.columns.length + offset, rows, bars: gridBars(spec, scales, shown, offset), barFrom: offset }
  const images = new Set(runs.map(({ image }) => image.name)).size
  const told = spec.rowLabels && spec.probabilities && runs.some(({ probability }) => probability.original !== null)
  return {
    ...pictureGridPanel(context, withHeads(grid, spec, columnHeads, offset), spec.title),
    caption: [
      ...captionLetter(context),
      { text: `${captionLetter(context).length === 0 ? ' ' : ''}${images === 1 ? runs[0]!.image.name : `${images} images`} by ${columnHeads.join(', ')}` },
      ...(told ? [{ text: '; ' }, { text: 'p', style: 'italic' as const }, { text: ' is that of the class on the whole image' }] : []),
      { text: `. ${scaleSentence(shown, scales, spec)}` },
    ],
    numbers: mapNumbers(context, shown, scales),
  }
}

/** An empty place in the first row still has its column's head. */
function withHeads(grid: PictureGrid, spec: PanelOf<'grid'>, heads: readonly string[], offset: number): PictureGrid {
  const [first, ...others] = grid.rows
  if (!spec.columnLabels || !first) return grid
  const cells = first.cells.map((cell, c) => cell ?? blank(c < offset ? 'Input' : heads[c - offset]!))
  return { ...grid, rows: [{ ...first, cells }, ...others] }
}

function blank(above: string): PictureCell {
  return { picture: null, pixelated: true, lines: [], framed: false, above, below: null }
}

function gridBars(spec: PanelOf<'grid'>, scales: Scales, shown: readonly ShownMap[], offset: number): PictureGrid['bars'] {
  if (!spec.colourBar || spec.show === 'masked') return []
  if (scales.sharing === 'shared') return [barOf(scales.of(shown[0]!), shown)]
  if (scales.sharing !== 'column') return []
  return Array.from({ length: spec.columns.length + offset }, (_, c) => {
    const members = shown.filter((one) => one.column === c)
    return members.length > 0 ? barOf(scales.of(members[0]!), members, false) : null
  })
}

/** A column is named by what all its runs share. */
function columnLabels(spec: PanelOf<'grid'>, context: PanelContext, shown: readonly ShownMap[], offset: number): string[] {
  const columns = spec.columns.map((_, c) => shown.filter((one) => one.column === c + offset).map(({ run }) => run))
  const labels = methodLabels(columns.flatMap((runs) => runs.slice(0, 1)))
  return spec.columns.map(({ label }, c) => {
    const runs = columns[c]!
    if (label !== null) return label
    if (runs.length === 0) return ''
    const methods = [...new Set(runs.map(({ method }) => method.title))]
    return methods.length === 1 ? labels.get(runs[0]!.id)! : methods.join(' / ')
  })
}

/** Rows are told apart by class, else by image, else by model. */
function rowNames(firsts: readonly (FigureRun | undefined)[], spec: MapOptions): Span[][][] {
  const known = firsts.filter((run) => run !== undefined)
  const differ = (key: (run: FigureRun) => string): boolean => new Set(known.map(key)).size > 1
  const byModel = differ(({ model }) => model.key) && !differ(({ image }) => image.key)
  return firsts.map((run) => {
    if (!run) return []
    if (byModel) return [[{ text: run.model.name }], ...classLines(run, { classes: false, probabilities: spec.probabilities })]
    return classLines(run, spec)
  })
}

function probabilitySpans(run: FigureRun, { probabilities }: MapOptions, after: boolean): Span[] {
  if (!probabilities || run.probability.original === null) return []
  return [...(after ? [{ text: ', ' }] : []), ...equation('p', run.probability.original)]
}

function sizedName({ image, picture }: FigureRun): string {
  return `${image.name} (${picture.width} × ${picture.height})`
}

/** The limits of every scale, and what is known of every map. */
function mapNumbers({ name }: PanelContext, shown: readonly ShownMap[], scales: Scales): FigureNumber[] {
  return shown.flatMap((one) => {
    const { run, map } = one
    const { limits } = scales.of(one)
    const least = map.data.reduce((a, b) => Math.min(a, b), Infinity)
    const most = map.data.reduce((a, b) => Math.max(a, b), -Infinity)
    const mean = map.data.reduce((a, b) => a + b, 0) / map.data.length
    const series = `${run.method.title}, row ${one.row + 1}, column ${one.column + 1}`
    const number = (quantity: string, value: number | null): FigureNumber => ({ panel: name, run: run.id, series, quantity, x: null, value, low: null, high: null })
    return [
      number('probability of the class', run.probability.original), number(run.deletes ? 'probability without what the mask marks' : 'probability under the mask', run.probability.masked),
      number('scale, lower limit', limits.low), number('scale, upper limit', limits.high),
      number('map, least value', least), number('map, greatest value', most), number('map, mean', mean),
    ]
  })
}

import * as z from 'zod/mini'
import { createRandom } from '../random/random.ts'
import { call } from './define.ts'
import { measurement } from './metrics.ts'
import { openImage, view } from './models.ts'
import { bytes, count, handle, map, nothing, parameterValues, runId, size, text } from './values.ts'

/**
 * A comparison is a grid of the study: rows are images, each with a class to explain and a model, and columns are methods with
 * parameters and a seed, or maps from elsewhere. Which run stands in a cell follows from what the cell asks for, so that a change
 * that is taken back brings the run back. It is kept in `comparisons/NAME.json`.
 */
export const comparisonFormat = 'maskscope-comparison'
export const comparisonVersion = 1
export const comparisonLimits = { rows: 1000, columns: 60, seeds: 20, shapes: 200, points: 4000, note: 4000 } as const

const id = z.string().check(z.regex(/^[a-z0-9-]{1,40}$/))
/** Names a picture or a model of the comparison. */
const key = z.string().check(z.regex(/^[0-9a-f]{16}$/))
const cell = z.string().check(z.regex(/^[a-z0-9-]{1,40} [a-z0-9-]{1,40}$/))
const share = z.number().check(z.gte(0), z.lte(1))
const target = z.union([count, z.literal('auto')])

export const comparisonRow = z.object({ id, image: key, model: key, target })
export type ComparisonRow = z.infer<typeof comparisonRow>

const methodColumn = z.object({
  kind: z.literal('method'), id,
  /** null: the method's own. */
  title: z.nullable(text(80)),
  method: text(64),
  /** As set by hand, `preset` among them. */
  parameters: parameterValues,
  seed: count,
  /** So many runs from `seed` on make one cell: their mean and how far they differ. */
  seeds: z.int().check(z.gte(1), z.lte(comparisonLimits.seeds)),
})
const mapsColumn = z.object({
  kind: z.literal('maps'), id, title: text(80),
  /** By row: the run that keeps the imported map. */
  runs: z.record(id, runId),
})
export const comparisonColumn = z.discriminatedUnion('kind', [methodColumn, mapsColumn])
export type ComparisonColumn = z.infer<typeof comparisonColumn>
export type MethodColumn = z.infer<typeof methodColumn>

const number = z.number().check(z.gte(-1_000_000), z.lte(1_000_000))
const box = z.object({ type: z.literal('box'), left: number, top: number, width: number, height: number })
const outline = z.object({ type: z.literal('outline'), points: z.array(z.tuple([number, number])).check(z.minLength(3), z.maxLength(comparisonLimits.points)) })
/** In pixels of the picture, from its left upper corner. */
export const truthShape = z.discriminatedUnion('type', [box, outline])
export type TruthShape = z.infer<typeof truthShape>

/** Where the object lies, as drawn or imported: all shapes and the mask together. In place of what a data set tells. */
export const drawnTruth = z.object({
  shapes: z.array(truthShape).check(z.maxLength(comparisonLimits.shapes)),
  /** An imported segmentation: the name of a file of the study. */
  mask: z.nullable(z.string().check(z.regex(/^inputs\/[0-9a-f]{64}\.png$/))),
  /** Where it comes from, e.g. the name of a file; null: drawn. */
  source: z.nullable(text()),
})
export type DrawnTruth = z.infer<typeof drawnTruth>

export const displayModes = ['map', 'overlay', 'masked', 'contour', 'top'] as const
export type DisplayMode = (typeof displayModes)[number]
export const sharings = ['map', 'row', 'all'] as const
export const scales = ['range', 'map', 'percentile-99'] as const

export const comparisonView = z.object({
  mode: z.enum(displayModes),
  /** Which maps share their limits. */
  sharing: z.enum(sharings),
  scale: z.enum(scales),
  colormap: text(32),
  opacity: share,
  threshold: share,
  /** Of the pixels, in the mode `top`. */
  top: share,
  /** Of each run's course; 1: its result. */
  progress: share,
  /** CSS pixels of a picture's side. */
  cell: z.int().check(z.gte(64), z.lte(640)),
  /** What cells of several seeds show. */
  spread: z.enum(['mean', 'sd']),
  metric: text(64),
  cost: z.enum(['evaluations', 'seconds']),
  sorting: z.object({ by: text(80), descending: z.boolean() }),
  filter: z.object({ text: text(200), verdict: z.enum(['all', 'right', 'wrong', 'starred', 'missing']) }),
})
export type ComparisonView = z.infer<typeof comparisonView>

/** All that the window edits. */
export const comparisonBoard = z.object({
  name: text(80),
  rows: z.array(comparisonRow).check(z.maxLength(comparisonLimits.rows)),
  columns: z.array(comparisonColumn).check(z.maxLength(comparisonLimits.columns)),
  /** By cell: "ROW COLUMN". */
  notes: z.record(cell, text(comparisonLimits.note)),
  stars: z.array(cell),
  /** By picture. */
  truths: z.record(key, drawnTruth),
  view: comparisonView,
})
export type ComparisonBoard = z.infer<typeof comparisonBoard>

export const comparisonImage = z.object({
  key, name: text(), kind: openImage.shape.kind, width: size, height: size, label: z.nullable(text()),
  /** Its data set tells where the object lies. */
  truth: z.boolean(),
})
export type ComparisonImage = z.infer<typeof comparisonImage>

export const comparisonModel = z.object({ key, name: text(), sha256: text(64) })
export type ComparisonModel = z.infer<typeof comparisonModel>

const opened = z.object({
  /** null: nothing of it is on the disk yet. */
  comparison: z.nullable(id),
  board: comparisonBoard,
  images: z.array(comparisonImage),
  models: z.array(comparisonModel),
  /** By `cellKey`: the latest run that was asked for so. */
  runs: z.record(text(64), runId),
})
export type OpenedComparison = z.infer<typeof opened>

const cellOrder = z.object({ key: text(64), image: key, model: key, target, method: text(64), parameters: parameterValues, seed: count, lane: text(64) })
export type CellOrder = z.infer<typeof cellOrder>

/** A finished run as a cell shows it. */
export const cellMap = z.object({
  map, view, signed: z.boolean(), range: z.tuple([z.nullable(z.number()), z.nullable(z.number())]), mask: z.boolean(),
})
export type CellMap = z.infer<typeof cellMap>

const of = z.object({ comparison: id })
const classOf = z.object({ index: count, label: z.nullable(text()), probability: z.nullable(z.number()) })
export type RowClass = z.infer<typeof classOf>
/** What a row's model sees of its image, and the classes it gives it, best first. */
export interface RowReading {
  view: z.infer<typeof view>
  top: RowClass[]
}

export const comparisons = {
  calls: {
    'comparisons.list': call(nothing, z.array(z.object({ comparison: id, name: text(80) }))),
    /** null: the one worked on last, else an empty one. @throws 'usage' or 'storage' */
    'comparisons.open': call(z.object({ comparison: z.nullable(id) }), opened),
    /** Makes it, and the study where that is not on the disk yet. */
    'comparisons.create': call(z.object({ board: comparisonBoard }), of),
    /** It can be brought back as long as the study stays open. Its runs stay in the study. @throws 'usage' where there is none */
    'comparisons.remove': call(of, nothing),
    /** Brings back what was removed. @throws 'usage' where nothing of that name was */
    'comparisons.restore': call(of, nothing),
    /** The lines that make its runs and draw them side by side. @throws 'usage' where no command could */
    'comparisons.command': call(of, z.object({ command: z.string() })),
    'comparisons.save': call(z.object({ comparison: id, board: comparisonBoard }), nothing),
    /** Keeps open images for the comparison. @param images as opened */
    'comparisons.addImages': call(z.object({ comparison: id, images: z.array(handle).check(z.minLength(1), z.maxLength(comparisonLimits.rows)) }), z.array(comparisonImage)),
    'comparisons.addModel': call(z.object({ comparison: id, model: handle }), comparisonModel),
    /** PNG of at most `side` pixels. */
    'comparisons.picture': call(z.object({ comparison: id, image: key, side: z.int().check(z.gte(32), z.lte(2048)) }), z.object({ png: bytes() })),
    /** The classes of highest score, best first. */
    'comparisons.classes': call(z.object({ comparison: id, image: key, model: key, top: z.int().check(z.gte(1), z.lte(20)) }), z.object({ view, top: z.array(classOf) })),
    /**
     * Queues runs; those of one lane wait behind each other, lanes take turns.
     * @returns their ids, in the same order @throws 'usage' naming the parameter; nothing is queued then
     */
    'comparisons.run': call(z.object({ comparison: id, cells: z.array(cellOrder).check(z.minLength(1), z.maxLength(20_000)) }), z.array(runId)),
    /** Runs that have ended stay as they are. */
    'comparisons.steer': call(z.object({ runs: z.array(runId).check(z.maxLength(20_000)), to: z.enum(['pause', 'resume', 'cancel']) }), nothing),
    /** Of a finished run. */
    'comparisons.map': call(z.object({ run: runId }), cellMap),
    /** What is known of finished runs; those that are gone are left out. */
    'comparisons.measured': call(z.object({ runs: z.array(runId).check(z.maxLength(500)) }), z.array(z.object({
      run: runId, evaluations: z.object({ forward: count, backward: count }), results: z.array(measurement),
    }))),
    /** As `metrics.measure`, with the truth that was drawn or imported in place of the data set's. */
    'comparisons.measure': call(z.object({
      comparison: id, run: runId, metrics: z.array(text(64)).check(z.minLength(1), z.maxLength(100)), judge: z.nullable(handle), truth: z.nullable(drawnTruth),
    }), z.array(measurement)),
    /** A map from a .npy file, of the picture's size or of its own, as a finished run. @throws 'input' naming the file */
    'comparisons.importMap': call(z.object({ comparison: id, image: key, model: key, target, file: handle }), z.object({ run: runId })),
    /** A list of boxes or a segmentation as PNG. @throws 'input' naming the file */
    'comparisons.importTruth': call(z.object({ comparison: id, image: key, file: handle }), drawnTruth),
    /** The truth as it counts: shapes and mask filled in, 0 or 1 per pixel of a picture of that size; null: none. */
    'comparisons.truth': call(z.object({ comparison: id, image: key, truth: z.nullable(drawnTruth), side: z.int().check(z.gte(32), z.lte(1024)) }), z.nullable(map)),
  },
  streams: {},
}

/** A short name for a truth, kept with what was measured against it. */
export function truthKey(truth: DrawnTruth): string {
  const random = createRandom(0, JSON.stringify([truth.shapes, truth.mask]))
  return `${random.uint32().toString(16).padStart(8, '0')}${random.uint32().toString(16).padStart(8, '0')}`
}

export function emptyBoard(name: string): ComparisonBoard {
  return {
    name, rows: [], columns: [], notes: {}, stars: [], truths: {},
    view: {
      mode: 'overlay', sharing: 'map', scale: 'map', colormap: 'viridis', opacity: 0.75, threshold: 0, top: 0.1, progress: 1, cell: 148, spread: 'mean',
      metric: 'average-precision', cost: 'evaluations', sorting: { by: '', descending: false }, filter: { text: '', verdict: 'all' },
    },
  }
}

/**
 * What a cell asks for, as a short name: image, model, class, method, complete parameters and seed. The same question has the same key.
 * @param parameters complete, as `resolveParameters` gives them
 */
export function cellKey(row: Pick<ComparisonRow, 'image' | 'model' | 'target'>, method: string, parameters: Readonly<Record<string, unknown>>, seed: number): string {
  const sorted = Object.keys(parameters).sort().map((name) => [name, parameters[name]])
  const random = createRandom(seed, row.image, row.model, String(row.target), method, JSON.stringify(sorted))
  return Array.from({ length: 4 }, () => random.uint32().toString(16).padStart(8, '0')).join('')
}

import * as z from 'zod/mini'
import { normalisations } from '../imaging/normalisation.ts'
import { call, stream } from './define.ts'
import { openImage, openModel, view } from './models.ts'
import { bytes, count, error, floats, handle, map, mapStack, nothing, parameterValues, pixels, probability, runId, text } from './values.ts'

/** `interrupted`: the program ended in the middle of it. */
export const runStates = ['queued', 'running', 'paused', 'finished', 'failed', 'cancelled', 'interrupted'] as const

/** Parameters that hold from an iteration on. */
export const change = z.object({ iteration: count, parameters: parameterValues })

/** A row of the runs of the study. */
export const runRow = z.object({
  run: runId,
  state: z.enum(runStates),
  /** ISO 8601, UTC. */
  created: text(40),
  image: z.object({ name: text(), kind: z.enum(['file', 'scene']) }),
  /** PNG, at most 96 px; null where the picture was never stored. */
  thumbnail: z.nullable(bytes(1 << 20)),
  model: z.object({ name: text(), sha256: text(64) }),
  method: text(64),
  preset: z.nullable(text(64)),
  /** Complete, as resolved. */
  parameters: parameterValues,
  seed: count,
  /** null while `auto` is not known yet. */
  target: z.nullable(z.object({ index: count, label: z.nullable(text()) })),
  changes: z.array(change),
  /** `masked`: of the image that the mask leaves. */
  probability: z.object({ original: probability, masked: probability }),
  /** That image lacks what the mask marks; else it keeps that alone. */
  deletes: z.boolean(),
  /** Mean of the map as a share of its range, in [0, 1]: the area kept. */
  area: z.nullable(z.number()),
  iteration: count,
  iterations: z.nullable(count),
  /** Of explaining alone; of a running one so far. */
  seconds: z.nullable(z.number()),
  error: z.nullable(error),
})
export type RunRow = z.infer<typeof runRow>

/** Everything a table of the study's runs needs, and how each goes on. */
export const runsEvent = z.discriminatedUnion('type', [
  /** First of all, and again when another study is opened: all runs of the study, in the order of their numbers. */
  z.object({ type: z.literal('snapshot'), study: z.object({ name: text(), place: text() }), rows: z.array(runRow) }),
  /** A run is new or has changed in more than its progress. */
  z.object({ type: z.literal('row'), row: runRow }),
  /** Deleted; `runs.restore` brings it back. */
  z.object({ type: z.literal('removed'), run: runId }),
  /** One step's news; never dropped. */
  z.object({
    type: z.literal('progress'), run: runId, iteration: count, iterations: count,
    losses: z.record(text(64), z.number()),
    /** Of the target under the mask; null where the method has none, or the outputs are no probabilities. */
    probability: z.nullable(z.number()), seconds: z.number(),
    /** Images sent through the classifier so far. */
    evaluations: z.nullable(z.object({ forward: count, backward: count })),
  }),
  /** The map as it stands, at its own resolution, at most at display rate; the latest replaces those not sent yet. */
  z.object({ type: z.literal('frame'), run: runId, iteration: count, map, area: z.nullable(z.number()) }),
  /** The masks of a population as they stand, best first; the latest replaces those not sent yet. */
  z.object({ type: z.literal('strip'), run: runId, iteration: count, stack: mapStack }),
])
export type RunsEvent = z.infer<typeof runsEvent>

export const runOrder = z.object({
  model: handle,
  image: handle,
  method: text(64),
  /** As set by hand, `preset` among them; the preset and the defaults fill the rest. */
  parameters: parameterValues,
  seed: count,
  target: z.union([count, z.literal('auto')]),
})
export type WindowOrder = z.infer<typeof runOrder>

/** The course of a run so far, whatever its state. */
export const course = z.object({
  /** Names of the terms, `total` the last but one, `probability` the last. */
  columns: z.array(text(64)),
  iterations: floats(),
  /** [rows, columns], row-major. */
  values: floats(),
  /** The stored iterations so far; of one size. */
  frames: z.object({ iterations: z.array(count), height: count, width: count, data: floats() }),
})
export type Course = z.infer<typeof course>

/** What stands beside the result, short and in full. */
export const provenance = z.array(z.object({ name: text(), value: text(20_000), group: text() }))

export const runDetail = z.object({
  row: runRow,
  view: z.nullable(view),
  score: z.nullable(text()),
  /** The map's limits; null: unbounded. */
  range: z.tuple([z.nullable(z.number()), z.nullable(z.number())]),
  signed: z.boolean(),
  /** Where the object lies is known: what compares with it can be measured. */
  truth: z.boolean(),
  evaluations: z.nullable(z.object({ forward: count, backward: count })),
  notes: z.array(text(20_000)),
  facts: z.array(z.object({ label: text(), value: z.union([z.number(), text()]) })),
  /** What the method keeps beside its map; `runs.part` gives one. */
  parts: z.array(z.object({ name: text(64), title: text(), signed: z.boolean(), count })),
  provenance,
})
export type RunDetail = z.infer<typeof runDetail>

const ofRun = z.object({ run: runId })

export const runs = {
  calls: {
    /** @throws 'usage' naming the parameter; nothing is queued then */
    'runs.submit': call(runOrder, ofRun),
    'runs.pause': call(ofRun, nothing),
    'runs.resume': call(ofRun, nothing),
    'runs.cancel': call(ofRun, nothing),
    'runs.cancelAll': call(nothing, nothing),
    /** Of a paused run: holds from its next iteration on. @throws 'usage' for one that cannot change on the way */
    'runs.change': call(z.object({ run: runId, parameters: parameterValues }), change),
    'runs.read': call(ofRun, runDetail),
    'runs.course': call(ofRun, course),
    /** PNG of the picture, as `images.picture`. */
    'runs.picture': call(ofRun, z.object({ png: bytes() })),
    /** What the classifier saw, and what stands where the mask hides it (of a drawn fill: one example); null: no such thing. */
    'runs.inputs': call(ofRun, z.object({ seen: pixels, fill: z.nullable(pixels), fillName: text() })),
    /** Finished runs: raw values at the method's own resolution, and ranks before the sigmoid. */
    'runs.maps': call(ofRun, z.object({ own: map, ranking: z.nullable(map) })),
    'runs.part': call(z.object({ run: runId, part: text(64) }), mapStack),
    /** Opens the run's image and, where it can be found, its model, to run them again with changes; `message`: why there is no model. */
    'runs.reopen': call(ofRun, z.object({ model: z.nullable(openModel), image: openImage, message: z.nullable(text(20_000)) })),
    /** Moves them aside; unfinished ones are cancelled first. */
    'runs.delete': call(z.object({ runs: z.array(runId).check(z.maxLength(10_000)) }), nothing),
    'runs.restore': call(z.object({ runs: z.array(runId).check(z.maxLength(10_000)) }), nothing),
    /** The line that makes the same bytes. */
    'runs.command': call(ofRun, z.object({ command: text(20_000) })),
    'runs.commandFor': call(runOrder, z.object({ command: text(20_000) })),
  },
  streams: {
    'runs.watch': stream(nothing, runsEvent),
  },
}

export const studies = {
  calls: {
    'studies.list': call(nothing, z.array(z.object({ study: handle, name: text(), runs: count, changed: text(40) }))),
    /** @throws 'usage' or 'storage'; the study that was open stays open then */
    'studies.open': call(z.object({ study: handle }), z.object({ name: text() })),
    'studies.create': call(z.object({ name: text(80) }), z.object({ name: text() })),
  },
  streams: {},
}

const figureOptions = z.object({
  widthMm: z.number(),
  font: z.enum(['arimo', 'tinos', 'stix']),
  colormap: text(32),
  normalisation: z.enum(normalisations),
  caption: z.boolean(),
  dpi: z.number(),
})
export type FigureChoice = z.infer<typeof figureOptions>

const figureOrder = z.object({ run: runId, options: figureOptions, format: z.enum(['pdf', 'svg', 'png']) })

export const figures = {
  calls: {
    /** The very SVG that would be written; its fonts and pictures are in it. */
    'figures.preview': call(z.object({ run: runId, options: figureOptions }), z.object({ svg: text(64 << 20), widthMm: z.number(), heightMm: z.number(), caption: text(20_000) })),
    'figures.render': call(figureOrder, z.object({ name: text(), bytes: bytes() })),
    /** Asks where and writes; null where the dialog was closed. @throws 'unavailable' in the web shell */
    'figures.save': call(figureOrder, z.object({ file: z.nullable(text()) })),
    'figures.command': call(figureOrder, z.object({ command: text(20_000) })),
  },
  streams: {},
}

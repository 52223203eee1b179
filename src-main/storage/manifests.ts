import { z } from 'zod'
import { executorIds, executorWishes } from '#shared/domain/executor.ts'
import { heads, scoreKinds } from '#shared/domain/score.ts'

/** The three JSON files of a study. Every field is said in docs/study-format.md; unknown fields are kept out, not refused. */

export const studyFormat = 'maskscope-study'
export const runFormat = 'maskscope-run'
export const recordFormat = 'maskscope-record'
/** Raised when an old reader would misread a new file; migrations.ts then gets the step from the version before. */
export const studyVersion = 1
export const runVersion = 3
export const recordVersion = 3

const count = z.number().int().nonnegative()
const size = z.number().int().positive().max(1_000_000)
const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const shape = z.array(count).max(8)
const area = z.object({ width: size, height: size })
const parameterValue = z.union([z.number(), z.string(), z.boolean()])
const error = z.object({ code: z.string(), message: z.string(), subject: z.string().optional() })

/** `queued`: it waits for a worker; `interrupted`: the program ended before the run did. */
export const storedStates = ['queued', 'running', 'finished', 'failed', 'cancelled', 'interrupted'] as const
export type StoredState = (typeof storedStates)[number]

export const preprocessingSchema = z.object({
  fit: z.enum(['squash', 'crop']),
  cropFraction: z.number(),
  resizeFilter: z.enum(['lanczos3', 'bicubic', 'bilinear', 'box']),
  range: z.tuple([z.number(), z.number()]),
  mean: z.array(z.number()),
  std: z.array(z.number()),
  channelOrder: z.enum(['rgb', 'bgr']),
  inputScale: z.int().min(1).max(8).optional(),
})

const changeSchema = z.object({ iteration: count, parameters: z.record(z.string(), parameterValue) })

/** What was asked for: with the versions and the backend, all that determines the bytes of a run. */
const orderSchema = z.object({
  model: z.object({
    name: z.string(),
    sha256,
    format: z.string(),
    input: z.object({ height: size, width: size, channels: size }),
    classes: size,
    head: z.enum(heads),
    preprocessing: preprocessingSchema,
  }),
  image: z.object({
    /** `file`: decoded from the stored input; `scene`: rendered from the reference, the stored input is for looking. */
    kind: z.enum(['file', 'scene']),
    /** `scene:2000007`, or a file's name without its folders. */
    reference: z.string(),
    sha256,
    /** `inputs/SHA256.EXT` */
    file: z.string(),
    /** Of the exact float32 values the classifier saw. */
    seenSha256: sha256,
  }),
  view: z.object({
    picture: area,
    crop: z.object({ left: count, top: count, width: size, height: size }),
    size: area,
  }),
  method: z.string(),
  parameters: z.record(z.string(), parameterValue),
  seed: z.number(),
  /** As asked: a class index, or `auto`, the clean image's top class. */
  target: z.union([count, z.literal('auto')]),
  /** Of parameters on the way, in the order of their iterations: each holds from the step that makes its iteration on. */
  changes: z.array(changeSchema),
  /** What runs the classifier, settled when the run was queued or at the latest when it began. */
  executor: z.enum(executorIds),
})

/** What is known of a run as soon as it is asked for, before its image is decoded and its model loaded. */
const requestSchema = z.object({
  model: orderSchema.shape.model.pick({ name: true, sha256: true, preprocessing: true }),
  image: orderSchema.shape.image.pick({ kind: true, reference: true }),
  method: z.string(),
  parameters: orderSchema.shape.parameters,
  seed: z.number(),
  target: orderSchema.shape.target,
  changes: orderSchema.shape.changes,
  /** `auto`: it is settled when the model is loaded. */
  executor: z.enum(executorWishes),
})

const milliseconds = z.number().nonnegative()
const timing = z.object({ forward: milliseconds, gradient: milliseconds.nullable() })

/** run.json: the same run with the same seed on the same backend and executor gives the same bytes. */
export const runManifestSchema = z.object({
  format: z.literal(runFormat),
  version: z.number().int(),
  order: orderSchema,
  backend: z.enum(['cuda', 'wasm', 'cpu']),
  executor: z.string(),
  /** ONNX Runtime's where it ran the classifier, else null. */
  versions: z.object({ maskscope: z.string(), tfjs: z.string(), onnxruntime: z.string().nullable() }),
  target: z.object({ index: count, label: z.string().nullable() }),
  score: z.enum(scoreKinds),
  /** null where the classifier's outputs are not probabilities. */
  probability: z.object({ original: z.number().nullable(), masked: z.number().nullable() }),
  iterations: count,
  evaluations: z.object({ forward: count, backward: count }),
  /** The map's possible limits; null: unbounded on that side. */
  range: z.tuple([z.number().nullable(), z.number().nullable()]),
  signed: z.boolean(),
  /** Pixels of saliency.npy per pixel of the picture; below 1 only for pictures longer than 2,048. */
  scale: z.number().positive().max(1),
  arrays: z.object({
    saliency: z.object({ shape, sha256 }),
    own: z.object({ shape, sha256 }),
    ranking: z.object({ shape, sha256 }).nullable(),
    /** null where the method shows no course. */
    frames: z.object({ shape, sha256, iterations: z.array(count).max(64) }).nullable(),
    losses: z.object({ columns: z.array(z.string()), rows: count, sha256 }),
    /** What the method keeps beside its map, [count, height, width] each, in part-NAME.npy. */
    parts: z.array(z.object({ name: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/).max(40), title: z.string(), signed: z.boolean(), shape, sha256 })).max(16).default([]),
  }),
  notes: z.array(z.string()),
  /** What the parameters do not say of the result, e.g. the completeness gap. */
  facts: z.array(z.object({ label: z.string(), value: z.union([z.number(), z.string()]) })).default([]),
})

/** record.json: everything of a run that another day or machine would give otherwise. */
export const runRecordSchema = z.object({
  format: z.literal(recordFormat),
  version: z.number().int(),
  id: z.string(),
  state: z.enum(storedStates),
  /** ISO 8601, UTC. */
  created: z.string(),
  ended: z.string().nullable(),
  /** From the worker's taking the run to its answer. */
  seconds: z.number().nullable(),
  /** Where image and model were found: as given on the command line, `demo`, or absolute paths. */
  found: z.object({
    image: z.string(),
    model: z.string(),
    /** What a person stated beside the model's path; left out by earlier versions. */
    stated: z.object({
      card: z.string().optional(), fit: preprocessingSchema.shape.fit.optional(),
      range: preprocessingSchema.shape.range.optional(), mean: preprocessingSchema.shape.mean.optional(),
      std: preprocessingSchema.shape.std.optional(), labels: z.string().optional(),
      inputScale: preprocessingSchema.shape.inputScale,
    }).optional(),
  }),
  /** What was asked for, so that an unfinished run can be started again. */
  request: requestSchema,
  /** The same in full, as in run.json; null where the run never began. */
  order: orderSchema.nullable(),
  machine: z.object({
    platform: z.string(),
    processor: z.string(),
    cores: count,
    memoryBytes: z.number(),
    /** The backend's device; null before a worker took the run. */
    device: z.string().nullable(),
    node: z.string(),
  }),
  /** What ran the classifier and why, with what was measured; null before a worker took the run. */
  executor: z.object({
    id: z.enum(executorIds), reason: z.string(), version: z.string().nullable(),
    measured: z.object({ onnxruntime: timing.optional(), tfjs: timing.optional() }),
  }).nullable(),
  error: error.nullable(),
})

export const runEntrySchema = z.object({
  id: z.string(),
  state: z.enum(storedStates),
  image: z.string(),
  model: z.string(),
  method: z.string(),
  created: z.string(),
})

/** NAME.maskscope: an index over runs/, rebuilt from it where they disagree. */
export const studyManifestSchema = z.object({
  format: z.literal(studyFormat),
  version: z.number().int(),
  name: z.string(),
  created: z.string(),
  runs: z.array(runEntrySchema),
  /** The number of the next run: that of a deleted run is not given again. */
  nextNumber: count.optional(),
})

export type RunOrderManifest = z.infer<typeof orderSchema>
export type RunRequestManifest = z.infer<typeof requestSchema>
export type RunManifest = z.infer<typeof runManifestSchema>
export type RunRecord = z.infer<typeof runRecordSchema>
export type RunEntry = z.infer<typeof runEntrySchema>
export type StudyManifest = z.infer<typeof studyManifestSchema>

import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { executorIds } from '#shared/domain/executor.ts'
import type { ReconstructionReport } from '#shared/domain/reconstruction.ts'
import type { Files } from './files.ts'
import { storageError } from './files.ts'
import { preprocessingSchema, storedStates } from './manifests.ts'
import { formatJson, migrate } from './migrations.ts'

/**
 * Where a reconstruction lies in a study:
 *
 *     reconstructions/0001-fashion-mnist/
 *       reconstruction.json   what was asked for; written first, never changed
 *       record.json           state, times, error; rewritten
 *       salient/              masks of the images, in chunks; gone over again only where they are missing
 *       checkpoint/           the training as it stood after its last whole epoch
 *       curves.csv            losses, a row per epoch
 *       samples/epoch-001.npy what training showed after an epoch
 *       generator/            encoder/ and decoder/, TF.js layers models, and generator.json
 *       report.json           written last
 */
export const reconstructionsFolder = 'reconstructions'
export const deletedReconstructions = path.join('.deleted', 'reconstructions')
export const reconstructionFiles = { manifest: 'reconstruction.json', record: 'record.json', salient: 'salient', checkpoint: 'checkpoint', curves: 'curves.csv', samples: 'samples', generator: 'generator', report: 'report.json' } as const

const manifestFormat = 'maskscope-reconstruction'
const recordFormat = 'maskscope-reconstruction-record'
const version = 1

const count = z.number().int().nonnegative()
const value = z.union([z.number(), z.string(), z.boolean()])
const size = z.object({ height: count, width: count, channels: count })

const model = z.object({
  name: z.string(),
  sha256: z.string(),
  /** A bundled model's name, or an absolute path. */
  place: z.string(),
  /** What was stated beside it. */
  stated: z.object({
    card: z.string().optional(), fit: preprocessingSchema.shape.fit.optional(), range: preprocessingSchema.shape.range.optional(),
    mean: z.array(z.number()).optional(), std: z.array(z.number()).optional(), labels: z.string().optional(),
  }),
  preprocessing: preprocessingSchema,
})

const settings = z.object({
  size, spatial: z.boolean().default(false), latent: count, beta: z.number(), warmUp: z.number(), gamma: z.number(), conditional: z.boolean(), recognition: z.boolean().default(false), salientWeight: z.number(), epochs: count, batch: count,
  learningRate: z.number(), floor: z.number().default(0), dilation: z.number(), blur: z.number(), temperature: z.number(), seed: count,
})

const manifestSchema = z.object({
  format: z.literal(manifestFormat),
  version: z.literal(version),
  /** Of the program. */
  program: z.string(),
  model,
  judge: model.nullable(),
  /** As it was written. */
  data: z.string(),
  /** That the generator learns from, that it never sees, and of the test. */
  images: z.object({ seen: count, unseen: count, test: count }),
  method: z.string(),
  /** Complete. */
  parameters: z.record(z.string(), value),
  settings,
  seed: count,
  backend: z.string(),
  executor: z.enum(executorIds),
  classes: count,
  /** Of the classes, where the model states them. */
  labels: z.array(z.string()).nullable(),
})
/** What was asked for: everything that the results depend on. */
export type ReconstructionManifest = z.infer<typeof manifestSchema>

export const reconstructionPhases = ['salient', 'training', 'report'] as const
export type ReconstructionPhase = (typeof reconstructionPhases)[number]

const recordSchema = z.object({
  format: z.literal(recordFormat),
  version: z.literal(version),
  state: z.enum(storedStates),
  /** The one it is in, or was in when it ended; null before the first. */
  phase: z.enum(reconstructionPhases).nullable(),
  /** ISO 8601, UTC. */
  created: z.string(),
  ended: z.string().nullable(),
  /** Of each phase, over all sittings. */
  seconds: z.record(z.string(), z.number()),
  error: z.object({ code: z.string(), message: z.string(), subject: z.string().optional() }).nullable(),
})
export type ReconstructionRecord = z.infer<typeof recordSchema>

const idPattern = /^\d{4,9}-[a-z0-9]+(-[a-z0-9]+)*$/

export function isReconstructionId(name: string): boolean {
  return idPattern.test(name)
}

/** @throws MaskscopeError 'storage' for anything but an id */
export function reconstructionPath(study: string, id: string): string {
  return path.join(study, reconstructionsFolder, checked(id))
}

/** @throws MaskscopeError 'storage' for anything but an id */
export function deletedReconstructionPath(study: string, id: string): string {
  return path.join(study, deletedReconstructions, checked(id))
}

function checked(id: string): string {
  if (isReconstructionId(id)) return id
  throw new MaskscopeError('storage', `"${id}" is not the id of a reconstruction, such as 0001-fashion-mnist.`, { subject: id })
}

/** The ids of a study's reconstructions, by number. */
export async function listReconstructions(study: string): Promise<string[]> {
  const names = await readdir(path.join(study, reconstructionsFolder)).catch((): string[] => [])
  return names.filter(isReconstructionId).sort((a, b) => Number.parseInt(a) - Number.parseInt(b))
}

/** @throws MaskscopeError 'storage' naming file and field */
export async function readReconstruction(folder: string): Promise<ReconstructionManifest> {
  return parsed(path.join(folder, reconstructionFiles.manifest), manifestSchema, manifestFormat)
}

/** @throws MaskscopeError 'storage' naming file and field */
export async function readReconstructionRecord(folder: string): Promise<ReconstructionRecord> {
  return parsed(path.join(folder, reconstructionFiles.record), recordSchema, recordFormat)
}

export async function writeReconstruction(files: Files, folder: string, manifest: Omit<ReconstructionManifest, 'format' | 'version'>): Promise<void> {
  await files.makeFolder(folder)
  await files.write(path.join(folder, reconstructionFiles.manifest), formatJson({ format: manifestFormat, version, ...manifest }))
}

export async function writeReconstructionRecord(files: Files, folder: string, record: Omit<ReconstructionRecord, 'format' | 'version'>): Promise<void> {
  await files.write(path.join(folder, reconstructionFiles.record), formatJson({ format: recordFormat, version, ...record }))
}

/** null where there is none yet. @throws MaskscopeError 'storage' */
export async function readReport(folder: string): Promise<ReconstructionReport | null> {
  const file = path.join(folder, reconstructionFiles.report)
  const text = await readText(file)
  if (text === null) return null
  try {
    return JSON.parse(text) as ReconstructionReport
  } catch (cause) {
    throw new MaskscopeError('storage', `${file} is no whole report; remove it, and the same command makes it again.`, { subject: file, cause })
  }
}

export async function writeReport(files: Files, folder: string, report: ReconstructionReport): Promise<void> {
  await files.write(path.join(folder, reconstructionFiles.report), formatJson(report))
}

/** null where there is no such file. */
export async function readText(file: string): Promise<string | null> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null
    throw storageError(error, file, 'read')
  })
}

async function parsed<Schema extends z.ZodType>(file: string, schema: Schema, format: string): Promise<z.infer<Schema>> {
  const text = await readText(file)
  const broken = (why: string, cause?: unknown): MaskscopeError => new MaskscopeError('storage', `${file} cannot be read: ${why}.`, { subject: file, cause })
  if (text === null) throw broken('it is not there')
  let document: Record<string, unknown>
  try {
    document = JSON.parse(text) as Record<string, unknown>
  } catch (cause) {
    throw broken('it is not whole JSON', cause)
  }
  const found = schema.safeParse(migrate(document ?? {}, { format, version, steps: {} }, file))
  if (found.success) return found.data
  const issue = found.error.issues[0]!
  throw broken(`${issue.path.join('.') || 'it'}: ${issue.message}`)
}

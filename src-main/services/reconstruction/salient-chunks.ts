import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { SalientSet } from '#shared/domain/reconstruction.ts'
import { storageError, temporaryEnding, type Files } from '#storage/files.ts'
import { formatJson } from '#storage/migrations.ts'
import { encodeNpy, readNpy, type NpyArray } from '#storage/npy.ts'
import { parseCsv } from '../datasets/csv.ts'

/**
 * A salient set on the disk:
 *
 *     set.json              what it is made of; written first
 *     000000.images.npy     uint8 [n, height, width, channels]: what the classifier saw, of the first images
 *     000000.masks.npy      float32 [n, height, width], as the method found them
 *     000000.csv            a line per image, those without a mask too; written last: a chunk that has it is whole
 *     000001.…
 *
 * The same order gives the same bytes, however often it was interrupted.
 */
const setFile = 'set.json'
const format = 'maskscope-salient-set'
const size = z.number().int().positive()

const manifestSchema = z.object({
  format: z.literal(format),
  version: z.literal(1),
  model: z.object({ name: z.string(), key: z.string() }),
  data: z.string(),
  images: size,
  /** Of the images' references, in their order. */
  references: z.string(),
  input: z.object({ height: size, width: size, channels: size }),
  classes: size,
  method: z.string(),
  parameters: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  seed: z.number(),
  chunk: size,
  executor: z.enum(['onnxruntime', 'tfjs']),
  backend: z.string(),
  program: z.string(),
})

export type SalientManifest = z.infer<typeof manifestSchema>

/** One image of a chunk. */
export interface SalientRow {
  /** In the data set, as it was given. */
  index: number
  reference: string
  /** The true class among the classifier's; null where it is not known. */
  label: number | null
  /** The classifier's top class, and its probability; null where the image has no mask, or the outputs are no probabilities. */
  outcome: number | null
  probability: number | null
  /** Why there is no mask; null where there is one. */
  failure: string | null
}

/** Images and masks of those rows that have one, in their order. */
export interface SalientChunk {
  rows: SalientRow[]
  images: Uint8Array
  masks: Float32Array
}

/** An image that has no mask. */
export interface SalientFailure {
  reference: string
  reason: string
}

export interface StoredSalientSet {
  manifest: SalientManifest
  set: SalientSet
  /** Of the images of the set. */
  references: string[]
  /** Index of each in the data as it was given. */
  indices: number[]
  /** Of the outcome in the clean image; NaN where the outputs are no probabilities. */
  probabilities: Float32Array
  failures: SalientFailure[]
}

export const newSalientManifest = (fields: Omit<SalientManifest, 'format' | 'version'>): SalientManifest => ({ format, version: 1, ...fields })

/** @returns null where there is none. @throws MaskscopeError 'storage' for a damaged one */
export async function readSalientManifest(folder: string): Promise<SalientManifest | null> {
  const file = path.join(folder, setFile)
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw storageError(error, file, 'read')
  })
  if (text === null) return null
  const parsed = manifestSchema.safeParse(jsonOf(text))
  if (!parsed.success) throw new MaskscopeError('storage', `${file} cannot be read: it does not describe a salient set of this version. Remove the folder to compute the set anew.`, { subject: file })
  return parsed.data
}

export function writeSalientManifest(folder: string, manifest: SalientManifest, files: Files): Promise<void> {
  return files.write(path.join(folder, setFile), formatJson(manifest))
}

/** The chunks that are whole; what a crash left in the middle of writing is removed. */
export async function wholeChunks(folder: string, files: Files): Promise<Set<number>> {
  const names = await readdir(folder).catch(() => [])
  for (const name of names) if (name.endsWith(temporaryEnding)) await files.remove(path.join(folder, name))
  return new Set(names.flatMap((name) => (/^\d{6,}\.csv$/.test(name) ? [Number.parseInt(name, 10)] : [])))
}

export async function writeChunk(folder: string, number: number, { rows, images, masks }: SalientChunk, { input: { height, width, channels } }: SalientManifest, files: Files): Promise<void> {
  const n = rows.filter(({ failure }) => failure === null).length
  await files.write(fileOf(folder, number, 'images.npy'), ...encodeNpy({ shape: [n, height, width, channels], data: images }))
  await files.write(fileOf(folder, number, 'masks.npy'), ...encodeNpy({ shape: [n, height, width], data: masks }))
  const lines = rows.map((row) => [row.index, row.reference, row.label, row.outcome, row.probability, row.failure].map(cell).join(','))
  await files.write(fileOf(folder, number, 'csv'), [columns.join(','), ...lines, ''].join('\n'))
}

const columns = ['index', 'reference', 'label', 'outcome', 'probability', 'failure']

/** @throws MaskscopeError 'storage' where it is not whole */
export async function readChunk(folder: string, number: number, { input: { height, width, channels } }: SalientManifest): Promise<SalientChunk> {
  const file = fileOf(folder, number, 'csv')
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw storageError(error, file, 'read')
  })
  const [header, ...lines] = parseCsv(text, file, 'table of a salient set')
  if (header?.fields.join(',') !== columns.join(',')) throw damaged(file)
  const rows = lines.map(({ fields }) => rowOf(fields, file))
  const n = rows.filter(({ failure }) => failure === null).length
  const images = await readArray(fileOf(folder, number, 'images.npy'), [n, height, width, channels], Uint8Array)
  const masks = await readArray(fileOf(folder, number, 'masks.npy'), [n, height, width], Float32Array)
  return { rows, images, masks }
}

/**
 * The whole set, as training and report take it.
 * @throws MaskscopeError 'storage' where it is not complete, or damaged
 */
export async function readSalientSet(folder: string): Promise<StoredSalientSet> {
  const manifest = await readSalientManifest(folder)
  if (!manifest) throw new MaskscopeError('storage', `${folder} holds no salient set.`, { subject: folder })
  const { input: { height, width, channels }, chunk: perChunk } = manifest
  const numbers = Array.from({ length: Math.ceil(manifest.images / perChunk) }, (_, i) => i)
  const chunks: SalientChunk[] = []
  for (const number of numbers) chunks.push(await readChunk(folder, number, manifest))
  const rows = chunks.flatMap((chunk) => chunk.rows)
  const seen = rows.filter(({ failure }) => failure === null)
  const labelled = rows.some(({ label }) => label !== null)
  return {
    manifest,
    set: {
      count: seen.length, height, width, channels,
      images: joined(chunks.map(({ images }) => images), Uint8Array),
      masks: joined(chunks.map(({ masks }) => masks), Float32Array),
      outcomes: Int32Array.from(seen, ({ outcome }) => outcome!),
      labels: labelled ? Int32Array.from(seen, ({ label }) => label ?? -1) : null,
    },
    references: seen.map(({ reference }) => reference),
    indices: seen.map(({ index }) => index),
    probabilities: Float32Array.from(seen, ({ probability }) => probability ?? Number.NaN),
    failures: rows.flatMap(({ reference, failure }) => (failure === null ? [] : [{ reference, reason: failure }])),
  }
}

function fileOf(folder: string, number: number, ending: string): string {
  return path.join(folder, `${String(number).padStart(6, '0')}.${ending}`)
}

function cell(value: number | string | null): string {
  const text = value === null ? '' : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function rowOf(fields: readonly string[], file: string): SalientRow {
  const numberAt = (i: number): number | null => (fields[i] === '' ? null : Number(fields[i]))
  const [index, label, outcome, probability] = [numberAt(0), numberAt(2), numberAt(3), numberAt(4)]
  const failure = fields[5] === '' ? null : fields[5]
  const wrong = fields.length !== columns.length || [index, label, outcome, probability].some(Number.isNaN) || index === null || (failure === null && outcome === null)
  if (wrong) throw damaged(file)
  return { index: index!, reference: fields[1]!, label: label!, outcome: outcome!, probability: probability!, failure: failure! }
}

async function readArray<T extends Uint8Array | Float32Array>(file: string, shape: readonly number[], type: new (length: number) => T): Promise<T> {
  const array: NpyArray = await readNpy(file)
  if (!(array.data instanceof type) || array.shape.join() !== shape.join()) throw damaged(file)
  return array.data
}

function joined<T extends Uint8Array | Float32Array>(parts: readonly T[], type: new (length: number) => T): T {
  const whole = new type(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

function damaged(file: string): MaskscopeError {
  return new MaskscopeError('storage', `${file} is damaged or belongs to another salient set; remove it and compute the set again.`, { subject: file })
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

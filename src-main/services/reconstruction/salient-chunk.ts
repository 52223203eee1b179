import type { Pool } from '#pool/pool.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import type { ModelInfo, ModelSource } from '#shared/domain/model.ts'
import type { ParameterValues } from '#shared/domain/parameters.ts'
import type { Explanation } from '#shared/domain/run.ts'
import { createRandom } from '#shared/random/random.ts'
import { inBatches } from '../batches.ts'
import { probabilitiesOf } from '../classify.ts'
import type { DataItem } from '../datasets.ts'
import { persist } from '../persist.ts'
import type { SalientChunk, SalientRow } from './salient-chunks.ts'
import { bytesOf } from './salient-images.ts'
import { salientMask } from './salient-methods.ts'

export interface ChunkOrder {
  model: ModelSource
  info: ModelInfo
  method: string
  parameters: ParameterValues
  seed: number
}

export interface ChunkSubject {
  index: number
  item: DataItem
  label: number | null
}

/** Explanations share the cores in the same way however many run at once, so that their last digits do not depend on it. */
const company = 1
/** The order itself is wrong: it would fail for every image. */
const fatal = ['usage', 'unavailable', 'cancelled', 'storage']

/** The masks of a few images for their top classes. Those that cannot be read or explained get a row that says why. @throws what concerns all images */
export async function explainChunk(pool: Pick<Pool, 'classify' | 'explain'>, order: ChunkOrder, subjects: readonly ChunkSubject[], signal: AbortSignal): Promise<SalientChunk> {
  const { info, model } = order
  const rows = subjects.map(({ index, item, label }): SalientRow => ({ index, reference: item.reference, label, outcome: null, probability: null, failure: null }))
  const bytes = await inBatches(subjects, ({ item }) => bytesOf(item, info).catch((error: unknown) => {
    if (error instanceof MaskscopeError && error.code !== 'storage') return error
    throw error
  }))
  bytes.forEach((found, i) => void (found instanceof MaskscopeError && (rows[i]!.failure = found.message)))
  const readable = rows.flatMap((row, i) => (row.failure === null ? [{ row, bytes: bytes[i] as Uint8Array }] : []))
  if (readable.length === 0) return { rows, images: new Uint8Array(0), masks: new Float32Array(0) }

  const batch = batchOf(readable, info)
  const logits = await persist(() => pool.classify(model, batch, { executor: info.executor.id }), signal)
  readable.forEach(({ row }, i) => {
    const own = logits.subarray(i * info.classes, (i + 1) * info.classes)
    const top = own.reduce((best, value, k) => (value > own[best]! ? k : best), 0)
    row.outcome = top
    row.probability = probabilitiesOf(own, info.head)?.[top] ?? null
  })
  const masks = await masksOf(pool, order, readable, signal)
  readable.forEach(({ row }, i) => {
    const mask = masks[i]!
    if (typeof mask === 'string') Object.assign(row, { failure: mask, outcome: null, probability: null })
  })
  const kept = readable.flatMap(({ bytes: own }, i) => (typeof masks[i] === 'string' ? [] : [{ own, mask: masks[i] as Float32Array }]))
  return { rows, images: joinedBytes(kept.map(({ own }) => own)), masks: joinedFloats(kept.map(({ mask }) => mask)) }
}

type Readable = { row: SalientRow; bytes: Uint8Array }

/** One mask per image, or why there is none. Where all together fail, each is tried alone. */
async function masksOf(pool: Pick<Pool, 'explain'>, order: ChunkOrder, readable: readonly Readable[], signal: AbortSignal): Promise<(Float32Array | string)[]> {
  try {
    const explanations = await persist(() => explain(pool, order, readable, signal), signal)
    return explanations.map((explanation) => salientMask(explanation) ?? 'The method found nothing that speaks for the class.')
  } catch (error) {
    if (!(error instanceof MaskscopeError) || fatal.includes(error.code)) throw error
    if (readable.length === 1) return [error.message]
    const alone: (Float32Array | string)[] = []
    for (const one of readable) alone.push(...await masksOf(pool, order, [one], signal))
    return alone
  }
}

async function explain(pool: Pick<Pool, 'explain'>, { model, info, method, parameters, seed }: ChunkOrder, readable: readonly Readable[], signal: AbortSignal): Promise<Explanation[]> {
  const { explanations } = await pool.explain(model, {
    method, parameters, images: batchOf(readable, info), targets: readable.map(({ row }) => row.outcome!),
    seeds: readable.map(({ row }) => createRandom(seed, 'salient', row.index).uint32()), executor: info.executor.id, company,
  }, { signal })
  return explanations
}

function batchOf(readable: readonly Readable[], { input: { height, width, channels } }: ModelInfo): ImageBatch {
  const data = Float32Array.from(joinedBytes(readable.map(({ bytes }) => bytes)), (value) => value / 255)
  return { count: readable.length, height, width, channels, data }
}

function joinedBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

function joinedFloats(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

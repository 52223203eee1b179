import { createHash } from 'node:crypto'
import { noClass, topClassOf } from '#engine/metrics/top-class.ts'
import type { Pool } from '#pool/pool.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ExecutorId } from '#shared/domain/executor.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import type { ModelInfo, ModelSource } from '#shared/domain/model.ts'
import { probabilitiesOf } from '../classify.ts'
import { nameOf } from '../datasets/describe.ts'
import { seenTruth, type DataItem, type Label, type LoadedItem, type TrueObject } from '../datasets.ts'
import { prepareItem } from '../prepared-input.ts'
import type { Excluded, Subject } from './records.ts'

/** What is explained of a chunk, ready for the engine. */
export interface Prepared {
  subjects: Subject[]
  excluded: Excluded[]
  /** One image per subject. */
  images: ImageBatch
  /** True objects as the classifier sees them, one per subject. */
  objects: (Uint8Array | null)[]
}

interface Seen {
  index: number
  item: DataItem
  loaded: LoadedItem
  image: ImageBatch
  /** Of the picture's bytes. */
  sha256: string
  objects: { object: TrueObject | null; seen: Uint8Array | null; place: number }[]
}

/**
 * Loads a chunk of the data, asks the classifier what it sees, and takes what it sees rightly: one subject for each object of a
 * class that it knows. An image without a class is explained for its top class.
 */
export async function prepareChunk(
  pool: Pick<Pool, 'classify'>, source: ModelSource, info: ModelInfo, executor: ExecutorId, items: readonly { index: number; item: DataItem }[],
): Promise<Prepared> {
  const excluded: Excluded[] = []
  const seen: Seen[] = []
  for (const { index, item } of items) {
    try {
      seen.push(await look(index, item, info))
    } catch (error) {
      if (!(error instanceof MaskscopeError)) throw error
      excluded.push({ image: index, name: item.reference, reason: 'unreadable', label: null, text: error.message })
    }
  }
  const rows = await classifyEach(pool, source, info, executor, seen.map(({ image }) => image))
  const subjects: Subject[] = []
  const images: Float32Array[] = []
  const objects: (Uint8Array | null)[] = []
  seen.forEach((one, i) => {
    const row = rows[i]!
    if (row instanceof MaskscopeError) {
      excluded.push({ image: one.index, name: one.item.reference, reason: 'unanswered', label: null, text: row.message })
      return
    }
    const { found, refused } = subjectsOf(one, row, info)
    if (refused) excluded.push(refused)
    for (const { subject, object } of found) {
      subjects.push(subject)
      images.push(one.image.data)
      objects.push(object)
    }
  })
  excluded.sort((a, b) => a.image - b.image)
  return { subjects, excluded, images: joined(images, info), objects }
}

/** The same chunk again, whose subjects are known: nothing is classified. */
export async function prepareAgain(info: ModelInfo, items: readonly { index: number; item: DataItem }[], subjects: readonly Subject[], excluded: readonly Excluded[]): Promise<Prepared> {
  const seen = new Map<number, Seen>()
  for (const { index, item } of items) {
    if (subjects.some((subject) => subject.image === index)) seen.set(index, await look(index, item, info))
  }
  const images = subjects.map(({ image }) => seen.get(image)!.image.data)
  const objects = subjects.map(({ image, object, truth, name, sha256 }) => {
    const { sha256: now, objects: there } = seen.get(image)!
    const found = there.find(({ place }) => place === object)?.seen ?? null
    const lost = sha256 !== undefined && sha256 !== now ? 'it shows another picture' : truth !== null && found === null ? `its object ${object} is gone` : null
    if (lost !== null) throw new MaskscopeError('input', `${name} is not what it was when the benchmark began: ${lost}. Bring it back, or begin in another folder.`, { subject: name })
    return found
  })
  return { subjects: [...subjects], excluded: [...excluded], images: joined(images, info), objects }
}

async function look(index: number, item: DataItem, info: ModelInfo): Promise<Seen> {
  const loaded = await item.load()
  const { image, view } = await prepareItem(loaded, info)
  // None, where the data knows objects and this image has none.
  const objects = loaded.objects?.map((object, place) => ({ object, seen: seenTruth(object.truth, view), place })) ?? [{ object: null, seen: null, place: 0 }]
  return { index, item, loaded, image, sha256: createHash('sha256').update(loaded.bytes).digest('hex'), objects }
}

/** @returns logits, or why the classifier has none for this image, e.g. since they are no numbers: that costs no other image */
async function classifyEach(
  pool: Pick<Pool, 'classify'>, source: ModelSource, info: ModelInfo, executor: ExecutorId, images: readonly ImageBatch[],
): Promise<(Float32Array | MaskscopeError)[]> {
  if (images.length === 0) return []
  try {
    const logits = await pool.classify(source, joined(images.map(({ data }) => data), info), { executor })
    return images.map((_, i) => logits.subarray(i * info.classes, (i + 1) * info.classes))
  } catch (error) {
    if (!(error instanceof MaskscopeError) || error.code !== 'run') throw error
    if (images.length === 1) return [error]
    const rows: (Float32Array | MaskscopeError)[] = []
    for (const image of images) rows.push(...(await classifyEach(pool, source, info, executor, [image])))
    return rows
  }
}

function subjectsOf({ index, item, loaded, sha256, objects }: Seen, logits: Float32Array, info: ModelInfo): { found: { subject: Subject; object: Uint8Array | null }[]; refused: Excluded | null } {
  const top = topClassOf(logits, info.head)
  const probabilities = probabilitiesOf(logits, info.head)
  const name = item.reference
  const labelOf = (object: TrueObject | null): Label | null => (object ? object.label : (loaded.label ?? null))
  const known = objects.flatMap(({ object, seen, place }) => {
    const label = labelOf(object)
    const target = label === null ? Math.max(0, top || 0) : classOf(label, info)
    return target === null ? [] : [{ object, seen, place, label, target }]
  })
  const first = objects[0] ? labelOf(objects[0].object) : null
  const label = first && nameOf(first)
  const refuse = (reason: Excluded['reason'], text: string): Excluded => ({ image: index, name, reason, label, text })
  if (objects.length === 0) return { found: [], refused: refuse('no-object', 'It has no object, and the others of this data have.') }
  if (known.length === 0) return { found: [], refused: refuse('unknown-class', `None of its classes (${label}) is one of ${info.name}.`) }
  const inMosaic = known[0]!.object?.truth.kind === 'cell'
  // Of a single output that is no probability nothing tells whether it is right.
  if (!inMosaic && !Number.isNaN(top) && known.every(({ label: its, target }) => its !== null && target !== top)) {
    const seen = top === noClass ? `no ${info.labels?.[0] ?? 'class 0'} (${probabilities![0]!.toFixed(3)})` : `${info.labels?.[top] ?? `class ${top}`}${probabilities ? ` (${probabilities[top]!.toFixed(3)})` : ''}`
    return { found: [], refused: refuse('wrong', `The classifier sees ${seen}.`) }
  }
  const visible = known.filter(({ object, seen }) => object === null || seen !== null)
  if (visible.length === 0) return { found: [], refused: refuse('no-object', 'Its object lies outside of what the classifier sees, or is smaller than half a pixel there.') }
  const found = visible.map(({ object, seen, place, label: own, target }) => ({
    object: seen,
    subject: {
      image: index, object: place, name, label: own && nameOf(own), target, probability: probabilities ? probabilities[target]! : null,
      cluster: object?.source ?? name, truth: object?.truth.kind ?? null, sha256,
    },
  }))
  return { found, refused: null }
}

/** A data set's class among the classifier's: by its text where the classifier has labels and knows it, else by its index. */
export function classOf({ text, index }: Label, { labels, classes }: Pick<ModelInfo, 'labels' | 'classes'>): number | null {
  if (text !== undefined && labels) {
    const wanted = text.trim().toLowerCase()
    const whole = labels.findIndex((label) => label.trim().toLowerCase() === wanted)
    if (whole >= 0) return whole
    const among = labels.flatMap((label, i) => (label.split(',').some((synonym) => synonym.trim().toLowerCase() === wanted) ? [i] : []))
    if (among.length === 1) return among[0]!
  }
  return index !== undefined && index < classes ? index : null
}

function joined(images: readonly Float32Array[], { input: { height, width, channels } }: Pick<ModelInfo, 'input'>): ImageBatch {
  const size = height * width * channels
  const data = new Float32Array(images.length * size)
  images.forEach((image, i) => data.set(image, i * size))
  return { count: images.length, height, width, channels, data }
}

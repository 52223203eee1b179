import { createHash } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { modelKey } from '#pool/worker-handle.ts'
import type { Pool } from '#pool/pool.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ModelInfo, ModelSource } from '#shared/domain/model.ts'
import type { ParameterValues } from '#shared/domain/parameters.ts'
import { createFiles, type Files } from '#storage/files.ts'
import type { DataItem } from '../datasets.ts'
import { programVersion } from '../program.ts'
import { explainChunk } from './salient-chunk.ts'
import {
  newSalientManifest, readChunk, readSalientManifest, readSalientSet, wholeChunks, writeChunk, writeSalientManifest, type SalientManifest, type StoredSalientSet,
} from './salient-chunks.ts'
import { labelsOf } from './salient-images.ts'

export interface SalientOrder {
  model: ModelSource
  /** As it was written, for messages and the manifest. */
  data: string
  items: readonly DataItem[]
  method: string
  /** Resolved, see `salientParameters`. */
  parameters: ParameterValues
  seed: number
}

export interface SalientNews {
  /** Images looked at, those without a mask too. */
  done: number
  all: number
  /** Images without a mask so far. */
  failed: number
  /** null as long as nothing is known. */
  secondsLeft: number | null
}

/** Pixels of images that are explained together. It follows from nothing but the size, so that the same ones are together whenever and wherever. */
const pixelsPerChunk = 100_000

/** How many images of a size make a chunk, the unit of work, of storage and of interruption. */
export function imagesPerChunk({ height, width }: { height: number; width: number }): number {
  return Math.min(100, Math.max(4, Math.floor(pixelsPerChunk / (height * width))))
}

/**
 * Computes the masks of all images for the classifier's top class, over all workers, and returns the whole set. What is stored in the folder
 * already is not computed again; a set can be interrupted at any moment and goes on to the same bytes. An image that cannot be read or
 * explained is left out with its reason.
 * @param folder of this set alone
 * @throws MaskscopeError 'usage' where the folder holds another set, 'input' for data that can show nothing about the classifier, 'run' where
 * no image got a mask, 'storage' (what was done stays), 'cancelled'
 */
export async function computeSalientSet(
  pool: Pick<Pool, 'info' | 'backend' | 'capacity' | 'classify' | 'explain'>, order: SalientOrder, folder: string,
  { signal, onNews, files = createFiles() }: { signal: AbortSignal; onNews?(news: SalientNews): void; files?: Files },
): Promise<StoredSalientSet> {
  const stored = await readSalientManifest(folder)
  // Whatever executor began goes on: the last digits are its own.
  const info = await pool.info(order.model, stored ? { executor: stored.executor } : {})
  const labels = await labelsOf(order.items, info, order.data)
  const { id: backend } = await pool.backend()
  const manifest = manifestOf(order, info, stored?.backend ?? backend)
  if (stored) refuseOther(stored, manifest, folder, backend)
  else {
    await files.makeFolder(folder)
    await writeSalientManifest(folder, manifest, files)
  }
  await work(pool, order, { info, labels, manifest, folder, files }, signal, onNews)
  const whole = await readSalientSet(folder)
  checkWhole(whole, info)
  return whole
}

interface Setting {
  info: ModelInfo
  labels: readonly (number | null)[]
  manifest: SalientManifest
  folder: string
  files: Files
}

async function work(
  pool: Pick<Pool, 'capacity' | 'classify' | 'explain'>, order: SalientOrder, setting: Setting, signal: AbortSignal, onNews: ((news: SalientNews) => void) | undefined,
): Promise<void> {
  const { info, labels, manifest, folder, files } = setting
  const { images, chunk: perChunk } = manifest
  const queue: number[] = []
  let [done, failed] = [0, 0]
  const whole = await wholeChunks(folder, files)
  for (let number = 0; number * perChunk < images; number++) {
    const chunk = whole.has(number) ? await readChunk(folder, number, manifest).catch(() => null) : null
    if (!chunk) queue.push(number)
    else {
      done += chunk.rows.length
      failed += chunk.rows.filter(({ failure }) => failure !== null).length
    }
  }
  // A failure of one lane ends the others.
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  setMaxListeners(0, either)
  const [started, before] = [performance.now(), done]
  onNews?.({ done, all: images, failed, secondsLeft: done === images ? 0 : null })

  async function lane(): Promise<void> {
    for (let number = queue.shift(); number !== undefined && !either.aborted; number = queue.shift()) {
      const first = number * perChunk
      const subjects = order.items.slice(first, first + perChunk).map((item, i) => ({ index: first + i, item, label: labels[first + i]! }))
      const chunk = await explainChunk(pool, { ...order, info }, subjects, either)
      await writeChunk(folder, number, chunk, manifest, files)
      done += chunk.rows.length
      failed += chunk.rows.filter(({ failure }) => failure !== null).length
      const seconds = (performance.now() - started) / 1000
      onNews?.({ done, all: images, failed, secondsLeft: (seconds / (done - before)) * (images - done) })
    }
  }

  // One more than there are workers: while one chunk is being stored, another is computed.
  const lanes = Array.from({ length: (await pool.capacity()) + 1 }, () => lane().catch((error: unknown) => {
    stop.abort()
    throw error
  }))
  const ends = await Promise.allSettled(lanes)
  if (signal.aborted) throw new MaskscopeError('cancelled', 'The salient set was cancelled; what was computed is kept.')
  const reasons = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []))
  // Not the lanes that were stopped because of another.
  const cause = reasons.find((reason) => !(reason instanceof MaskscopeError && reason.code === 'cancelled')) ?? reasons[0]
  if (cause !== undefined) throw cause
}

function manifestOf({ model, data, items, method, parameters, seed }: SalientOrder, info: ModelInfo, backend: string): SalientManifest {
  const references = createHash('sha256')
  for (const { reference } of items) references.update(`${reference}\n`)
  const { height, width, channels } = info.input
  return newSalientManifest({
    model: { name: model.name, key: modelKey(model) }, data, images: items.length, references: references.digest('hex'), input: { height, width, channels },
    classes: info.classes, method, parameters, seed, chunk: imagesPerChunk(info.input), executor: info.executor.id, backend, program: programVersion(),
  })
}

function refuseOther(stored: SalientManifest, wanted: SalientManifest, folder: string, backend: string): void {
  const other = (what: string): MaskscopeError =>
    new MaskscopeError('usage', `The folder ${folder} holds a salient set that differs from this one in the ${what}. Choose another folder, or remove this one.`, { subject: folder })
  if (stored.model.key !== wanted.model.key) throw other('model')
  if (stored.data !== wanted.data || stored.images !== wanted.images || stored.references !== wanted.references) throw other('data')
  if (stored.method !== wanted.method) throw other('method')
  if (JSON.stringify(stored.parameters) !== JSON.stringify(wanted.parameters)) throw other('parameters of the method')
  if (stored.seed !== wanted.seed) throw other('seed')
  if (stored.chunk !== wanted.chunk) throw other('size of its chunks')
  if (stored.backend !== backend) throw new MaskscopeError('usage', `The salient set in ${folder} was computed by the backend ${stored.backend}, and here it is ${backend}. Give --backend ${stored.backend}, or another folder.`, { subject: folder })
}

/** @throws MaskscopeError where the set can be used for nothing */
function checkWhole({ set, failures, manifest }: StoredSalientSet, info: ModelInfo): void {
  if (set.count === 0) throw new MaskscopeError('run', `No image of ${manifest.data} got a mask by ${manifest.method}. The first reason: ${failures[0]!.reason}`, { subject: 'method' })
  const first = set.outcomes[0]!
  if (set.count > 1 && set.outcomes.every((outcome) => outcome === first)) {
    throw new MaskscopeError('input', `The classifier ${info.name} gives all images of ${manifest.data} one class (${info.labels?.[first] ?? first}), so keeping it would say nothing; choose other data or another classifier.`, { subject: 'data' })
  }
}

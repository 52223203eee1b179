import { setMaxListeners } from 'node:events'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { findMetric } from '#engine/metrics/registry.ts'
import { modelKey } from '#pool/worker-handle.ts'
import type { Pool } from '#pool/pool.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ModelInfo, ModelSource } from '#shared/domain/model.ts'
import { createFiles } from '#storage/files.ts'
import { takeLock } from '#storage/lock.ts'
import type { DataItem } from '../datasets.ts'
import { persist } from '../persist.ts'
import { programVersion } from '../program.ts'
import type { Entry } from './entries.ts'
import { hindrance, manifestFile, readManifest, type BenchmarkManifest } from './manifest.ts'
import { chunkName, openRecords, type ChunkRecord, type Records, type UnitRecord } from './records.ts'
import { prepareAgain, prepareChunk, type Prepared } from './subjects.ts'
import { compareMaps, performUnit, type Bench } from './units.ts'
import { createTimeLeft } from './time-left.ts'

export interface BenchmarkOrder {
  model: ModelSource
  judge: ModelSource | null
  /** As it was written. */
  data: string
  /** Those that the limit leaves. */
  items: readonly DataItem[]
  entries: readonly Entry[]
  metrics: readonly string[]
  seed: number
  shard: { index: number; count: number } | null
  keepMaps: boolean
}

export interface BenchmarkNews {
  done: number
  total: number
  /** What has just been done; empty before the first. */
  unit: string
  /** null as long as nothing is known. */
  secondsLeft: number | null
  /** What failed so far and may go better next time. */
  failures: Performed['failures']
}

export interface Performing {
  signal: AbortSignal
  onNews?(news: BenchmarkNews): void
  /** The folder is ours: what belongs beside the results can be written. */
  begun?(): Promise<void>
  /**
   * Asked before each piece: what it promises is waited for. It must settle when the signal aborts.
   * @param underWay how many pieces are being worked on at this moment
   */
  hold?(underWay: number): Promise<void> | null
}

export interface Performed {
  manifest: BenchmarkManifest
  /** What failed and may go better next time. */
  failures: { unit: string; error: unknown }[]
}

/** Images that are explained together: it follows from nothing, so that the same ones are together whenever and wherever. */
const imagesPerChunk = 8
export const comparedName = (chunk: number): string => `${chunkName(chunk)}.compared`
export const unitName = (chunk: number, entry: string, draw: number): string => `${chunkName(chunk)}.${entry}.s${draw}`
const imagesEnding = '.images'
export const imagesName = (chunk: number): string => `${chunkName(chunk)}${imagesEnding}`

/**
 * Does what is not done yet. Each piece (a chunk of images by one method with one seed) is stored when it is whole, so that the work can
 * end at any moment and go on later to the same bytes. A folder with fewer images or methods goes on to more of them.
 * @throws MaskscopeError 'usage' where the folder holds another benchmark, 'cancelled'
 */
export async function performBenchmark(
  pool: Pool, order: BenchmarkOrder, folder: string, performing: Performing,
): Promise<Performed> {
  const { signal } = performing
  // Every piece of work that is under way listens to it.
  setMaxListeners(0, signal)
  const files = createFiles()
  const stored = await readManifest(folder)
  // Whatever executor began goes on: the last digits are its own.
  const info = await pool.info(order.model, stored ? { executor: stored.executor } : {})
  const manifest = manifestOf(order, info, stored?.backend ?? (await pool.backend()).id)
  if (stored) {
    const differing = hindrance(stored, manifest)
    if (differing !== null) throw new MaskscopeError('usage', `The folder ${folder} holds a benchmark that differs from this one in the ${differing}. Choose another folder with --out, or remove this one.`, { subject: '--out' })
  }
  const backend = await pool.backend()
  if (backend.id !== manifest.backend) throw new MaskscopeError('usage', `The benchmark in ${folder} was computed by the backend ${manifest.backend}, and here it is ${backend.id}. Give --backend ${manifest.backend}, or another folder.`, { subject: '--out' })
  await files.makeFolder(folder)
  const lock = await takeLock(folder)
  try {
    const records = await openRecords(folder, files)
    if (stored) await requireSameImages(records, order, folder)
    if (!isDeepStrictEqual(stored, manifest)) {
      // First of all: until the manifest is written the folder holds what it held, with some pieces missing.
      if (stored) await makeRoom(records, stored, manifest)
      await files.write(path.join(folder, manifestFile), `${JSON.stringify(manifest, undefined, 2)}\n`)
    }
    await performing.begun?.()
    const bench: Bench = { pool, source: order.model, judge: order.judge, executor: manifest.executor, seed: order.seed, signal }
    const failures = await work(bench, order, manifest, info, records, Math.max(1, await pool.capacity()), performing)
    return { manifest, failures }
  } finally {
    await lock.release()
  }
}

/** What is there belongs to images by their place in the data. @throws MaskscopeError 'usage' where others stand there now */
async function requireSameImages(records: Records, { items, data }: BenchmarkOrder, folder: string): Promise<void> {
  for (const piece of await records.done()) {
    if (!piece.endsWith(imagesEnding)) continue
    const { subjects, excluded } = (await records.read<ChunkRecord>(piece)) ?? { subjects: [], excluded: [] }
    const other = [...subjects, ...excluded].find(({ image, name }) => items[image] !== undefined && items[image].reference !== name)
    if (other === undefined) continue
    throw new MaskscopeError('usage', `The folder ${folder} holds a benchmark of other images: its image ${other.image} was ${other.name}, and now ${data} has ${items[other.image]!.reference} there. Choose another folder with --out, or bring the images back.`, { subject: '--out' })
  }
}

/** Removes what does not hold for more images or methods: the last chunk where it was not full, and comparisons of other methods. */
async function makeRoom(records: Records, stored: BenchmarkManifest, wanted: BenchmarkManifest): Promise<void> {
  const cut = wanted.images > stored.images && stored.images % stored.chunk !== 0 ? `${chunkName(Math.floor(stored.images / stored.chunk))}.` : null
  const others = !isDeepStrictEqual(stored.entries, wanted.entries)
  for (const name of await records.done()) {
    if ((cut !== null && name.startsWith(cut)) || (others && name.endsWith('.compared'))) await records.remove(name)
  }
}

export function manifestOf(order: BenchmarkOrder, info: ModelInfo, backend: string): BenchmarkManifest {
  const model = (source: ModelSource): BenchmarkManifest['model'] => ({ name: source.name, sha256: source.sha256, key: modelKey(source) })
  const { judge, data, items, entries, metrics, seed, shard, keepMaps } = order
  return {
    format: 'maskscope benchmark 1', version: programVersion(), model: model(order.model), judge: judge && model(judge), data, images: items.length,
    entries: entries.map(({ name, method, parameters, draws }) => ({ name, method, parameters, draws })), metrics: [...metrics], seed, chunk: imagesPerChunk,
    executor: info.executor.id, backend, keepMaps, shard,
  }
}

/** How many pieces of work it is in all. */
export function piecesOf(manifest: Pick<BenchmarkManifest, 'images' | 'chunk' | 'shard' | 'entries' | 'metrics'>): number {
  return chunksOf(manifest).length * (manifest.entries.reduce((sum, { draws }) => sum + draws, 0) + (comparing(manifest.metrics).compared.length > 0 ? 1 : 0))
}

/** The chunks that a shard is to make. */
export function chunksOf({ images, chunk, shard }: Pick<BenchmarkManifest, 'images' | 'chunk' | 'shard'>): number[] {
  const all = Array.from({ length: Math.ceil(images / chunk) }, (_, i) => i)
  return shard ? all.filter((i) => i % shard.count === shard.index - 1) : all
}

/** Metrics that compare the methods' maps wait for all of them. */
export function comparing(metrics: readonly string[]): { own: string[]; compared: string[] } {
  const compares = (id: string): boolean => findMetric(id).needs.includes('others')
  return { own: metrics.filter((id) => !compares(id)), compared: metrics.filter(compares) }
}

interface Task {
  chunk: number
  name: string
  /** undefined: comparing the maps of the chunk. */
  entry?: Entry
  draw: number
}

async function work(
  bench: Bench, order: BenchmarkOrder, manifest: BenchmarkManifest, info: ModelInfo, records: Records, capacity: number, { onNews, hold }: Performing,
): Promise<Performed['failures']> {
  const { own, compared } = comparing(manifest.metrics)
  const chunks = chunksOf(manifest)
  const done = await records.done()
  const waiting = new Map<number, number>()
  const queue: Task[] = []
  const after = new Map<number, Task>()
  for (const chunk of chunks) {
    const comparison = compared.length > 0 && !(done.has(comparedName(chunk)) && (await records.read(comparedName(chunk))))
    for (const entry of manifest.entries) {
      for (let draw = 0; draw < entry.draws; draw++) {
        const name = unitName(chunk, entry.name, draw)
        // The maps may have been given up already, where the comparison's record was lost.
        const lacksMaps = comparison && draw === 0 && (await records.readMaps(name)) === undefined
        if (done.has(name) && !lacksMaps && (await records.read<UnitRecord>(name))) continue
        queue.push({ chunk, name, entry, draw })
        waiting.set(chunk, (waiting.get(chunk) ?? 0) + 1)
      }
    }
    if (comparison) {
      const task: Task = { chunk, name: comparedName(chunk), draw: 0 }
      if (waiting.has(chunk)) after.set(chunk, task)
      else queue.push(task)
    }
    if (manifest.entries.length > 0 && !waiting.has(chunk) && !(done.has(imagesName(chunk)) && (await records.read(imagesName(chunk))))) queue.push({ chunk, name: imagesName(chunk), draw: 0 })
  }
  const total = piecesOf(manifest)
  let finished = total - queue.length - after.size
  let underWay = 0
  const prepared = new Map<number, Promise<Prepared>>()
  const failures: Performed['failures'] = []
  const broken = new Set<number>()
  const clock = createTimeLeft()

  function prepare(chunk: number): Promise<Prepared> {
    const known = prepared.get(chunk) ?? load(bench, order, info, records, chunk)
    prepared.set(chunk, known)
    return known
  }

  async function perform(task: Task): Promise<void> {
    const ready = await prepare(task.chunk)
    if (task.name === imagesName(task.chunk)) return
    if (!task.entry) return compare(task, ready)
    const { record, maps, seconds } = await performUnit(bench, task.entry, task.draw, ready, own)
    // Maps first: where the record is, they are.
    const wanted = manifest.keepMaps || (compared.length > 0 && task.draw === 0)
    if (wanted && maps) await records.writeMaps(task.name, { count: ready.subjects.length, height: ready.images.height, width: ready.images.width, data: maps })
    await records.write(task.name, record)
    await records.addSeconds({ unit: task.name, ...seconds, maps: record.maps.filter((map) => map !== null).length })
  }

  async function compare(task: Task, ready: Prepared): Promise<void> {
    const units = new Map<string, { record: UnitRecord; maps: Float32Array }>()
    for (const { name } of manifest.entries) {
      const record = await records.read<UnitRecord>(unitName(task.chunk, name, 0))
      const maps = await records.readMaps(unitName(task.chunk, name, 0))
      if (record && maps) units.set(name, { record, maps })
    }
    await records.write(task.name, await compareMaps(bench, manifest.entries, ready, units, compared))
    if (!manifest.keepMaps) for (const { name } of manifest.entries) await records.removeMaps(unitName(task.chunk, name, 0))
  }

  async function lane(): Promise<void> {
    for (;;) {
      await hold?.(underWay)
      const current = queue.shift()
      if (!current || bench.signal.aborted) return
      underWay++
      const end = clock.begin(current.entry?.name ?? current.name.split('.')[1]!)
      try {
        await persist(() => perform(current), bench.signal)
      } catch (error) {
        if (bench.signal.aborted) return
        failures.push({ unit: current.name, error })
        broken.add(current.chunk)
      } finally {
        underWay--
      }
      end()
      finished++
      const left = (waiting.get(current.chunk) ?? 1) - 1
      waiting.set(current.chunk, left)
      const next = after.get(current.chunk)
      // A comparison that lacks a method would stay that way.
      if (broken.has(current.chunk)) after.delete(current.chunk)
      else if (left <= 0 && next) {
        after.delete(current.chunk)
        waiting.set(current.chunk, 1)
        queue.unshift(next)
      }
      if (waiting.get(current.chunk)! <= 0) prepared.delete(current.chunk)
      onNews?.({ done: finished, total, unit: current.name, secondsLeft: clock.left([...queue, ...after.values()].map(({ entry, name }) => entry?.name ?? name.split('.')[1]!)), failures })
    }
  }

  onNews?.({ done: finished, total, unit: '', secondsLeft: null, failures })
  // One more than there are workers: while one piece is being stored, another computes.
  await Promise.all(Array.from({ length: capacity + 1 }, lane))
  if (bench.signal.aborted) throw new MaskscopeError('cancelled', 'Interrupted.')
  return failures
}

/** What is to be explained of a chunk, as it was settled when it was first looked at. */
async function load(bench: Bench, { items, model }: BenchmarkOrder, info: ModelInfo, records: Records, chunk: number): Promise<Prepared> {
  const own = items.slice(chunk * imagesPerChunk, (chunk + 1) * imagesPerChunk).map((item, i) => ({ index: chunk * imagesPerChunk + i, item }))
  const known = await records.read<ChunkRecord>(imagesName(chunk))
  if (known) return prepareAgain(info, own, known.subjects, known.excluded)
  const prepared = await persist(() => prepareChunk(bench.pool, model, info, bench.executor, own), bench.signal)
  await records.write(imagesName(chunk), { subjects: prepared.subjects, excluded: prepared.excluded })
  return prepared
}

import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import type { Pool } from '#pool/pool.ts'
import { modelKey } from '#pool/worker-handle.ts'
import type { BenchmarkEvent, BenchmarkPlan, BenchmarkRow, WindowBenchmark } from '#shared/contract/benchmark.ts'
import type { OpenImage, OpenModel } from '#shared/contract/models.ts'
import { MaskscopeError, serialiseError } from '#shared/domain/errors.ts'
import type { ParameterValues } from '#shared/domain/parameters.ts'
import { createFiles } from '#storage/files.ts'
import type { DataItem } from '../datasets.ts'
import { resolveWithin, type Reach } from '../datasets/reach.ts'
import type { Handles } from '../handles.ts'
import { itemName } from '../open-data.ts'
import type { OpenImages } from '../open-images.ts'
import type { OpenModels } from '../open-models.ts'
import { createBench, type Bench } from './window-bench.ts'
import { benchmarkCommand } from './window-command.ts'
import { createKnownSeconds } from './known-seconds.ts'
import { manifestFile, type BenchmarkManifest } from './manifest.ts'
import { comparedName, type BenchmarkOrder } from './perform.ts'
import { configurationsFile, writePlaces } from './places.ts'
import { openRecords, type UnitRecord } from './records.ts'
import { seedOf } from './units.ts'
import { tryOne } from './try-one.ts'
import { createBenchmarkModels } from './window-models.ts'
import { cellPictures, type CellPicture } from './window-pictures.ts'
import { createPlanner } from './window-plan.ts'
import { createResultsReader, type ResultsReader } from './window-results.ts'

/** The benchmarks that a window shows: those in the usual folder, and those opened from elsewhere. */
export interface Benchmarks {
  plan(order: WindowBenchmark): Promise<BenchmarkPlan>
  /** Finds out what the methods take. @returns how many were tried */
  try(order: WindowBenchmark, signal: AbortSignal): Promise<number>
  /** @returns its handle @throws MaskscopeError with the field as subject */
  start(order: WindowBenchmark): Promise<string>
  commandFor(order: WindowBenchmark): Promise<string>
  command(benchmark: string): Promise<string>
  open(folder: string): Promise<string>
  forget(benchmark: string): Promise<void>
  pause(benchmark: string): void
  resume(benchmark: string, given: { model: string | null; judge: string | null }): Promise<void>
  cancel(benchmark: string): Promise<void>
  retry(benchmark: string, method: string, given: { model: string | null; judge: string | null }): Promise<void>
  results(benchmark: string): ResultsReader
  pictures(benchmark: string, method: string, subjects: readonly number[]): Promise<CellPicture[]>
  reopen(benchmark: string, method: string, subject: number): Promise<ReopenedCell>
  watch(listener: (event: BenchmarkEvent) => void, signal: AbortSignal): Promise<void>
  /** How many are at work. */
  busy(): number
  /** Ends the work, which goes on later. */
  dispose(): Promise<void>
}

export interface ReopenedCell {
  model: OpenModel | null
  image: OpenImage
  message: string | null
  method: string
  parameters: ParameterValues
  seed: number
  target: number
}

export interface BenchmarksOptions {
  pool: Pool
  handles: Handles
  models: OpenModels
  images: OpenImages
  /** Absolute. */
  usualFolder: string
  reach: Reach | null
  /** Absolute, of those opened from elsewhere; the latest first. */
  recent(): readonly string[]
  remember(folder: string): void
}

/** So many of the usual folder are listed, the latest. */
const mostListed = 100
/** What another program works on is looked at again after so long, in ms. */
const lookEvery = 2000

export function createBenchmarks(options: BenchmarksOptions): Benchmarks {
  const { pool, handles, models, images, usualFolder, reach, recent, remember } = options
  const known = createKnownSeconds()
  const planner = createPlanner({ pool, handles, models, usualFolder, reach, known })
  const found = createBenchmarkModels({ pool, models, reach })
  const benches = new Map<string, Bench>()
  const readers = new Map<string, { manifest: BenchmarkManifest; reader: ResultsReader }>()
  const items = new Map<string, Promise<DataItem[]>>()
  const listeners = new Set<(event: BenchmarkEvent) => void>()
  const tell = (event: BenchmarkEvent): void => listeners.forEach((listener) => listener(event))

  async function benchIn(folder: string, made = false): Promise<{ handle: string; bench: Bench }> {
    if (!made && reach && !path.resolve(folder).startsWith(usualFolder + path.sep)) await reach.check(folder)
    if (made) await createFiles().makeFolder(folder)
    const { handle } = await handles.give(folder)
    const bench = benches.get(handle) ?? createBench({
      pool, folder: path.resolve(folder), handle, onChange: (row) => tell({ type: 'row', row }), onDone: (manifest) => void learn(folder, manifest).catch(() => undefined),
    })
    return { handle, bench }
  }

  async function learn(folder: string, manifest: BenchmarkManifest): Promise<void> {
    known.learn(manifest, await (await openRecords(folder)).seconds())
  }

  function find(benchmark: string): Bench {
    const bench = benches.get(benchmark)
    if (!bench) throw new MaskscopeError('usage', 'This benchmark is not open any more; open its folder again.', { subject: 'benchmark' })
    return bench
  }

  function manifestFor(bench: Bench): BenchmarkManifest {
    const manifest = bench.manifest()
    if (!manifest) throw new MaskscopeError('usage', 'This benchmark has not begun yet.', { subject: 'benchmark' })
    return manifest
  }

  async function adopt(folder: string): Promise<string> {
    const { handle, bench } = await benchIn(folder)
    await bench.look()
    benches.set(handle, bench)
    tell({ type: 'row', row: bench.row() })
    return handle
  }

  /** Those that lie in the usual folder or were opened before. */
  async function scan(): Promise<void> {
    const names = await readdir(usualFolder).catch((): string[] => [])
    const there = [...names.map((name) => path.join(usualFolder, name)), ...recent()].filter((folder) => existsSync(path.join(folder, manifestFile)))
    for (const folder of new Set(there.slice(0, mostListed))) {
      try {
        const { handle, bench } = await benchIn(folder)
        await bench.look()
        benches.set(handle, bench)
      } catch {
        // One that cannot be read says so when it is opened by hand.
      }
    }
  }

  function rows(): BenchmarkRow[] {
    return [...benches.values()].map((bench) => bench.row()).sort((a, b) => Number(bIsLive(b)) - Number(bIsLive(a)) || b.changed.localeCompare(a.changed))
  }

  function itemsOf(data: string): Promise<DataItem[]> {
    const own = items.get(data) ?? resolveWithin(data, reach)
    // The latest alone: a packed one is read whole.
    items.clear()
    items.set(data, own)
    own.catch(() => items.delete(data))
    return own
  }

  async function orderAgain(bench: Bench, given: { model: string | null; judge: string | null }): Promise<BenchmarkOrder> {
    const manifest = manifestFor(bench)
    const [model, judge, data] = await Promise.all([
      found.find(bench.folder, manifest, 'model', given.model), manifest.judge ? found.find(bench.folder, manifest, 'judge', given.judge) : null, resolveWithin(manifest.data, reach),
    ])
    if (data.length < manifest.images) throw new MaskscopeError('input', `The data ${manifest.data} held ${manifest.images} images when it began, and now holds ${data.length}; bring the others back.`, { subject: 'data' })
    const { entries, metrics, seed, shard, keepMaps } = manifest
    return { model: model.source, judge: judge?.source ?? null, data: manifest.data, items: data.slice(0, manifest.images), entries, metrics, seed, shard, keepMaps }
  }

  async function resume(benchmark: string, given: { model: string | null; judge: string | null }): Promise<void> {
    const bench = find(benchmark)
    if (bench.goOn() || bench.working()) return
    bench.begin(await orderAgain(bench, given))
  }

  return {
    plan: planner.plan,
    async try(order, signal) {
      const made = await planner.make(order)
      const unknown = made.order.entries.filter((entry) => known.get({ model: modelKey(made.order.model), executor: made.executor, entry, metrics: made.order.metrics }) === undefined)
      await tryOne(pool, made.order, unknown, signal, ({ entry, executor, seconds }) => known.put({ model: modelKey(made.order.model), executor, entry, metrics: made.order.metrics }, seconds))
      return unknown.length
    },
    async start(asked) {
      const { order, folder, places, configurations } = await planner.make(asked)
      const { handle, bench } = await benchIn(folder, true)
      benches.set(handle, bench)
      if (path.dirname(folder) !== usualFolder) remember(folder)
      if (!bench.goOn()) bench.begin(order, () => writePlaces(folder, places, configurations))
      return handle
    },
    async commandFor(asked) {
      const { order, folder, places } = await planner.make(asked)
      return benchmarkCommand({
        places, data: order.data, methods: asked.methods, metrics: asked.metrics, configurations: asked.configurations === null ? null : handles.path(asked.configurations),
        limit: asked.limit, seed: asked.seed, draws: asked.draws, keepMaps: asked.keepMaps, executor: null, shard: null, folder,
      })
    },
    async command(benchmark) {
      const bench = find(benchmark)
      const manifest = manifestFor(bench)
      const places = await found.places(bench.folder, manifest)
      if (!places) throw new MaskscopeError('input', `Where the model ${manifest.model.name} lies is not known, so no command can name it. Open the model and go on once.`, { subject: 'model' })
      const draws = Math.max(1, ...manifest.entries.map((entry) => entry.draws))
      return benchmarkCommand({
        places, data: manifest.data, methods: manifest.entries.map(({ name }) => name), metrics: manifest.metrics,
        configurations: places.configurations ? path.join(bench.folder, configurationsFile) : null, limit: manifest.images, seed: manifest.seed, draws,
        keepMaps: manifest.keepMaps, executor: manifest.executor, shard: manifest.shard, folder: bench.folder,
      })
    },
    async open(folder) {
      const handle = await adopt(handles.path(folder))
      remember(find(handle).folder)
      return handle
    },
    async forget(benchmark) {
      const bench = find(benchmark)
      await bench.cancel()
      benches.delete(benchmark)
      readers.delete(benchmark)
      tell({ type: 'removed', benchmark })
    },
    pause: (benchmark) => find(benchmark).pause(),
    resume,
    cancel: (benchmark) => find(benchmark).cancel(),
    async retry(benchmark, method, given) {
      const bench = find(benchmark)
      if (bench.working()) throw new MaskscopeError('usage', 'Wait until the benchmark is done, or cancel it; then try the method again.', { subject: 'benchmark' })
      const records = await openRecords(bench.folder)
      for (const name of await records.done()) {
        const [chunk, ...rest] = name.split('.')
        if (rest.join('.').replace(/\.s\d+$/, '') !== method) continue
        if ((await records.read<UnitRecord>(name))?.error == null) continue
        await records.remove(name)
        await records.remove(comparedName(Number(chunk!.slice(1))))
      }
      await resume(benchmark, given)
    },
    results(benchmark) {
      const bench = find(benchmark)
      const manifest = manifestFor(bench)
      const known = readers.get(benchmark)
      if (known?.manifest === manifest) return known.reader
      const reader = createResultsReader(bench.folder, manifest, () => bench.row().done)
      readers.set(benchmark, { manifest, reader })
      return reader
    },
    async pictures(benchmark, method, subjects) {
      const bench = find(benchmark)
      const manifest = manifestFor(bench)
      const all = await this.results(benchmark).subjects()
      const chosen = subjects.flatMap((index) => (all[index] ? [{ index, ...all[index] }] : []))
      const data = await itemsOf(manifest.data).catch(() => null)
      return cellPictures(bench.folder, method, await found.info(bench.folder, manifest), data, chosen)
    },
    async reopen(benchmark, method, index) {
      const bench = find(benchmark)
      const manifest = manifestFor(bench)
      const entry = manifest.entries.find(({ name }) => name === method)
      const at = (await this.results(benchmark).subjects())[index]
      const item = at && (await itemsOf(manifest.data))[at.subject.image]
      if (!entry || !item) throw new MaskscopeError('usage', 'This image is not among those of the benchmark.', { subject: 'image' })
      const image = await images.openItem(item, item.kind, itemName(item))
      const facts = { method: entry.method, parameters: entry.parameters, seed: seedOf(manifest.seed, at.subject, 0), target: at.subject.target }
      try {
        const { place, options: stated } = await found.find(bench.folder, manifest, 'model', null)
        return { model: await models.openAgain(place, manifest.model, stated), image, message: null, ...facts }
      } catch (error) {
        return { model: null, image, message: serialiseError(error, 'input').message, ...facts }
      }
    },
    async watch(listener, signal) {
      await scan()
      listener({ type: 'snapshot', rows: rows() })
      listeners.add(listener)
      const timer = setInterval(() => void lookElsewhere(), lookEvery)
      signal.addEventListener('abort', () => {
        listeners.delete(listener)
        clearInterval(timer)
      }, { once: true })
    },
    busy: () => [...benches.values()].filter((bench) => bench.working()).length,
    async dispose() {
      await Promise.all([...benches.values()].map((bench) => bench.cancel()))
    },
  }

  async function lookElsewhere(): Promise<void> {
    for (const bench of benches.values()) {
      if (bench.row().state !== 'elsewhere') continue
      const before = JSON.stringify(bench.row())
      await bench.look().catch(() => undefined)
      if (JSON.stringify(bench.row()) !== before) tell({ type: 'row', row: bench.row() })
    }
  }
}

function bIsLive({ state }: BenchmarkRow): boolean {
  return state !== 'stopped' && state !== 'finished'
}

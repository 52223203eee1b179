import path from 'node:path'
import { methods } from '#engine/methods/registry.ts'
import { metricsAndVariants } from '#engine/metrics/registry.ts'
import type { Pool } from '#pool/pool.ts'
import { modelKey } from '#pool/worker-handle.ts'
import type { BenchmarkPlan, WindowBenchmark } from '#shared/contract/benchmark.ts'
import { MaskscopeError, serialiseError } from '#shared/domain/errors.ts'
import { resolveScenes, type DataItem, type LoadedItem } from '../datasets.ts'
import { resolveWithin, type Reach } from '../datasets/reach.ts'
import { shortPlace, type Handles } from '../handles.ts'
import { specOf } from '../open-data.ts'
import type { ModelAtHand, OpenModels } from '../open-models.ts'
import { readConfigs } from './configs.ts'
import { whyNotEntry, whyNotMetric, type Configurations, type Possible } from './entries.ts'
import type { KnownSeconds } from './known-seconds.ts'
import { hindrance, readManifest } from './manifest.ts'
import { benchmarkFolder, makeBenchmark } from './order.ts'
import { manifestOf, piecesOf, type BenchmarkOrder } from './perform.ts'
import type { Places } from './places.ts'
import { openRecords } from './records.ts'

export interface PlanParts {
  pool: Pool
  handles: Handles
  models: OpenModels
  /** Absolute; where benchmarks lie unless a person says otherwise. */
  usualFolder: string
  /** null: everything may be read. */
  reach: Reach | null
  known: KnownSeconds
}

/** An order that can be started. */
export interface MadeOrder {
  order: BenchmarkOrder
  folder: string
  places: Places
  configurations: Configurations
  executor: string
}

/** The data of an order, looked at once while nothing else is asked. */
interface DataAtHand {
  spec: string
  items: DataItem[]
  first: LoadedItem
}

export interface Planner {
  /** Never refuses: what stands in the way is told. */
  plan(order: WindowBenchmark): Promise<BenchmarkPlan>
  /** @throws MaskscopeError with the field as subject */
  make(order: WindowBenchmark): Promise<MadeOrder>
}

export function createPlanner(parts: PlanParts): Planner {
  const { pool, handles, models, usualFolder, reach, known } = parts
  let latest: { spec: string; data: Promise<DataAtHand> } | null = null

  function dataOf(spec: string): Promise<DataAtHand> {
    if (latest?.spec !== spec) {
      const data = look(spec)
      const mine = latest = { spec, data }
      data.catch(() => (latest === mine ? (latest = null) : undefined))
    }
    return latest.data
  }

  async function look(spec: string): Promise<DataAtHand> {
    const items = await resolveWithin(spec, reach)
    return { spec, items, first: await items[0]!.load() }
  }

  function specFor(data: WindowBenchmark['data']): string {
    if ('set' in data) return specOf(data.set, handles.path(data.set.place))
    const spec = data.scenes.trim()
    // Only scenes: a path from a page is never looked at.
    const inner = /^mosaic:\d+\((.+)\)(?:\*\d+)?(?:@\d+)?$/s.exec(spec)?.[1] ?? spec
    resolveScenes(inner)
    return spec
  }

  async function make(asked: WindowBenchmark): Promise<MadeOrder> {
    const configurations = await named('configurations', async () => (asked.configurations === null ? {} : readConfigs(handles.path(asked.configurations))))
    const model = await named('model', () => modelOf(asked.model))
    const judge = await named('judge', async () => (asked.judge === null ? null : models.get(asked.judge)))
    const data = await named('data', async () => dataOf(specFor(asked.data)))
    if (asked.methods.length === 0) throw new MaskscopeError('usage', 'Choose at least one method.', { subject: 'methods' })
    if (asked.metrics.length === 0) throw new MaskscopeError('usage', 'Choose at least one metric.', { subject: 'metrics' })
    const order = await named(null, () => makeBenchmark(pool, {
      model, judge, data: data.spec, items: data.items, methods: asked.methods, metrics: asked.metrics, configurations, limit: asked.limit === 0 ? null : asked.limit, shard: null,
      seed: asked.seed, keepMaps: asked.keepMaps, draws: asked.draws,
    }))
    const own: Configurations = ownConfigurations(configurations, order)
    return {
      order, folder: folderFor(asked, path.basename(benchmarkFolder(order))), executor: model.info.executor.id, configurations: own,
      places: {
        model: { place: model.place, stated: model.options }, judge: judge && { place: judge.place, stated: judge.options }, configurations: Object.keys(own).length > 0,
      },
    }
  }

  async function modelOf(handle: string | null): Promise<ModelAtHand> {
    if (handle === null) throw new MaskscopeError('usage', 'Open the model that is explained.', { subject: 'model' })
    return models.get(handle)
  }

  function folderFor({ name, place }: WindowBenchmark, usual: string): string {
    const wanted = name.trim() === '' ? usual : name.trim()
    if (/[\\/:*?"<>|\u0000-\u001f]/.test(wanted) || wanted.startsWith('.')) {
      throw new MaskscopeError('usage', 'The name of a folder has no slashes, colons or other signs of paths, and does not begin with a dot.', { subject: 'name' })
    }
    return path.join(place === null ? usualFolder : handles.path(place), wanted)
  }

  async function plan(asked: WindowBenchmark): Promise<BenchmarkPlan> {
    const model = asked.model === null ? null : await models.get(asked.model).catch(() => null)
    const data = await named('data', async () => dataOf(specFor(asked.data))).catch(() => null)
    const configurations = asked.configurations === null ? {} : await readConfigs(handles.path(asked.configurations)).catch((): Configurations => ({}))
    const possible: Possible | null = model && {
      info: model.info, hasTruth: data?.first.objects !== undefined, hasMosaic: data?.first.truth?.kind === 'cell',
    }
    const names = [...methods.map(({ id }) => id), ...Object.keys(configurations).filter((name) => name.includes('@'))]
    const found: BenchmarkPlan = {
      total: data?.items.length ?? null, images: data ? Math.min(data.items.length, asked.limit ?? Infinity) : null, data: data?.spec ?? '',
      methods: Object.fromEntries(names.map((name) => [name, possible && whyNotEntry(name, configurations, possible)])),
      metrics: Object.fromEntries(metricsAndVariants.map((metric) => [metric.id, possible && sentence(whyNotMetric(metric, possible, asked.methods.length))])),
      folder: { name: asked.name, place: shortPlace(asked.place === null ? usualFolder : handles.path(asked.place)), holds: 'nothing' },
      explanations: null, seconds: null, unknown: 0, problem: null,
    }
    try {
      const made = await make(asked)
      return { ...found, folder: await folderFacts(made, model!), ...await estimate(made) }
    } catch (error) {
      return { ...found, problem: serialiseError(error, 'input') }
    }
  }

  async function folderFacts({ order, folder }: MadeOrder, { info }: ModelAtHand): Promise<BenchmarkPlan['folder']> {
    const place = { name: path.basename(folder), place: shortPlace(path.dirname(folder)) }
    const stored = await readManifest(folder)
    if (!stored) return { ...place, holds: 'nothing' }
    const wanted = manifestOf(order, { ...info, executor: { ...info.executor, id: stored.executor } }, stored.backend)
    if (hindrance(stored, wanted) !== null) return { ...place, holds: 'other' }
    const done = [...await (await openRecords(folder)).done()].filter((name) => !name.endsWith('.images')).length
    return { ...place, holds: done >= piecesOf(wanted) ? 'all' : 'part' }
  }

  async function estimate({ order, executor }: MadeOrder): Promise<Pick<BenchmarkPlan, 'explanations' | 'seconds' | 'unknown'>> {
    const explanations = order.entries.reduce((sum, { draws }) => sum + draws, 0) * order.items.length
    const times = order.entries.map((entry) => ({ draws: entry.draws, seconds: known.get({ model: modelKey(order.model), executor, entry, metrics: order.metrics }) }))
    const unknown = times.filter(({ seconds }) => seconds === undefined).length
    if (unknown > 0) return { explanations, seconds: null, unknown }
    const work = times.reduce((sum, { draws, seconds }) => sum + draws * seconds!, 0) * order.items.length
    return { explanations, seconds: work / Math.max(1, await pool.capacity()), unknown }
  }

  return { plan, make }
}

/** Those of the methods that were asked for. */
export function ownConfigurations(configurations: Configurations, { entries }: Pick<BenchmarkOrder, 'entries'>): Configurations {
  return Object.fromEntries(Object.entries(configurations).filter(([name]) => entries.some((entry) => entry.name === name)))
}

function sentence(reason: string | null): string | null {
  return reason === null ? null : `It ${reason}.`
}

const fields: Readonly<Record<string, string>> = {
  '--methods': 'methods', method: 'methods', '--metrics': 'metrics', metric: 'metrics', '--judge': 'judge', '--out': 'name', '--limit': 'limit', '--data': 'data',
}

/** What goes wrong belongs to this field, or to that of the option it names. */
async function named<T>(field: string | null, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof MaskscopeError)) throw error
    const subject = field ?? fields[error.subject ?? ''] ?? error.subject
    throw new MaskscopeError(error.code, error.message.replace(', given by --judge', ''), { cause: error, ...(subject === undefined ? {} : { subject }) })
  }
}

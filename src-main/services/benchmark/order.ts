import { createHash } from 'node:crypto'
import path from 'node:path'
import type { Pool } from '#pool/pool.ts'
import { modelKey } from '#pool/worker-handle.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { slug } from '#storage/layout.ts'
import { resolveData, type DataItem } from '../datasets.ts'
import type { LoadedModel } from '../models.ts'
import { chooseEntries, chooseMetrics, type Configurations, type Possible } from './entries.ts'
import type { BenchmarkOrder } from './perform.ts'

/** A benchmark as a person asks for it. */
export interface AskedBenchmark {
  model: LoadedModel
  judge: LoadedModel | null
  data: string
  methods: readonly string[] | 'all'
  metrics: readonly string[] | 'all' | 'cheap'
  configurations: Configurations
  /** So many images from the first on. */
  limit: number | null
  shard: { index: number; count: number } | null
  seed: number
  keepMaps: boolean
  /** Seeds per image of a method that draws at random; three where undefined. */
  draws?: number
  /** The images, where somebody has looked at the data already. */
  items?: readonly DataItem[]
}

/** With models as whoever asks knows them. */
export type AskedOf<Model> = Omit<AskedBenchmark, 'model' | 'judge'> & { model: Model; judge: Model | null }

/**
 * Looks at all that can be known before any work: data, methods, metrics and how they fit together.
 * @param left hears of what `all` leaves out
 * @throws MaskscopeError naming what is wrong
 */
export async function makeBenchmark(pool: Pool, asked: AskedOf<Pick<LoadedModel, 'source'>>, left?: (why: string) => void): Promise<BenchmarkOrder> {
  const { model, judge, data, limit, shard, seed, keepMaps, draws } = asked
  if (judge && modelKey(judge.source) === modelKey(model.source)) {
    throw new MaskscopeError('usage', 'The judge is the model itself; a judge is another classifier, which the methods never ask.', { subject: '--judge' })
  }
  if (shard && (shard.index < 1 || shard.index > shard.count)) throw new MaskscopeError('usage', `There is no shard ${shard.index} of ${shard.count}; they are counted from 1.`, { subject: '--shard' })
  const all = asked.items ?? await resolveData(data)
  const items = limit === null ? all : all.slice(0, limit)
  const [first, info] = await Promise.all([items[0]!.load(), pool.info(model.source)])
  if (judge) await pool.info(judge.source)
  const possible: Possible = { info, hasTruth: first.objects !== undefined, hasMosaic: first.truth?.kind === 'cell' }
  const entries = chooseEntries(asked.methods, asked.configurations, possible, { ...(left ? { left } : {}), ...(draws === undefined ? {} : { draws }) })
  if (entries.length === 0) throw new MaskscopeError('usage', 'No method fits the model and the data.', { subject: '--methods' })
  const metrics = chooseMetrics(asked.metrics, possible, entries.length).map(({ id }) => id)
  return { model: model.source, judge: judge?.source ?? null, data, items, entries, metrics, seed, shard, keepMaps }
}

/** Where a benchmark lies when nobody says: the same order leads to the same place. */
export function benchmarkFolder({ model, judge, data, items, entries, metrics, seed, shard, keepMaps }: BenchmarkOrder): string {
  const facts = [modelKey(model), judge && modelKey(judge), data, items.length, entries, metrics, seed, keepMaps]
  const hash = createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 10)
  return path.join('maskscope-benchmarks', `${slug(model.name)}-${hash}${shard ? `-shard-${shard.index}-of-${shard.count}` : ''}`)
}

import { findMetric } from '#engine/metrics/registry.ts'
import type { Pool } from '#pool/pool.ts'
import { truthKey, type DrawnTruth } from '#shared/contract/comparison.ts'
import type { ModelSource } from '#shared/domain/model.ts'
import type { StoredMeasurement } from '#storage/run-metrics.ts'
import { inBatches } from '../batches.ts'
import { measureRun } from '../measure-run.ts'
import type { OpenedStudy } from '../study-keeper.ts'
import type { ComparisonPlace } from './comparisons.ts'
import { truthMask } from './truth.ts'

export interface CellMeasure {
  place: ComparisonPlace
  run: string
  metrics: readonly string[]
  judge: { source: ModelSource; name: string } | null
  /** Drawn or imported; null: the data set's, where it has one. */
  truth: DrawnTruth | null
  pool: Pick<Pool, 'measure' | 'info'>
  signal: AbortSignal
}

/** Measures a finished run of a cell and keeps what came out. @returns all that is known of the run */
export async function measureCell({ place: { opened, file }, run, metrics, judge, truth, pool, signal }: CellMeasure): Promise<StoredMeasurement[]> {
  const { study } = opened
  const stored = await study.readRun(run)
  const ids = metrics.includes('agreement') ? new Set(Object.values(file.runs)) : new Set<string>()
  const entries = (await study.runs()).filter(({ id, state }) => state === 'finished' && id !== run && ids.has(id))
  const others = await inBatches(entries, ({ id }) => study.readRun(id))
  const drawn = truth && await truthMask(study.folder, truth, stored.manifest.order.view.picture)
  const measured = await measureRun(stored, pool, { metrics, judge, others, signal, ...(drawn ? { truth: drawn } : {}) })
  if (!truth || !drawn) return study.storeMetrics(run, measured)
  const source = `Where the object lies was ${truth.source === null ? 'drawn by hand' : `imported from ${truth.source}`}.`
  // With the number stands what it was measured against, so that a truth that is drawn anew does not pass for this one.
  const said = measured.map((one) => (needsObject(one.metric) ? { ...one, parameters: { ...one.parameters, truth: truthKey(truth) }, note: one.note ?? source } : one))
  return study.storeMetrics(run, said)
}

/** What is known of finished runs; those that are gone or unfinished are left out. */
export async function measuredOf({ study }: OpenedStudy, runs: readonly string[]): Promise<{ run: string; evaluations: { forward: number; backward: number }; results: StoredMeasurement[] }[]> {
  const found = await inBatches(runs, async (run) => {
    try {
      const stored = await study.readRun(run)
      return { run, evaluations: { ...stored.manifest.evaluations }, results: await stored.metrics() }
    } catch {
      return null
    }
  })
  return found.filter((entry) => entry !== null)
}

function needsObject(id: string): boolean {
  return findMetric(id).needs.includes('object')
}

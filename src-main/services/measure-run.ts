import { findMetric } from '#engine/metrics/registry.ts'
import { judgePrefix, type JudgedMap, type MetricOutcome } from '#engine/metrics/metric.ts'
import type { Pool } from '#pool/pool.ts'
import type { ModelSource } from '#shared/domain/model.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import { isMask } from '#shared/figure/map-kind.ts'
import { upsample } from '#shared/imaging/interpolation.ts'
import type { StoredMeasurement } from '#storage/run-metrics.ts'
import { seenTruth, type Truth } from './datasets.ts'
import { prepareItem } from './prepared-input.ts'
import { orderAgain } from './rerun.ts'
import type { StoredRun } from './studies.ts'

export interface MeasureOptions {
  /** Ids of metrics. */
  metrics: readonly string[]
  /** A second classifier, where one is at hand. */
  judge: { source: ModelSource; name: string } | null
  /** Other finished runs of the study; those of the same image, model and target are what `agreement` compares with. */
  others: readonly StoredRun[]
  /** In place of what the image's data set tells. */
  truth?: Truth
  signal?: AbortSignal
}

/**
 * Measures the map of a finished run with the model and image that made it.
 * @throws MaskscopeError 'input' where the model is gone, 'usage' for an unknown metric; a metric that fails says so in its own result
 */
export async function measureRun(run: StoredRun, pool: Pick<Pool, 'measure' | 'info'>, { metrics, judge, others, truth: given, signal }: MeasureOptions): Promise<StoredMeasurement[]> {
  for (const id of metrics) findMetric(id)
  const { model: { source }, item: reference } = await orderAgain(run)
  const { order, target, evaluations } = run.manifest
  const info = await pool.info(source, { executor: order.executor })
  const item = await reference.load()
  const { image, view } = await prepareItem(item, info)
  const truth = given ?? item.truth
  const compared: Record<string, JudgedMap> = {}
  for (const other of others) {
    const { order: theirs, target: their } = other.manifest
    const same = theirs.image.seenSha256 === order.image.seenSha256 && theirs.model.sha256 === order.model.sha256 && their.index === target.index
    // Of several runs of a method the latest counts.
    if (same && theirs.method !== order.method) compared[theirs.method] = await judgedMap(other)
  }
  const { outcomes } = await pool.measure(source, {
    method: order.method, methodParameters: order.parameters, image: image.data, target: target.index, seed: order.seed, map: await judgedMap(run),
    object: truth ? seenTruth(truth, view) : null, others: compared, evaluations, metrics: metrics.map((id) => ({ id, parameters: {} })), executor: order.executor,
    ...(judge ? { judge: judge.source } : {}),
  }, signal ? { signal } : {})
  return outcomes.map((outcome) => measurementOf(outcome, judge?.name ?? null))
}

/** At the classifier's input size, as it was when the run ended. */
async function judgedMap(run: StoredRun): Promise<JudgedMap> {
  const { order: { view: { size } }, signed } = run.manifest
  const [own, ranking] = await Promise.all([run.own(), run.ranking()])
  const saliency = upsample(own, size.height, size.width)
  return {
    saliency, ranking: ranking ? upsample(ranking, size.height, size.width) : saliency, signed, mask: isMask(run.manifest),
  }
}

function measurementOf({ id, measurement, error }: MetricOutcome, judge: string | null): StoredMeasurement {
  const { value = Number.NaN, details = {}, curves = [], note } = measurement ?? {}
  return {
    metric: id, parameters: resolveParameters(findMetric(id), {}), value: finite(value),
    details: Object.fromEntries(Object.entries(details).map(([name, detail]) => [name, finite(detail)])),
    curves: curves.map(({ name, x, y }) => ({ name, x: x.map(finite), y: y.map(finite) })),
    note: note ?? null, error, judge: Object.keys(details).some((name) => name.startsWith(judgePrefix)) ? judge : null,
  }
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

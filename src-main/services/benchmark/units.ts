import { judgedMapOf } from '#engine/metrics/judged-map.ts'
import type { JudgedMap, MetricOutcome } from '#engine/metrics/metric.ts'
import type { Pool } from '#pool/pool.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ExecutorId } from '#shared/domain/executor.ts'
import type { ModelSource } from '#shared/domain/model.ts'
import type { Explanation } from '#shared/domain/run.ts'
import { createRandom } from '#shared/random/random.ts'
import type { Entry } from './entries.ts'
import type { ComparedRecord, MapRecord, Subject, UnitRecord, Value } from './records.ts'
import type { Prepared } from './subjects.ts'

/** What the pieces of a benchmark have in common. */
export interface Bench {
  pool: Pick<Pool, 'explain' | 'measure' | 'classify'>
  source: ModelSource
  judge: ModelSource | null
  executor: ExecutorId
  seed: number
  signal: AbortSignal
}

export interface Explained {
  record: UnitRecord
  /** [maps, 2, height, width]: saliency and ranking; null where the method failed. */
  maps: Float32Array | null
  seconds: { explain: number; measure: number }
}

/** Explanations share the cores in the same way however many run at once, so that their last digits do not depend on it. */
const company = 1

/** Failures that would come again: of the method on this model and these images, not of the machine. */
const lasting = ['run', 'unavailable', 'usage', 'input']

/** Explains and measures one chunk by one method with one seed per image. @throws what may go better next time */
export async function performUnit(bench: Bench, entry: Entry, draw: number, prepared: Prepared, metrics: readonly string[]): Promise<Explained> {
  const { subjects, images, objects } = prepared
  if (subjects.length === 0) return { record: { error: null, maps: [] }, maps: null, seconds: { explain: 0, measure: 0 } }
  let explanations: readonly Explanation[]
  let explain: number
  try {
    const job = {
      method: entry.method, parameters: entry.parameters, images, targets: subjects.map(({ target }) => target),
      seeds: subjects.map((subject) => seedOf(bench.seed, subject, draw)), objects, executor: bench.executor, company,
    }
    const explained = await bench.pool.explain(bench.source, job, { signal: bench.signal })
    explanations = explained.explanations
    explain = explained.seconds
  } catch (error) {
    if (!(error instanceof MaskscopeError) || !lasting.includes(error.code)) throw error
    return { record: { error: error.message, maps: [] }, maps: null, seconds: { explain: 0, measure: 0 } }
  }
  const judged = explanations.map(judgedMapOf)
  let measure = 0
  const maps = await Promise.all(explanations.map(async (explanation, i): Promise<MapRecord> => {
    const map = judged[i]!
    const { outcomes, seconds } = await measured(bench, entry, prepared, i, { map, draw, others: {}, evaluations: explanation.evaluations, metrics })
    measure += seconds
    return {
      ...explanation.evaluations, signed: map.signed, range: [limit(map.range[0]), limit(map.range[1])],
      values: valuesOf(outcomes),
    }
  }))
  return { record: { error: null, maps }, maps: stack(judged), seconds: { explain, measure } }
}

/** Metrics that compare the maps of the entries on each image of a chunk. @param units of the first seed, by entry */
export async function compareMaps(
  bench: Bench, entries: readonly Entry[], prepared: Prepared, units: ReadonlyMap<string, { record: UnitRecord; maps: Float32Array }>, metrics: readonly string[],
): Promise<ComparedRecord> {
  const compared: ComparedRecord = {}
  for (const entry of entries) {
    const own = units.get(entry.name)
    if (!own) continue
    compared[entry.name] = await Promise.all(prepared.subjects.map(async (_, i) => {
      const others: Record<string, JudgedMap> = {}
      for (const [name, unit] of units) if (name !== entry.name) others[name] = unstack(unit, i, prepared)
      const { forward, backward } = own.record.maps[i]!
      const { outcomes } = await measured(bench, entry, prepared, i, { map: unstack(own, i, prepared), draw: 0, others, evaluations: { forward, backward }, metrics })
      return valuesOf(outcomes)
    }))
  }
  return compared
}

interface Question {
  map: JudgedMap
  /** Which of its seeds made the map. */
  draw: number
  others: Record<string, JudgedMap>
  evaluations: Explanation['evaluations']
  metrics: readonly string[]
}

async function measured(
  { pool, source, judge, executor, seed, signal }: Bench, { method, parameters }: Entry, { subjects, images, objects }: Prepared, i: number, { metrics, draw, ...question }: Question,
): Promise<{ outcomes: MetricOutcome[]; seconds: number }> {
  if (metrics.length === 0) return { outcomes: [], seconds: 0 }
  const subject = subjects[i]!
  const size = images.height * images.width * images.channels
  return pool.measure(source, {
    method, methodParameters: parameters, image: images.data.slice(i * size, (i + 1) * size), target: subject.target,
    // The same for all methods, so that they are compared on the same draws.
    seed: seedOf(seed, subject, 'measure'),
    // What runs the method again runs it as it was run, so that nothing but what the metric changes is different.
    methodSeed: seedOf(seed, subject, draw), object: objects[i]!, metrics: metrics.map((id) => ({ id, parameters: {} })), ...question,
    ...(judge ? { judge } : {}), executor, company,
  }, { signal })
}

export function seedOf(seed: number, { image, object }: Pick<Subject, 'image' | 'object'>, draw: number | 'measure'): number {
  return createRandom(seed, 'benchmark', image, object, draw).uint32()
}

function valuesOf(outcomes: readonly MetricOutcome[]): Record<string, Value> {
  return Object.fromEntries(outcomes.map(({ id, measurement, error }): [string, Value] => {
    if (!measurement) return [id, { value: null, note: error?.message ?? 'It could not be measured.' }]
    const { value, details, note } = measurement
    return [id, { value: finite(value), ...(details ? { details: mapped(details) } : {}), ...(note === undefined ? {} : { note }) }]
  }))
}

function mapped(details: Readonly<Record<string, number>>): Record<string, number | null> {
  return Object.fromEntries(Object.entries(details).map(([name, value]) => [name, finite(value)]))
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

function limit(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

function stack(maps: readonly JudgedMap[]): Float32Array {
  const pixels = maps[0]!.saliency.data.length
  const data = new Float32Array(maps.length * 2 * pixels)
  maps.forEach(({ saliency, ranking }, i) => {
    data.set(saliency.data, 2 * i * pixels)
    data.set(ranking.data, (2 * i + 1) * pixels)
  })
  return data
}

function unstack({ record, maps }: { record: UnitRecord; maps: Float32Array }, i: number, { images: { height, width } }: Prepared): JudgedMap {
  const pixels = height * width
  const at = (k: number): Float32Array => maps.slice((2 * i + k) * pixels, (2 * i + k + 1) * pixels)
  const { signed, range: [low, high] } = record.maps[i]!
  return { saliency: { height, width, data: at(0) }, ranking: { height, width, data: at(1) }, signed, range: [low ?? -Infinity, high ?? Infinity] }
}

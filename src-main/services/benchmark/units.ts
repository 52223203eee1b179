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

/**
 * Explains and measures one chunk by one method with one seed per image. Where the method fails, it is asked again about each image by
 * itself, so that one image costs no other.
 * @throws what may go better next time
 */
export async function performUnit(bench: Bench, entry: Entry, draw: number, prepared: Prepared, metrics: readonly string[]): Promise<Explained> {
  const all = prepared.subjects.map((_, i) => i)
  if (all.length === 0) return { record: { error: null, maps: [] }, maps: null, seconds: { explain: 0, measure: 0 } }
  const explained = await explainSome(bench, entry, draw, prepared, all)
  const parts = explained.error === null || all.length === 1 ? [explained] : await Promise.all(all.map((i) => explainSome(bench, entry, draw, prepared, [i])))
  const explanations = parts.flatMap(({ found }) => found)
  const judged = explanations.map((explanation) => explanation && judgedMapOf(explanation))
  let measure = 0
  const maps = await Promise.all(explanations.map(async (explanation, i): Promise<MapRecord | null> => {
    const map = judged[i]
    if (!explanation || !map) return null
    const { outcomes, seconds } = await measured(bench, entry, prepared, i, { map, draw, others: {}, evaluations: explanation.evaluations, metrics })
    measure += seconds
    return { ...explanation.evaluations, signed: map.signed, mask: map.mask, values: valuesOf(outcomes) }
  }))
  const error = parts.find((part) => part.error !== null)?.error ?? null
  return { record: { error, maps }, maps: stack(judged, prepared), seconds: { explain: parts.reduce((sum, { seconds }) => sum + seconds, 0), measure } }
}

/** One per subject that is asked about; all null where the method fails. @throws what may go better next time */
async function explainSome(
  bench: Bench, { method, parameters }: Entry, draw: number, { subjects, images, objects }: Prepared, which: readonly number[],
): Promise<{ found: (Explanation | null)[]; error: string | null; seconds: number }> {
  const size = images.height * images.width * images.channels
  const data = new Float32Array(which.length * size)
  which.forEach((i, k) => data.set(images.data.subarray(i * size, (i + 1) * size), k * size))
  try {
    const job = {
      method, parameters, images: { ...images, count: which.length, data }, targets: which.map((i) => subjects[i]!.target),
      seeds: which.map((i) => seedOf(bench.seed, subjects[i]!, draw)), objects: which.map((i) => objects[i]!), executor: bench.executor, company,
    }
    const { explanations, seconds } = await bench.pool.explain(bench.source, job, { signal: bench.signal })
    return { found: [...explanations], error: null, seconds }
  } catch (error) {
    if (!(error instanceof MaskscopeError) || !lasting.includes(error.code)) throw error
    return { found: which.map(() => null), error: error.message, seconds: 0 }
  }
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
      const map = unstack(own, i, prepared)
      if (!map) return {}
      const others: Record<string, JudgedMap> = {}
      for (const [name, unit] of units) {
        const other = name === entry.name ? null : unstack(unit, i, prepared)
        if (other) others[name] = other
      }
      const { forward, backward } = own.record.maps[i]!
      const { outcomes } = await measured(bench, entry, prepared, i, { map, draw: 0, others, evaluations: { forward, backward }, metrics })
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

/** null where there is no map at all; NaN where there is none of an image. */
function stack(maps: readonly (JudgedMap | null)[], { images: { height, width } }: Prepared): Float32Array | null {
  if (maps.every((map) => map === null)) return null
  const pixels = height * width
  const data = new Float32Array(maps.length * 2 * pixels).fill(NaN)
  maps.forEach((map, i) => {
    if (!map) return
    data.set(map.saliency.data, 2 * i * pixels)
    data.set(map.ranking.data, (2 * i + 1) * pixels)
  })
  return data
}

function unstack({ record, maps }: { record: UnitRecord; maps: Float32Array }, i: number, { images: { height, width } }: Prepared): JudgedMap | null {
  const made = record.maps[i]
  if (!made) return null
  const pixels = height * width
  const at = (k: number): Float32Array => maps.slice((2 * i + k) * pixels, (2 * i + k + 1) * pixels)
  const { signed, mask } = made
  return { saliency: { height, width, data: at(0) }, ranking: { height, width, data: at(1) }, signed, mask }
}

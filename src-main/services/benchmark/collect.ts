import { MaskscopeError } from '#shared/domain/errors.ts'
import type { BenchmarkManifest } from './manifest.ts'
import { chunksOf, comparedName, comparing, imagesName, unitName } from './perform.ts'
import type { ChunkRecord, ComparedRecord, Excluded, MapRecord, Records, Subject, UnitRecord, Value } from './records.ts'

/** One method's answers to one metric: one number per subject. */
export interface Column {
  entry: string
  metric: string
  /** Means over the seeds; NaN where there is none. */
  values: number[]
  /** Standard deviation over the seeds; NaN where there are fewer than two. */
  spread: number[]
  /** Means over the seeds, of what a metric says besides. */
  details: Record<string, number>[]
  notes: (string | null)[]
}

export interface Cost {
  entry: string
  /** Means over the seeds, per subject. */
  forward: number[]
  backward: number[]
}

/** All that was found, in the order of the data, the methods and the metrics. */
export interface Results {
  manifest: BenchmarkManifest
  subjects: Subject[]
  excluded: Excluded[]
  columns: Column[]
  costs: Cost[]
  /** Why a method has no maps of some images, by entry: the message and of how many images. */
  errors: { entry: string; message: string; images: number }[]
  /** Of explaining, mean per image by entry; outside of what is the same every time. */
  seconds: Map<string, number>
  /** Pieces that are not there yet. */
  missing: number
}

/**
 * Reads what a benchmark has stored.
 * @param partial what is missing counts nowhere: values of images that a method has not come to are NaN
 * @throws MaskscopeError 'input' naming what is missing, where it is not complete and must be
 */
export async function collectResults(manifest: BenchmarkManifest, records: Records, { partial = false }: { partial?: boolean } = {}): Promise<Results> {
  const { compared } = comparing(manifest.metrics)
  const subjects: Subject[] = []
  const excluded: Excluded[] = []
  const found = new Map(manifest.entries.map(({ name }) => [name, [] as (readonly MapRecord[])[]]))
  const errors = new Map<string, { entry: string; message: string; images: number }>()
  const missing: string[] = []
  for (const chunk of chunksOf(manifest)) {
    const images = await records.read<ChunkRecord>(imagesName(chunk))
    if (!images) {
      missing.push(imagesName(chunk))
      continue
    }
    subjects.push(...images.subjects)
    excluded.push(...images.excluded)
    const comparison = compared.length > 0 ? await records.read<ComparedRecord>(comparedName(chunk)) : {}
    if (!comparison) missing.push(comparedName(chunk))
    for (const { name, draws } of manifest.entries) {
      const units: UnitRecord[] = []
      for (let draw = 0; draw < draws; draw++) {
        const unit = await records.read<UnitRecord>(unitName(chunk, name, draw))
        if (!unit) missing.push(unitName(chunk, name, draw))
        else units.push(unit)
      }
      images.subjects.forEach((_, i) => {
        // With whichever seed it failed.
        const failed = units.find(({ error, maps }) => error !== null && !maps[i])
        if (failed) countError(errors, name, failed.error!)
        const maps = units.flatMap((unit) => (unit.maps[i] ? [unit.maps[i]] : []))
        const extra = comparison?.[name]?.[i]
        // What compares methods was asked of the first seed alone.
        found.get(name)!.push(extra && maps[0] ? [{ ...maps[0], values: { ...maps[0].values, ...extra } }, ...maps.slice(1)] : maps)
      })
    }
  }
  if (missing.length > 0 && !partial) {
    throw new MaskscopeError('input', `The benchmark is not complete: ${missing.length} pieces are missing (${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ', …' : ''}). Run the same command again, or merge all shards.`, { subject: missing[0]! })
  }
  const columns = manifest.entries.flatMap(({ name }) => manifest.metrics.map((metric) => columnOf(name, metric, found.get(name)!)))
  const costs = manifest.entries.map(({ name }): Cost => ({
    entry: name, forward: found.get(name)!.map((maps) => mean(maps.map(({ forward }) => forward))), backward: found.get(name)!.map((maps) => mean(maps.map(({ backward }) => backward))),
  }))
  return { manifest, subjects, excluded, columns, costs, errors: [...errors.values()], seconds: await secondsOf(manifest, records), missing: missing.length }
}

function countError(errors: Map<string, { entry: string; message: string; images: number }>, entry: string, message: string): void {
  const key = `${entry}\n${message}`
  const known = errors.get(key) ?? { entry, message, images: 0 }
  errors.set(key, { ...known, images: known.images + 1 })
}

function columnOf(entry: string, metric: string, subjects: readonly (readonly MapRecord[])[]): Column {
  const values = subjects.map((maps) => maps.flatMap(({ values: own }): Value[] => (own[metric] ? [own[metric]] : [])))
  return {
    entry, metric,
    values: values.map((draws) => mean(numbers(draws))),
    spread: values.map((draws) => deviation(numbers(draws))),
    details: values.map((draws) => {
      const names = [...new Set(draws.flatMap(({ details }) => Object.keys(details ?? {})))]
      return Object.fromEntries(names.map((name) => [name, mean(draws.flatMap(({ details }) => (typeof details?.[name] === 'number' ? [details[name]] : [])))]))
    }),
    notes: values.map((draws) => draws.find(({ note }) => note !== undefined)?.note ?? null),
  }
}

function numbers(draws: readonly Value[]): number[] {
  return draws.flatMap(({ value }) => (value === null ? [] : [value]))
}

/** Seconds of one image by one method, over all that was done, also what was done twice. */
async function secondsOf({ entries }: BenchmarkManifest, records: Records): Promise<Map<string, number>> {
  const sums = new Map<string, { seconds: number; maps: number }>()
  for (const { unit, explain, maps } of await records.seconds()) {
    const entry = entries.find(({ name }) => unit.slice(unit.indexOf('.') + 1).replace(/\.s\d+$/, '') === name)
    if (!entry || maps === 0) continue
    const known = sums.get(entry.name) ?? { seconds: 0, maps: 0 }
    sums.set(entry.name, { seconds: known.seconds + explain, maps: known.maps + maps })
  }
  return new Map([...sums].map(([name, { seconds, maps }]) => [name, seconds / maps]))
}

/** NaN of none. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? NaN : values.reduce((sum, value) => sum + value, 0) / values.length
}

function deviation(values: readonly number[]): number {
  if (values.length < 2) return NaN
  const centre = mean(values)
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1))
}

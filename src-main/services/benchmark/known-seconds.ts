import type { BenchmarkManifest } from './manifest.ts'
import type { Entry } from './entries.ts'
import type { Seconds } from './records.ts'

/** What an explanation with its measurements took before, by what it depends on. */
export interface KnownSeconds {
  /** From what a benchmark has written. */
  learn(manifest: BenchmarkManifest, seconds: readonly Seconds[]): void
  put(of: TimedEntry, seconds: number): void
  /** Per image and seed; undefined where it is not known. */
  get(of: TimedEntry): number | undefined
}

export interface TimedEntry {
  /** `modelKey` */
  model: string
  executor: string
  entry: Pick<Entry, 'method' | 'parameters'>
  metrics: readonly string[]
}

export function createKnownSeconds(): KnownSeconds {
  const known = new Map<string, number>()
  const put = (of: TimedEntry, seconds: number): void => void known.set(keyOf(of), seconds)
  return {
    put,
    get: (of) => known.get(keyOf(of)),
    learn({ model, executor, entries, metrics }, seconds) {
      for (const entry of entries) {
        const own = seconds.filter(({ unit, maps }) => maps > 0 && unit.slice(unit.indexOf('.') + 1).replace(/\.s\d+$/, '') === entry.name)
        const maps = own.reduce((sum, one) => sum + one.maps, 0)
        if (maps > 0) put({ model: model.key, executor, entry, metrics }, own.reduce((sum, { explain, measure }) => sum + explain + measure, 0) / maps)
      }
    },
  }
}

function keyOf({ model, executor, entry: { method, parameters }, metrics }: TimedEntry): string {
  return JSON.stringify([model, executor, method, Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1)), [...metrics].sort()])
}

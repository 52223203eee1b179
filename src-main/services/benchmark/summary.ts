import { setImmediate } from 'node:timers/promises'
import { findMetric } from '#engine/metrics/registry.ts'
import { bootstrapMean, type Interval } from '#shared/statistics/bootstrap.ts'
import { holm } from '#shared/statistics/holm.ts'
import { signFlipTest } from '#shared/statistics/sign-flip.ts'
import { mean, type Column, type Results } from './collect.ts'

/** Against the chosen method, on one metric. */
export interface Comparison {
  /** Mean over the images of this method minus the chosen one. */
  difference: number | null
  /** Paired sign-flip permutation, both sides. */
  p: number | null
  /** Adjusted over all methods on this metric. */
  holm: number | null
}

/** What summary.json holds: no seconds, so that it is the same every time. */
export interface Summary {
  model: string
  judge: string | null
  data: string
  /** Evaluated: the classifier is right. Of an image with several objects each counts. */
  images: number
  /** Not evaluated, by reason. */
  excluded: Record<string, number>
  seed: number
  methods: Record<string, Record<string, { mean: number | null; low: number | null; high: number | null; median: number | null; sd: number | null; n: number; seedSd: number | null }>>
  against: string
  comparisons: Record<string, Record<string, Comparison>>
  /** Means per image. */
  cost: Record<string, { forward: number | null; backward: number | null }>
  errors: Results['errors']
}

export interface SummaryOptions {
  /** The entry that others are compared with. */
  against: string
  /** Of the bootstrap and the permutations; 10,000 where undefined. */
  resamples?: number
}

/** Means with paired bootstrap intervals, and permutation tests against one method, adjusted by Holm on each metric. */
export function summarise(results: Results, options: SummaryOptions): Summary {
  const steps = summarySteps(results, options)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/** The same in small steps, between which others get their turn. */
export async function summariseGently(results: Results, options: SummaryOptions): Promise<Summary> {
  const steps = summarySteps(results, options)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
    await setImmediate()
  }
}

function* summarySteps(results: Results, { against, resamples = 10_000 }: SummaryOptions): Generator<void, Summary> {
  const { manifest, subjects, excluded, columns, costs, errors } = results
  const clusters = subjects.map(({ cluster }) => cluster)
  const find = (entry: string, metric: string): Column => columns.find((column) => column.entry === entry && column.metric === metric)!
  const methods: Summary['methods'] = {}
  for (const { name } of manifest.entries) {
    const of: Summary['methods'][string] = {}
    for (const metric of manifest.metrics) {
      const { values, spread } = find(name, metric)
      const known = values.filter(Number.isFinite)
      const interval: Interval = bootstrapMean(values, { seed: manifest.seed, resamples, clusters })
      of[metric] = {
        mean: plain(interval.mean), low: plain(interval.low), high: plain(interval.high), median: plain(median(known)), sd: plain(deviation(known)), n: known.length,
        seedSd: plain(mean(spread.filter(Number.isFinite))),
      }
      yield
    }
    methods[name] = of
  }
  const comparisons: Summary['comparisons'] = {}
  for (const metric of manifest.metrics.filter((id) => findMetric(id).better !== null)) {
    const others = manifest.entries.map(({ name }) => name).filter((name) => name !== against)
    const differences = others.map((name) => find(name, metric).values.map((value, i) => value - find(against, metric).values[i]!))
    const p: number[] = []
    for (const column of differences) {
      p.push(signFlipTest(column, { seed: manifest.seed, permutations: resamples, clusters }))
      yield
    }
    const adjusted = holm(p)
    comparisons[metric] = Object.fromEntries(others.map((name, i): [string, Comparison] => [
      name, { difference: plain(mean(differences[i]!.filter(Number.isFinite))), p: plain(p[i]!), holm: plain(adjusted[i]!) },
    ]))
  }
  const reasons: Record<string, number> = {}
  for (const { reason } of excluded) reasons[reason] = (reasons[reason] ?? 0) + 1
  return {
    model: manifest.model.name, judge: manifest.judge?.name ?? null, data: manifest.data, images: subjects.length, excluded: reasons, seed: manifest.seed, methods, against, comparisons,
    cost: Object.fromEntries(costs.map(({ entry, forward, backward }) => [entry, { forward: plain(mean(forward.filter(Number.isFinite))), backward: plain(mean(backward.filter(Number.isFinite))) }])),
    errors,
  }
}

/** What `--json` prints: the summary and the seconds of this machine. */
export function withSeconds(summary: Summary, seconds: ReadonlyMap<string, number>): object {
  const cost = Object.entries(summary.cost).map(([name, counts]) => [name, { ...counts, seconds: seconds.get(name) ?? null }])
  return { ...summary, cost: Object.fromEntries(cost) as object }
}

function plain(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

function median(values: readonly number[]): number {
  const ordered = [...values].sort((a, b) => a - b)
  const half = Math.floor(ordered.length / 2)
  return ordered.length === 0 ? NaN : ordered.length % 2 === 1 ? ordered[half]! : (ordered[half - 1]! + ordered[half]!) / 2
}

function deviation(values: readonly number[]): number {
  const centre = mean(values)
  return values.length < 2 ? NaN : Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1))
}

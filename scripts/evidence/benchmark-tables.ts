import { findMetric } from '#engine/metrics/registry.ts'
import { methodOfEntry } from '#services/benchmark/entries.ts'
import { holm } from '#shared/statistics/holm.ts'
import { signFlipTest } from '#shared/statistics/sign-flip.ts'
import type { Found } from './benchmark-work.ts'

/** The mission's own, which are to rank above every rival. */
export const maskSystems = ['neuromask', 'sensitivity-mask', 'de-cam']
export const controls = ['random', 'uniform', 'center', 'edges', 'oracle']
export const judgedBy = ['average-precision', 'iou']

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

export function text(value: number | null | undefined, digits = 3): string {
  return value === null || value === undefined ? '–' : value.toFixed(digits)
}

/** `mean [low, high]` */
export function interval({ summary }: Found, method: string, metric: string): string {
  const of = summary.methods[method]?.[metric]
  return of?.mean === null || of === undefined ? '–' : `${text(of.mean)} [${text(of.low)}, ${text(of.high)}]`
}

/** Methods by a metric, the best first. */
export function ranked({ summary }: Found, metric: string): string[] {
  const sign = findMetric(metric).better === 'lower' ? -1 : 1
  const worth = (name: string): number => {
    const mean = summary.methods[name]![metric]?.mean ?? null
    return mean === null ? -Infinity : sign * mean
  }
  return Object.keys(summary.methods).sort((a, b) => worth(b) - worth(a))
}

export interface Claim {
  system: string
  rival: string
  metric: string
  difference: number
  p: number
  holm: number
}

/** Every mask system against every rival on both metrics, one family of hypotheses. */
export function claims({ results }: Found): Claim[] {
  const { manifest, subjects, columns } = results
  const clusters = subjects.map(({ cluster }) => cluster)
  const names = manifest.entries.map(({ name }) => name)
  const rivals = names.filter((name) => !maskSystems.includes(methodOfEntry(name)) && !controls.includes(name))
  const valuesOf = (entry: string, metric: string): number[] => columns.find((column) => column.entry === entry && column.metric === metric)!.values
  const found = judgedBy.flatMap((metric) => maskSystems.filter((system) => names.includes(system)).flatMap((system) => rivals.map((rival): Claim => {
    const other = valuesOf(rival, metric)
    const differences = valuesOf(system, metric).map((value, i) => value - other[i]!)
    const known = differences.filter(Number.isFinite)
    return {
      system, rival, metric, difference: known.reduce((a, b) => a + b, 0) / known.length, holm: NaN,
      p: signFlipTest(differences, { seed: manifest.seed, clusters }),
    }
  })))
  const adjusted = holm(found.map(({ p }) => p))
  return found.map((claim, i) => ({ ...claim, holm: adjusted[i]! }))
}

/** What the goal says, in words, whichever way it falls. */
export function verdict(found: readonly Claim[]): string {
  const lines = maskSystems.flatMap((system) => {
    const own = found.filter((claim) => claim.system === system)
    if (own.length === 0) return []
    const open = own.filter(({ difference, holm: p }) => !(difference > 0 && p < 0.05))
    if (open.length === 0) return [`- \`${system}\` is above every rival on both metrics (largest Holm p ${text(Math.max(...own.map((claim) => claim.holm)), 4)}).`]
    const shown = open.map(({ rival, metric, difference, holm: p }) => `${rival} on ${metric} (${difference > 0 ? '+' : ''}${text(difference)}, p ${text(p, 4)})`)
    return [`- \`${system}\` is not above ${shown.join(', ')}.`]
  })
  return lines.join('\n')
}

/** All methods down, the metrics given across. */
export function metricsTable(found: Found, metrics: readonly string[]): string {
  const { summary } = found
  const present = metrics.filter((metric) => found.results.manifest.metrics.includes(metric))
  const order = ranked(found, present[0] ?? metrics[0]!)
  return table(['method', ...present], order.map((name) => [name, ...present.map((metric) => text(summary.methods[name]![metric]!.mean))]))
}

/** What a metric says besides: all methods down, its details given across; means over the subjects. */
export function detailsTable(found: Found, metric: string, details: readonly string[]): string {
  const of = (entry: string, name: string): number | null => {
    const known = found.results.columns.find((column) => column.entry === entry && column.metric === metric)!.details.flatMap((one) => (Number.isFinite(one[name]) ? [one[name]!] : []))
    return known.length === 0 ? null : known.reduce((a, b) => a + b, 0) / known.length
  }
  return table(['method', metric, ...details], ranked(found, metric).map((name) => [name, text(found.summary.methods[name]![metric]!.mean), ...details.map((detail) => text(of(name, detail)))]))
}

/** Which scenes are too easy: a median of average precision above .95 without an object. */
export function easyMethods({ summary }: Found): string[] {
  return Object.entries(summary.methods).flatMap(([name, of]) => (name !== 'oracle' && (of['average-precision']?.median ?? 0) > 0.95 ? [name] : []))
}

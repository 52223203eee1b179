import { findMethod, methods } from '#engine/methods/registry.ts'
import { findMetric, metrics } from '#engine/metrics/registry.ts'
import { drawsNothing } from '#engine/methods/method.ts'
import type { Metric } from '#engine/metrics/metric.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { whyNot } from '#shared/domain/method.ts'
import type { ModelInfo } from '#shared/domain/model.ts'
import { resolveParameters, type ParameterValues } from '#shared/domain/parameters.ts'

/** One column of the comparison: a method with its parameters. */
export interface Entry {
  /** The method's id; of one among several of a method `id@what`, e.g. `rise@500`. */
  name: string
  method: string
  /** Complete and validated. */
  parameters: ParameterValues
  /** How many seeds are averaged: 1 of a method that draws nothing. */
  draws: number
}

/** Parameters by the name of an entry, as a configs file or a tuner gives them. */
export type Configurations = Readonly<Record<string, Record<string, unknown>>>

/** What of the data and the models decides which methods and metrics are possible. */
export interface Possible {
  info: ModelInfo
  hasTruth: boolean
  hasMosaic: boolean
}

/** Seeds per image of a method that draws at random. */
export const drawsOfRandom = 3

/** `id` or `id@what` */
export function methodOfEntry(name: string): string {
  return name.split('@')[0]!
}

/**
 * The entries that `--methods` names. `all`: every method that fits the model and the data.
 * @param left hears of methods that `all` leaves out, and why
 * @throws MaskscopeError 'usage' for unknown or doubled names and wrong parameters, 'unavailable' for a named method that does not fit
 */
export function chooseEntries(
  names: readonly string[] | 'all', configurations: Configurations, possible: Possible, { left, draws = drawsOfRandom }: { left?(why: string): void; draws?: number } = {},
): Entry[] {
  if (names === 'all') {
    return methods.flatMap((method) => {
      const found = fittingEntry(method.id, configurations, possible, draws)
      if (typeof found !== 'string') return [found]
      left?.(found)
      return []
    })
  }
  requireDistinct(names, 'method')
  return names.map((name) => {
    const found = fittingEntry(name, configurations, possible, draws)
    if (typeof found !== 'string') return found
    throw new MaskscopeError('unavailable', `${found} Leave ${name} out, or choose other data or another model.`, { subject: '--methods' })
  })
}

/** Why a method, with its configuration, is not possible here; null: it is. */
export function whyNotEntry(name: string, configurations: Configurations, possible: Possible): string | null {
  const found = fittingEntry(name, configurations, possible, 1)
  return typeof found === 'string' ? found : null
}

/** @returns the entry, or why there can be none with this model and data */
function fittingEntry(name: string, configurations: Configurations, { info, hasTruth }: Possible, draws: number): Entry | string {
  const method = findMethod(methodOfEntry(name))
  const reason = whyNot(method, info, hasTruth)
  if (reason !== null) return reason
  const entry = entryOf(name, configurations, draws)
  return method.whyNotWith?.(entry.parameters, info, hasTruth) ?? entry
}

function entryOf(name: string, configurations: Configurations, draws: number): Entry {
  const id = methodOfEntry(name)
  const given = configurations[name]
  if (name !== id && !given) throw new MaskscopeError('usage', `The configs file says nothing of ${name}; name one that it has, or ${id} alone.`, { subject: '--methods' })
  const method = findMethod(id)
  const parameters = resolveParameters(method, given ?? {})
  return { name, method: id, parameters, draws: drawsNothing(method, parameters) ? 1 : draws }
}

/**
 * The metrics that `--metrics` names. `all`: every one that is possible here; `cheap`: of those, the ones that do not run methods again.
 * @throws MaskscopeError 'usage' for unknown or doubled names, 'unavailable' for a named one that is not possible here
 */
export function chooseMetrics(names: readonly string[] | 'all' | 'cheap', possible: Possible, entries: number): Metric[] {
  if (names === 'all' || names === 'cheap') {
    return metrics.filter((metric) => whyNotMetric(metric, possible, entries) === null && (names === 'all' || metric.cost !== 'dear'))
  }
  requireDistinct(names, 'metric')
  return names.map((name) => {
    const metric = findMetric(name)
    const reason = whyNotMetric(metric, possible, entries)
    if (reason !== null) throw new MaskscopeError('unavailable', `${metric.title} ${reason}; leave ${name} out.`, { subject: '--metrics' })
    return metric
  })
}

/** What stands between a metric and the data, the models and the number of methods, to follow its title; null: nothing. */
export function whyNotMetric({ needs }: Metric, { info, hasTruth, hasMosaic }: Possible, entries: number): string | null {
  for (const need of needs) {
    if (need === 'object' && (!hasTruth || hasMosaic)) return 'needs the true object, which this data does not have'
    if (need === 'mosaic' && !hasMosaic) return 'needs mosaics, as mosaic:2(DATA) makes them'
    if (need === 'others' && entries < 2) return 'compares methods, and there is only one'
    if (need === 'graph' && info.multiplyAdds === null) return `looks into the layers, and those of ${info.name} cannot be looked into`
  }
  return null
}

function requireDistinct(names: readonly string[], what: string): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new MaskscopeError('usage', `The ${what} ${twice} is named twice.`, { subject: `--${what}s` })
  if (names.length === 0) throw new MaskscopeError('usage', `No ${what} is named.`, { subject: `--${what}s` })
}

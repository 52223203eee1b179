import { findMethod } from '#engine/methods/registry.ts'
import type { Method } from '#engine/methods/method.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { resolveParameters, type Parameter, type ParameterValue, type ParameterValues } from '#shared/domain/parameters.ts'
import { createRandom, type Random } from '#shared/random/random.ts'
import type { Configurations } from './entries.ts'
import type { Summary } from './summary.ts'

/** What is maximised. */
export const tunedMetric = 'average-precision'

/**
 * Configurations of a method, drawn from the ranges that its parameters declare: the first is what it does by itself, so that tuning
 * never makes it worse on the tuning data. The same seed draws the same.
 * @returns as many as asked for, fewer only where the ranges hold fewer
 */
export function drawConfigurations(method: Method, count: number, seed: number): ParameterValues[] {
  const tunable = method.parameters.filter((parameter) => parameter.tune !== undefined)
  const found = [resolveParameters(method, {})]
  const seen = new Set([keyOf(found[0]!)])
  // Ranges of few values give the same again and again.
  for (let attempt = 0; found.length < count && tunable.length > 0 && attempt < 50 * count; attempt++) {
    const random = createRandom(seed, 'tune', method.id, attempt)
    const drawn = Object.fromEntries(tunable.map((parameter) => [parameter.name, draw(parameter, random)]))
    const values = resolveParameters(method, drawn)
    const key = keyOf(values)
    if (seen.has(key)) continue
    seen.add(key)
    found.push(values)
  }
  return found
}

function keyOf(values: ParameterValues): string {
  return JSON.stringify(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function draw(parameter: Parameter, random: Random): ParameterValue {
  const { tune } = parameter
  if (!tune) throw new RangeError(`${parameter.name} has no range to tune in`)
  if ('values' in tune) return tune.values[random.below(tune.values.length)]!
  if (parameter.type !== 'number') throw new RangeError(`${parameter.name} is no number and has an interval to tune in`)
  const { min, max } = tune
  const at = random.uniform()
  const value = parameter.logarithmic && min > 0 ? min * (max / min) ** at : min + (max - min) * at
  if (parameter.integer) return Math.min(max, Math.max(min, Math.round(value)))
  return Number(Math.min(max, Math.max(min, value)).toPrecision(4))
}

/** Entries `id@0`, `id@1`, … of the methods' configurations. */
export function configurationsToTry(ids: readonly string[], count: number, seed: number): Configurations {
  if (!Number.isInteger(count) || count < 1) throw new MaskscopeError('usage', `The number of configurations is ${count}; it must be a whole number from 1.`, { subject: '--configurations' })
  return Object.fromEntries(ids.flatMap((id) => drawConfigurations(findMethod(id), count, seed).map((values, i) => [`${id}@${i}`, values])))
}

export interface Tuned {
  tuned: { model: string; data: string; images: number; metric: string; configurations: number; seed: number }
  /** The best configuration of each method. */
  methods: Record<string, Record<string, unknown>>
  /** What each was compared with: its default's mean, its own, and of how many. */
  scores: Record<string, { default: number | null; best: number | null; tried: number }>
}

/** What a method does by itself and the best others of a round, which a second round then tries on further images. @param count in all */
export function finalists(id: string, configurations: Configurations, round: Summary, count: number): Configurations {
  const [first, ...others] = triedOf(id, configurations)
  const best = others.sort((a, b) => meanOver([round], b) - meanOver([round], a)).slice(0, count - 1)
  return Object.fromEntries([first!, ...best].map((name) => [name, configurations[name]!]))
}

/**
 * The best of each method by the mean; of equal ones the first.
 * @param rounds on different images; what was not tried in all of them cannot be chosen
 */
export function chooseBest(ids: readonly string[], configurations: Configurations, rounds: readonly Summary[], asked: { configurations: number; seed: number }): Tuned {
  const methods: Tuned['methods'] = {}
  const scores: Tuned['scores'] = {}
  for (const id of ids) {
    const tried = triedOf(id, configurations)
    const mean = (name: string): number => meanOver(rounds, name)
    const best = tried.reduce((leader, name) => (mean(name) > mean(leader) ? name : leader))
    methods[id] = configurations[best]!
    const score = (name: string): number | null => (Number.isFinite(mean(name)) ? mean(name) : null)
    scores[id] = { default: score(tried[0]!), best: score(best), tried: tried.length }
  }
  const [{ model }] = rounds as [Summary]
  return { tuned: { model, data: rounds.map(({ data }) => data).join(', '), images: imagesOf(rounds), metric: tunedMetric, ...asked }, methods, scores }
}

function triedOf(id: string, configurations: Configurations): string[] {
  return Object.keys(configurations).filter((name) => name.startsWith(`${id}@`))
}

/** Over the images of all rounds; -Infinity for what was not tried in one of them, or failed on an image: what is left may be the easier ones. */
function meanOver(rounds: readonly Summary[], name: string): number {
  const sumOf = ({ images, methods }: Summary): number => {
    const { mean, n } = methods[name]?.[tunedMetric] ?? { mean: null, n: 0 }
    return mean === null || n < images ? -Infinity : images * mean
  }
  return rounds.reduce((sum, round) => sum + sumOf(round), 0) / imagesOf(rounds)
}

function imagesOf(rounds: readonly Summary[]): number {
  return rounds.reduce((sum, { images }) => sum + images, 0)
}

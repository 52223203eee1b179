import { methods } from '#engine/methods/registry.ts'
import { findMetric } from '#engine/metrics/registry.ts'
import { methodOfEntry } from './entries.ts'
import type { Summary } from './summary.ts'

/**
 * The method that is better on a metric than every other, as far as the numbers allow to say so: against each other method either the
 * intervals lie apart, or the paired test between the two holds after Holm (it is known where one of them is the method that all are
 * compared with). What uses the true object is no rival. @returns null where there is none
 */
export function bestOf({ methods, comparisons, against }: Pick<Summary, 'methods' | 'comparisons' | 'against'>, metric: string): string | null {
  const { better } = findMetric(metric)
  if (better === null) return null
  const sign = better === 'higher' ? 1 : -1
  const rivals = rivalsOn({ methods }, metric)
  if (rivals.length < 2) return null
  const meanOf = (name: string): number => sign * methods[name]![metric]!.mean!
  const first = rivals.reduce((leader, name) => (meanOf(name) > meanOf(leader) ? name : leader))
  const beats = (other: string): boolean => {
    const [own, its] = [methods[first]![metric]!, methods[other]![metric]!]
    const apart = sign === 1 ? own.low !== null && its.high !== null && own.low > its.high : own.high !== null && its.low !== null && own.high < its.low
    const tested = first === against ? other : other === against ? first : null
    const p = tested === null ? null : (comparisons[metric]?.[tested]?.holm ?? null)
    return meanOf(first) > meanOf(other) && (apart || (p !== null && p < 0.05))
  }
  return rivals.every((name) => name === first || beats(name)) ? first : null
}

/**
 * The methods whose means on a metric can be compared: those that have a value for the most images. A method that failed on some, which
 * may be the harder ones, is none, nor is one that uses the true object.
 */
export function rivalsOn({ methods }: Pick<Summary, 'methods'>, metric: string): string[] {
  const found = Object.keys(methods).filter((name) => methods[name]![metric]!.mean !== null && !usesTruth(name))
  const most = Math.max(...found.map((name) => methods[name]![metric]!.n))
  return found.filter((name) => methods[name]![metric]!.n === most)
}

/** Whether an entry's method is given what others look for. */
export function usesTruth(entry: string): boolean {
  return methods.some(({ id, needs }) => id === methodOfEntry(entry) && needs?.includes('object'))
}

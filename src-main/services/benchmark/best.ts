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
  const rivals = Object.keys(methods).filter((name) => methods[name]![metric]!.mean !== null && !usesTruth(name))
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

/** Whether an entry's method is given what others look for. */
export function usesTruth(entry: string): boolean {
  return methods.some(({ id, needs }) => id === methodOfEntry(entry) && needs?.includes('object'))
}

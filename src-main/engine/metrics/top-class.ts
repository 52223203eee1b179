import type { Head } from '#shared/domain/score.ts'

/** What stands for the top class of a model with one output, where that is less likely than not. */
export const noClass = -1

/**
 * The class of the largest logit, the first of several equal ones. A single output that is a probability is the top class from one half on.
 * @param row logits of one image
 * @returns `noClass` where a single output says no; NaN where a single output is no probability, so that nothing decides
 */
export function topClassOf(row: ArrayLike<number>, head: Head): number {
  if (row.length === 1) return head === 'sigmoid' ? (row[0]! >= 0 ? 0 : noClass) : NaN
  let best = 0
  for (let k = 1; k < row.length; k++) if (row[k]! > row[best]!) best = k
  return best
}

import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ModelInfo } from '#shared/domain/model.ts'
import type { Head } from '#shared/domain/score.ts'

/** log p and log(1 − p) of one class, from logits, without cancellation at either end. */
export interface LogProbabilities {
  /** log p */
  hit: number
  /** log(1 − p) */
  miss: number
}

/**
 * @param logits of one image
 * @param head `softmax` over all classes or `sigmoid` of each
 */
export function logProbabilities(logits: Float32Array, target: number, head: Head): LogProbabilities {
  const own = logits[target]!
  if (head === 'sigmoid') return { hit: -softplus(-own), miss: -softplus(own) }
  let top = -Infinity
  for (let k = 0; k < logits.length; k++) if (k !== target && logits[k]! > top) top = logits[k]!
  let others = 0
  for (let k = 0; k < logits.length; k++) if (k !== target) others += Math.exp(logits[k]! - top)
  // log-odds = own − logsumexp(others)
  const odds = own - top - Math.log(others)
  return { hit: -softplus(-odds), miss: -softplus(odds) }
}

/** log(1 + e^x) */
function softplus(x: number): number {
  return x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x))
}

/** @throws MaskscopeError 'unavailable' where the outputs are not probabilities and nobody said how to make them so. */
export function requireProbabilities(info: ModelInfo, method: string): void {
  if (info.head !== 'none') return
  throw new MaskscopeError(
    'unavailable',
    `${method} needs class probabilities, and the head of ${info.name} is not known; state "head": "softmax" or "sigmoid" in its model card.`,
    { subject: 'head' },
  )
}

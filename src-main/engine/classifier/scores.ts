import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Head, Score } from '#shared/domain/score.ts'

export interface ScoresAndSeeds {
  /** One per image. */
  scores: Float32Array
  /** d score / d logits, [count, classes]. */
  seeds: Float32Array
}

/**
 * Scores and their closed-form derivatives with respect to the logits, stable for logits of any size.
 * With softmax probabilities p: d p_t = p_t(e_t − p); d log p_t = e_t − p; the log-odds log(p_t/(1 − p_t)) are
 * z_t − log Σ_{j≠t} e^{z_j}, with derivative e_t − softmax over the others; the margin is z_t − max_{j≠t} z_j. With
 * independent sigmoids the log-odds are the logit.
 * @param logits [count, classes], row-major
 * @param scores one per image
 * @throws MaskscopeError 'usage' for a target out of range, 'unavailable' for a score that the head does not have.
 */
export function scoresAndSeeds(logits: Float32Array, classes: number, scores: readonly Score[], head: Head): ScoresAndSeeds {
  checkScores(scores, classes, head)
  const values = new Float32Array(scores.length)
  const seeds = new Float32Array(scores.length * classes)
  scores.forEach((score, i) => {
    const row = logits.subarray(i * classes, (i + 1) * classes)
    values[i] = scoreOf(row, score, head, seeds.subarray(i * classes, (i + 1) * classes))
  })
  return { scores: values, seeds }
}

/** Before any work is done: that every target exists and the head offers every score. */
export function checkScores(scores: readonly Score[], classes: number, head: Head): void {
  for (const { kind, target } of scores) {
    if (!Number.isInteger(target) || target < 0 || target >= classes) {
      throw new MaskscopeError('usage', `Target ${target} is out of range: the model has the classes 0 to ${classes - 1}.`, { subject: 'target' })
    }
    if (head === 'none' && kind !== 'logit' && kind !== 'margin') {
      throw new MaskscopeError('unavailable', `The score ${kind} needs probabilities, and the model's outputs are not: choose the logit, or state "head" in the model card.`, { subject: 'score' })
    }
    if (kind === 'margin' && classes === 1) {
      throw new MaskscopeError('unavailable', 'The margin needs a second class, and the model has one output: choose another score.', { subject: 'score' })
    }
    if (classes === 1 && head === 'softmax') {
      throw new MaskscopeError('unavailable', 'A softmax over one class is always 1: state another "head" in the model card.', { subject: 'head' })
    }
  }
}

/** The score of one image; writes its derivative into `seed`, which comes in as zeros, where there is one. */
function scoreOf(z: Float32Array, { kind, target }: Score, head: Head, seed?: Float32Array): number {
  const own = z[target]!
  if (kind === 'logit') {
    if (seed) seed[target] = 1
    return own
  }
  if (kind === 'margin') {
    let rival = target === 0 ? 1 : 0
    for (let j = 0; j < z.length; j++) if (j !== target && z[j]! > z[rival]!) rival = j
    if (seed) {
      seed[target] = 1
      seed[rival] = -1
    }
    return own - z[rival]!
  }
  return head === 'sigmoid' ? sigmoidScore(own, kind, target, seed) : softmaxScore(z, kind, target, seed)
}

function sigmoidScore(z: number, kind: Score['kind'], target: number, seed?: Float32Array): number {
  // σ(−|z|) and 1 + e^−|z| never overflow
  const small = Math.exp(-Math.abs(z))
  const p = z >= 0 ? 1 / (1 + small) : small / (1 + small)
  const q = z >= 0 ? small / (1 + small) : 1 / (1 + small)
  if (seed) seed[target] = kind === 'probability' ? p * q : kind === 'log-probability' ? q : 1
  switch (kind) {
    case 'probability':
      return p
    case 'log-probability':
      return Math.min(z, 0) - Math.log1p(small)
    default:
      return z
  }
}

function softmaxScore(z: Float32Array, kind: Score['kind'], target: number, seed?: Float32Array): number {
  // log of the sum over the other classes, without cancellation
  let max = -Infinity
  for (let j = 0; j < z.length; j++) if (j !== target && z[j]! > max) max = z[j]!
  let sum = 0
  for (let j = 0; j < z.length; j++) if (j !== target) sum += Math.exp(z[j]! - max)
  const odds = z[target]! - (max + Math.log(sum))
  // p = σ(odds); the others share 1 − p in proportion to their own softmax
  const small = Math.exp(-Math.abs(odds))
  const p = odds >= 0 ? 1 / (1 + small) : small / (1 + small)
  if (seed) {
    const rest = odds >= 0 ? small / (1 + small) : 1 / (1 + small)
    const factor = kind === 'probability' ? p * rest : kind === 'log-probability' ? rest : 1
    for (let j = 0; j < z.length; j++) seed[j] = j === target ? factor : -factor * (Math.exp(z[j]! - max) / sum)
  }
  switch (kind) {
    case 'probability':
      return p
    case 'log-probability':
      return Math.min(odds, 0) - Math.log1p(small)
    default:
      return odds
  }
}

/** The score of each row of logits for the same target, without derivatives. @throws as `scoresAndSeeds` */
export function scoreValues(rows: readonly Float32Array[], score: Score, head: Head): Float32Array {
  if (rows.length > 0) checkScores([score], rows[0]!.length, head)
  return Float32Array.from(rows, (row) => scoreOf(row, score, head))
}

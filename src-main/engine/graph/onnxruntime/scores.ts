import type { Head, ScoreKind } from '#shared/domain/score.ts'
import type { Emitter } from './emitter.ts'
import type { Stored } from './layout.ts'

export interface EmittedScores {
  /** [n] */
  scores: string
  /** d score / d logits, [n, classes]. */
  seed: Stored
}

/**
 * The score of each image and its derivative with respect to the logits, in the closed forms of `scoresAndSeeds`, stable
 * for logits of any size. Callers have checked that the head has the score.
 * @param logits [n, classes]
 * @param targets int64 [n]
 */
export function emitScores(emitter: Emitter, logits: Stored, targets: string, kind: ScoreKind, head: Head): EmittedScores {
  emitter.within(`score ${kind}`)
  const classes = logits.shape[1]!
  const z = emitter.natural(logits)
  const chosen = emitter.reshape(targets, [logits.shape[0]!, 1])
  const own = emitter.op('GatherElements', [z, chosen], { axis: 1 })
  const oneHot = (index: string): string => emitter.op('OneHot', [index, emitter.ints([classes]), emitter.floats([2], [0, 1])])
  const found = (score: string, seed: string): EmittedScores => (
    { scores: emitter.reshape(score, [logits.shape[0]!]), seed: { ...logits, name: seed, order: [0, 1] } }
  )
  const isTarget = oneHot(targets)
  if (kind === 'logit' || (head === 'sigmoid' && kind === 'log-odds')) return found(own, isTarget)
  if (head === 'sigmoid' && kind !== 'margin') {
    const { score, slope } = ofOdds(emitter, own, kind)
    return found(score, emitter.op('Mul', [isTarget, slope]))
  }
  const minusInfinity = emitter.op('Sub', [own, emitter.scalar(Infinity)])
  const others = emitter.op('ScatterElements', [z, chosen, minusInfinity], { axis: 1 })
  const most = emitter.op('ReduceMax', [others, emitter.ints([1])], { keepdims: 1 })
  if (kind === 'margin') {
    // of equal rivals the first
    const rival = oneHot(emitter.op('ArgMax', [others], { axis: 1, keepdims: 0 }))
    return found(emitter.op('Sub', [own, most]), emitter.op('Sub', [isTarget, rival]))
  }
  // the log-odds are z − log Σ e^z of the others; the others share 1 − p by their own softmax
  const exponentials = emitter.op('Exp', [emitter.op('Sub', [others, most])])
  const sum = emitter.op('ReduceSum', [exponentials, emitter.ints([1])], { keepdims: 1 })
  const odds = emitter.op('Sub', [emitter.op('Sub', [own, most]), emitter.op('Log', [sum])])
  const direction = emitter.op('Sub', [isTarget, emitter.op('Div', [exponentials, sum])])
  if (kind === 'log-odds') return found(odds, direction)
  const { score, slope } = ofOdds(emitter, odds, kind)
  return found(score, emitter.op('Mul', [direction, slope]))
}

/** p = σ(odds) or its logarithm, and the slope along the odds: p(1 − p) or 1 − p. */
function ofOdds(emitter: Emitter, odds: string, kind: ScoreKind): { score: string; slope: string } {
  const op = (type: string, ...inputs: string[]): string => emitter.op(type, inputs)
  const [zero, one, two] = [emitter.scalar(0), emitter.scalar(1), emitter.scalar(2)]
  // e^−|odds| never overflows
  const small = op('Exp', op('Neg', op('Abs', odds)))
  const whole = op('Add', small, one)
  const isPositive = op('GreaterOrEqual', odds, zero)
  const rest = op('Div', op('Where', isPositive, small, one), whole)
  if (kind === 'probability') {
    const p = op('Div', op('Where', isPositive, one, small), whole)
    return { score: p, slope: op('Mul', p, rest) }
  }
  // log(1 + s) = 2·artanh(s / (2 + s)), which keeps the digits of a small s
  const logarithm = op('Mul', op('Atanh', op('Div', small, op('Add', small, two))), two)
  return { score: op('Sub', op('Min', odds, zero), logarithm), slope: rest }
}

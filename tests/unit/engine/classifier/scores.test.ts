import { expect, test } from 'vitest'
import { scoresAndSeeds } from '#engine/classifier/scores.ts'
import type { Head, ScoreKind } from '#shared/domain/score.ts'
import { scoreKinds } from '#shared/domain/score.ts'

const logits = [0.3, -1.2, 2.1, 0.9]

function score(z: readonly number[], kind: ScoreKind, target: number, head: Head): { value: number; seed: Float32Array } {
  const { scores, seeds } = scoresAndSeeds(Float32Array.from(z), z.length, [{ kind, target }], head)
  return { value: scores[0]!, seed: seeds }
}

/** Straight from the definitions, in double precision. */
function reference(z: readonly number[], kind: ScoreKind, t: number, head: Head): number {
  const sum = z.reduce((s, v) => s + Math.exp(v), 0)
  const p = head === 'sigmoid' ? 1 / (1 + Math.exp(-z[t]!)) : Math.exp(z[t]!) / sum
  switch (kind) {
    case 'logit':
      return z[t]!
    case 'probability':
      return p
    case 'log-probability':
      return Math.log(p)
    case 'log-odds':
      return Math.log(p / (1 - p))
    case 'margin':
      return z[t]! - Math.max(...z.filter((_, j) => j !== t))
  }
}

test.each(['softmax', 'sigmoid'] as const)('%s: every score and its derivative', (head) => {
  for (const kind of scoreKinds) {
    for (let t = 0; t < logits.length; t++) {
      const { value, seed } = score(logits, kind, t, head)
      expect(value).toBeCloseTo(reference(logits, kind, t, head), 5)
      logits.forEach((_, j) => {
        const at = (step: number): number => reference(logits.map((v, k) => (k === j ? v + step : v)), kind, t, head)
        expect(seed[j], `${kind} of ${t} by logit ${j}`).toBeCloseTo((at(1e-5) - at(-1e-5)) / 2e-5, 4)
      })
    }
  }
})

test('no overflow and no cancellation at large logits', () => {
  const sure = [100, -50, 0]
  expect(score(sure, 'log-odds', 0, 'softmax').value).toBeCloseTo(100, 4)
  expect(score(sure, 'log-probability', 1, 'softmax').value).toBeCloseTo(-150, 4)
  expect(score(sure, 'probability', 0, 'softmax').value).toBe(1)
  expect(score([-300, 300], 'log-probability', 0, 'sigmoid').value).toBeCloseTo(-300, 4)
  expect(score([-300, 300], 'log-probability', 1, 'sigmoid').value).toBeCloseTo(0, 6)
  // 1 − p is far below what a float near 1 can hold, its logarithm is not
  expect(score([30, 0], 'log-probability', 0, 'softmax').seed[0]).toBeCloseTo(Math.exp(-30), 18)
  for (const kind of scoreKinds) {
    for (const z of [sure, [1e4, -1e4, 0], [-1e4, -1e4, 5e3]]) {
      const { value, seed } = score(z, kind, 1, 'softmax')
      expect([value, ...seed].every(Number.isFinite)).toBe(true)
    }
  }
})

test('a batch: each image has its own score', () => {
  const { scores, seeds } = scoresAndSeeds(Float32Array.of(1, 2, 3, 4), 2, [{ kind: 'logit', target: 1 }, { kind: 'margin', target: 0 }], 'softmax')
  expect([...scores]).toEqual([2, -1])
  expect([...seeds]).toEqual([0, 1, 1, -1])
})

test('what cannot be scored is refused, naming it', () => {
  expect(() => score(logits, 'logit', 4, 'softmax')).toThrow(/Target 4 is out of range.*0 to 3/)
  expect(() => score(logits, 'logit', 1.5, 'softmax')).toThrow(/out of range/)
  expect(() => score(logits, 'probability', 0, 'none')).toThrow(/needs probabilities/)
  expect(score(logits, 'margin', 0, 'none').value).toBeCloseTo(0.3 - 2.1, 5)
  expect(() => score([1], 'margin', 0, 'sigmoid')).toThrow(/second class/)
})

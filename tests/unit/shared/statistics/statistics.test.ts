import { describe, expect, test } from 'vitest'
import { createRandom } from '#shared/random/random.ts'
import { bootstrapMean, quantile } from '#shared/statistics/bootstrap.ts'
import { holm } from '#shared/statistics/holm.ts'
import { signFlipTest } from '#shared/statistics/sign-flip.ts'

const random = createRandom(3, 'test')

describe('bootstrapMean', () => {
  test('on noughts and ones the limits are those of the binomial distribution', () => {
    // 30 of 100: the resampled count is B(100, .3), whose 2.5% and 97.5% points are 21 and 39.
    const values = Array.from({ length: 100 }, (_, i) => (i < 30 ? 1 : 0))
    const { mean, low, high } = bootstrapMean(values, { seed: 1 })
    expect(mean).toBeCloseTo(0.3, 12)
    expect([low, high].map((v) => Math.round(100 * v))).toEqual([21, 39])
  })

  test('as wide as theory says: 1.96·s/√n on either side', () => {
    const values = Array.from({ length: 400 }, () => random.normal())
    const { mean, low, high } = bootstrapMean(values, { seed: 2 })
    const s = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 400)
    expect((high - low) / (2 * 1.96 * (s / 20))).toBeCloseTo(1, 1)
  })

  test('seeded; columns of one length are resampled together, so a shift shifts the limits', () => {
    const values = Array.from({ length: 37 }, () => random.uniform())
    const one = bootstrapMean(values, { seed: 5, resamples: 500 })
    expect(bootstrapMean(values, { seed: 5, resamples: 500 })).toEqual(one)
    expect(bootstrapMean(values, { seed: 6, resamples: 500 })).not.toEqual(one)
    const shifted = bootstrapMean(values.map((v) => v + 2), { seed: 5, resamples: 500 })
    expect(shifted.low - one.low).toBeCloseTo(2, 10)
    expect(shifted.high - one.high).toBeCloseTo(2, 10)
  })

  test('clusters are drawn whole, a missing value counts nowhere, and without any there is no answer', () => {
    // Five copies of each value carry no more than one.
    const values = Array.from({ length: 20 }, () => random.normal())
    const copies = values.flatMap((v) => [v, v, v, v, v])
    const alone = bootstrapMean(values, { seed: 7, resamples: 2000 })
    const clustered = bootstrapMean(copies, { seed: 7, resamples: 2000, clusters: copies.map((_, i) => Math.floor(i / 5)) })
    for (const name of ['mean', 'low', 'high'] as const) expect(clustered[name]).toBeCloseTo(alone[name], 10)
    expect(bootstrapMean([4, NaN, 4], { seed: 1, resamples: 100 })).toEqual({ mean: 4, low: 4, high: 4 })
    expect(bootstrapMean([NaN, NaN], { seed: 1 })).toEqual({ mean: NaN, low: NaN, high: NaN })
    expect(() => bootstrapMean([1, 2], { seed: 1, clusters: [1] })).toThrow(/do not fit/)
  })

  test('quantiles interpolate between order statistics', () => {
    expect(quantile([1, 2, 4], 0.5)).toBe(2)
    expect(quantile([1, 2, 4], 0.75)).toBe(3)
  })
})

describe('signFlipTest', () => {
  test('exact for few pairs, by hand', () => {
    // Of the eight sign patterns of 1, 2, 3 two reach 6 in size.
    expect(signFlipTest([1, 2, 3], { seed: 1 })).toBe(2 / 8)
    expect(signFlipTest([1, 2, 3], { seed: 1, alternative: 'greater' })).toBe(1 / 8)
    expect(signFlipTest([1, 2, -3], { seed: 1 })).toBe(1)
    // In size the eight sums are 6, 4, 2 and 0, twice each.
    expect(signFlipTest([-1, 2, 3], { seed: 1 })).toBe(4 / 8)
    expect(signFlipTest([0.1, 0.2, NaN, 0.3], { seed: 1 })).toBe(2 / 8)
    expect(signFlipTest([], { seed: 1 })).toBeNaN()
  })

  test('drawn signs agree with all of them, and with the normal distribution for many pairs', () => {
    const few = Array.from({ length: 14 }, () => random.normal() + 0.4)
    const exact = signFlipTest(few, { seed: 1, permutations: 2 ** 14 })
    expect(signFlipTest(few, { seed: 1, permutations: 2 ** 14 - 1 })).toBeCloseTo(exact, 1.7)
    // Σ±1 of 400 has sd 20: 40 of them lie 2 sd out (with half a step of continuity, P = .0512).
    const many = Array.from({ length: 400 }, (_, i) => (i < 220 ? 1 : -1))
    expect(Math.abs(signFlipTest(many, { seed: 2, permutations: 20000 }) - 0.0512)).toBeLessThan(0.006)
  })

  test('p is never 0, seeded, and clusters are flipped whole', () => {
    const clear = Array.from({ length: 60 }, () => 1)
    expect(signFlipTest(clear, { seed: 1, permutations: 999 })).toBe(1 / 1000)
    const pairs = [1, 1, 2, 2, 3, 3]
    expect(signFlipTest(pairs, { seed: 1, clusters: ['a', 'a', 'b', 'b', 'c', 'c'] })).toBe(2 / 8)
    const noise = Array.from({ length: 50 }, () => random.normal())
    expect(signFlipTest(noise, { seed: 4 })).toBe(signFlipTest(noise, { seed: 4 }))
  })

  test('under no difference p is uniform', () => {
    let below = 0
    for (let k = 0; k < 400; k++) if (signFlipTest(Array.from({ length: 12 }, () => random.normal()), { seed: k, permutations: 199 }) <= 0.1) below++
    // B(400, .1): 40 ± 18 is three sd.
    expect(Math.abs(below - 40)).toBeLessThan(19)
  })
})

describe('holm', () => {
  test('by hand, in the order given, never falling, at most 1', () => {
    const close = (found: number[], wanted: number[]): void => found.forEach((v, i) => expect(v).toBeCloseTo(wanted[i]!, 12))
    close(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    close(holm([0.5, 0.9]), [1, 1])
    expect(holm([0.02, NaN])).toEqual([0.02, NaN])
    expect(holm([])).toEqual([])
  })
})

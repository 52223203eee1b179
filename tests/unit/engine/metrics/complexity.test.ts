import { describe, expect, test } from 'vitest'
import { agreementMetric, topOverlap } from '#engine/metrics/agreement.ts'
import { complexityMetric, entropy } from '#engine/metrics/complexity.ts'
import { costMetric } from '#engine/metrics/cost.ts'
import { averageRanks, rankCorrelation } from '#engine/metrics/rank-correlation.ts'
import { breakTies, isCleanCut, rankPixels, tieFraction, topCount } from '#engine/metrics/ranking.ts'
import { giniIndex, sparsenessMetric } from '#engine/metrics/sparseness.ts'
import { structuralSimilarity } from '#engine/metrics/ssim.ts'
import { createRandom } from '#shared/random/random.ts'
import { judged, measure } from '../../../fixtures/metric-task.ts'

const random = createRandom(4, 'test')

describe('ranking', () => {
  const ranking = rankPixels(Float32Array.of(1, 3, 2, 3, -1, 2, 2))

  test('highest first, groups of equal values, and the share of pixels in them', () => {
    expect([...ranking.order]).toEqual([1, 3, 2, 5, 6, 0, 4])
    expect([...ranking.ends]).toEqual([2, 5, 6, 7])
    expect(tieFraction(ranking)).toBeCloseTo(5 / 7, 12)
    expect([0, 1, 2, 3, 4, 5, 6, 7].map((count) => isCleanCut(ranking, count))).toEqual([true, false, true, false, false, true, true, true])
    expect(topCount(ranking, Uint8Array.of(0, 1, 1, 0, 0, 0, 1), 3)).toEqual({ sure: 1, group: 3, hits: 2, taken: 1 })
  })

  test('ties are broken inside their groups alone, every order as likely as another', () => {
    const counts = new Map<string, number>()
    for (let seed = 0; seed < 1200; seed++) {
      const order = [...breakTies(ranking, createRandom(seed))]
      expect([...order.slice(0, 2)].sort()).toEqual([1, 3])
      expect(order.slice(5)).toEqual([0, 4])
      const middle = order.slice(2, 5).join(' ')
      counts.set(middle, (counts.get(middle) ?? 0) + 1)
    }
    expect(counts.size).toBe(6)
    for (const count of counts.values()) expect(Math.abs(count - 200)).toBeLessThan(60)
  })
})

describe('rankCorrelation', () => {
  test('equal values share the mean of their ranks; by hand', () => {
    expect([...averageRanks(Float32Array.of(10, 20, 20, 5))]).toEqual([3, 1.5, 1.5, 4])
    // Without ties 1 − 6Σd²/(n(n² − 1)): d = 1, −1, 0, 0, 0.
    expect(rankCorrelation(Float32Array.of(1, 2, 3, 4, 5), Float32Array.of(2, 1, 3, 4, 5))).toBeCloseTo(1 - 12 / 120, 12)
    // Ranks 1 2.5 2.5 4 against 1 2 3 4: 4.5/√(4.5·5).
    expect(rankCorrelation(Float32Array.of(1, 2, 2, 3), Float32Array.of(1, 2, 3, 4))).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 12)
    expect(rankCorrelation(Float32Array.of(1, 2, 3), Float32Array.of(9, 4, 1))).toBe(-1)
    expect(rankCorrelation(new Float32Array(9).fill(0.1), Float32Array.from({ length: 9 }, (_, i) => i))).toBeNaN()
  })
})

describe('structuralSimilarity', () => {
  const noise = (height: number, width: number) => ({ height, width, data: Float32Array.from({ length: height * width }, () => random.uniform()) })

  test('1 for maps equal up to scale and offset, low for an independent one, below 0 for the inverse', () => {
    const a = noise(20, 24)
    expect(structuralSimilarity(a, { ...a, data: a.data.map((v) => 7 + 3 * v) })).toBeCloseTo(1, 5)
    expect(Math.abs(structuralSimilarity(a, noise(20, 24)))).toBeLessThan(0.25)
    expect(structuralSimilarity(a, { ...a, data: a.data.map((v) => -v) })).toBeLessThan(-0.5)
  })

  test('by hand on the one place of an 11×11 map, written out as sums', () => {
    const [a, b] = [noise(11, 11), noise(11, 11)]
    const weights = Array.from({ length: 121 }, (_, i) => Math.exp(-((Math.floor(i / 11) - 5) ** 2 + ((i % 11) - 5) ** 2) / 4.5))
    const total = weights.reduce((sum, w) => sum + w, 0)
    const stretch = ({ data }: { data: Float32Array }): number[] => [...data].map((v) => (v - Math.min(...data)) / (Math.max(...data) - Math.min(...data)))
    const mean = (values: number[]): number => values.reduce((sum, v, i) => sum + (v * weights[i]!) / total, 0)
    const [x, y] = [stretch(a), stretch(b)]
    const [mx, my] = [mean(x), mean(y)]
    const [vx, vy] = [mean(x.map((v) => (v - mx) ** 2)), mean(y.map((v) => (v - my) ** 2))]
    const cxy = mean(x.map((v, i) => (v - mx) * (y[i]! - my)))
    const expected = ((2 * mx * my + 1e-4) * (2 * cxy + 9e-4)) / ((mx * mx + my * my + 1e-4) * (vx + vy + 9e-4))
    expect(structuralSimilarity(a, b)).toBeCloseTo(expected, 5)
  })
})

describe('complexity of one map', () => {
  test('Gini: one pixel of four .75, all alike 0, 1 to 4 a quarter; by magnitudes', async () => {
    expect(giniIndex(Float32Array.of(0, 0, 5, 0))).toBe(0.75)
    expect(giniIndex(new Float32Array(50).fill(0.1))).toBe(0)
    expect(giniIndex(Float32Array.of(4, -1, 3, -2))).toBe(0.25)
    expect(await measure(sparsenessMetric, judged(1, 2, [0, 0]))).toMatchObject({ value: NaN, note: expect.stringContaining('0 everywhere') as string })
  })

  test('entropy: 1.27985 of 1 to 4, ln n of all alike, 0 of one pixel', async () => {
    expect(entropy(Float32Array.of(1, -2, 3, 4))).toBeCloseTo(1.27985, 5)
    expect(entropy(new Float32Array(16).fill(3))).toBeCloseTo(Math.log(16), 10)
    expect(await measure(complexityMetric, judged(1, 4, [0, 0, 1e-3, 1e3]))).toMatchObject({ details: { most: Math.log(4), effective: 0.25 } })
    expect(entropy(Float32Array.of(0, 7))).toBe(0)
    expect((await measure(complexityMetric, judged(1, 2, [0, 0]))).value).toBeNaN()
  })

  test('the cost is what was counted, even of a map that is none', async () => {
    expect(await measure(costMetric, judged(1, 2, [NaN, 1]), { evaluations: { forward: 40, backward: 2 } })).toEqual({ value: 42, details: { forward: 40, backward: 2 } })
  })
})

describe('agreement', () => {
  test('overlap of the highest, ties by expectation', () => {
    const a = Float32Array.of(5, 4, 3, 2, 1, 0, 0, 0, 0, 0)
    expect(topOverlap(a, Float32Array.of(9, 0, 8, 0, 0, 0, 0, 0, 0, 0), 0.2)).toBe(0.5)
    // A constant map has each of ten among its two highest with 1/5.
    expect(topOverlap(a, new Float32Array(10), 0.2)).toBeCloseTo(0.2, 12)
  })

  test('the mean correlation with the others, each by name', async () => {
    const map = judged(4, 4, Array.from({ length: 16 }, (_, i) => i))
    const others = new Map([['same', judged(4, 4, Array.from({ length: 16 }, (_, i) => i ** 2))], ['reverse', judged(4, 4, Array.from({ length: 16 }, (_, i) => -i))]])
    const { value, details } = await measure(agreementMetric, map, { others })
    expect(value).toBeCloseTo(0, 12)
    expect(details).toMatchObject({ 'spearman-same': 1, 'spearman-reverse': -1, 'overlap-same': 1, 'overlap-reverse': 0 })
    expect(details!['ssim-reverse']!).toBeLessThan(0)
    await expect(measure(agreementMetric, map)).rejects.toMatchObject({ code: 'unavailable' })
    expect(await measure(agreementMetric, judged(4, 4, new Float32Array(16)), { others })).toMatchObject({ value: NaN, note: expect.stringContaining('constant') as string })
  })
})

import { describe, expect, test } from 'vitest'
import { averagePrecision, averagePrecisionMetric } from '#engine/metrics/average-precision.ts'
import { energyPointingGame, energyPointingGameMetric } from '#engine/metrics/energy-pointing-game.ts'
import { gridPointingGameMetric } from '#engine/metrics/grid-pointing-game.ts'
import { bestIou, iouBestMetric } from '#engine/metrics/iou-best.ts'
import { iouOtsuMetric, otsuThreshold } from '#engine/metrics/iou-otsu.ts'
import { iouMetric, matchedIou } from '#engine/metrics/iou.ts'
import { pixelAuroc, pixelAurocMetric } from '#engine/metrics/pixel-auroc.ts'
import { hitShare, pointingGameMetric } from '#engine/metrics/pointing-game.ts'
import { breakTies, rankPixels } from '#engine/metrics/ranking.ts'
import { metrics } from '#engine/metrics/registry.ts'
import { relevanceRankMetric } from '#engine/metrics/relevance-rank.ts'
import { createRandom } from '#shared/random/random.ts'
import { judged, measure } from '../../../fixtures/metric-task.ts'

describe('averagePrecision', () => {
  test('by hand: hits at ranks 1, 3 and 4 of 5', () => {
    expect(averagePrecision(Float32Array.of(5, 4, 3, 2, 1), Uint8Array.of(1, 0, 1, 1, 0))).toBeCloseTo((1 + 2 / 3 + 3 / 4) / 3, 12)
  })

  test('ties are one step: precision at the end of the group for all its hits', () => {
    expect(averagePrecision(Float32Array.of(1, 0.5, 0.5, 0.5, 0), Uint8Array.of(1, 1, 0, 0, 0))).toBeCloseTo((1 + 2 / 4) / 2, 12)
    expect(averagePrecision(Float32Array.of(1, 0.5, 0.5, 0.5, 0), Uint8Array.of(1, 0, 0, 1, 0))).toBeCloseTo((1 + 2 / 4) / 2, 12)
  })

  test('a constant map scores the prevalence, a perfect one 1, the reverse little', () => {
    const mask = Uint8Array.from({ length: 40 }, (_, i) => (i < 6 ? 1 : 0))
    expect(averagePrecision(new Float32Array(40).fill(0.3), mask)).toBeCloseTo(6 / 40, 12)
    expect(averagePrecision(Float32Array.from(mask), mask)).toBe(1)
    const reverse = averagePrecision(Float32Array.from({ length: 40 }, (_, i) => i), mask)
    expect(reverse).toBeCloseTo([1, 2, 3, 4, 5, 6].reduce((sum, k) => sum + k / (34 + k), 0) / 6, 12)
  })

  test('depends on the order alone', () => {
    const random = createRandom(1, 'test')
    const map = Float32Array.from({ length: 200 }, () => random.uniform())
    const mask = Uint8Array.from({ length: 200 }, () => random.below(2))
    expect(averagePrecision(map.map((v) => v ** 3), mask)).toBeCloseTo(averagePrecision(map, mask), 12)
  })
})

describe('energyPointingGame', () => {
  test('by hand, after taking the minimum away; a constant map scores the share of the mask', () => {
    expect(energyPointingGame(Float32Array.of(0.6, 0.2, 0.4, 0.2), Uint8Array.of(1, 0, 0, 1))).toBeCloseTo(0.4 / 0.6, 6)
    expect(energyPointingGame(Float32Array.of(-3, 2, 2, -1), Uint8Array.of(1, 1, 0, 0))).toBeCloseTo(0.5, 12)
    expect(energyPointingGame(new Float32Array(8).fill(0.5), Uint8Array.of(1, 0, 0, 1, 0, 0, 0, 0))).toBe(0.25)
  })
})

describe('overlap', () => {
  const object = Uint8Array.of(1, 1, 0, 0, 1, 0)

  test('iou of as many top pixels as the object has, by hand and with the ties at the cut as in all orders', () => {
    // Three of the top: two of them right.
    expect(matchedIou(rankPixels(Float32Array.of(6, 5, 4, 3, 2, 1)), object)).toBeCloseTo(2 / 4, 12)
    expect(matchedIou(rankPixels(Float32Array.of(6, 5, 1, 1, 5, 1)), object)).toBe(1)
    // The second and third of the top are two of four equals of which two are hits: 1, 4 and 1 of the six choices hit 2, 1 and 0.
    const tied = rankPixels(Float32Array.of(9, 3, 3, 3, 3, 0))
    expect(matchedIou(tied, object)).toBeCloseTo(1 / 6 * 1 + 4 / 6 * (2 / 4) + 1 / 6 * (1 / 5), 10)
  })

  test('iou by expectation is the mean over drawn orders', () => {
    const random = createRandom(8, 'test')
    const mask = Uint8Array.from({ length: 60 }, () => (random.uniform() < 0.4 ? 1 : 0))
    const ranking = rankPixels(Float32Array.from({ length: 60 }, () => random.below(4)))
    const area = mask.reduce((a, b) => a + b, 0)
    let sum = 0
    for (let k = 0; k < 4000; k++) {
      const shared = breakTies(ranking, random).subarray(0, area).reduce((hits, i) => hits + mask[i]!, 0)
      sum += shared / (2 * area - shared) / 4000
    }
    expect(matchedIou(ranking, mask)).toBeCloseTo(sum, 2)
  })

  test('the best threshold, and Otsu\'s between two clear classes; negatives count as 0', async () => {
    expect(bestIou(rankPixels(Float32Array.of(9, 8, 7, 0, 6, 1)), object)).toEqual({ iou: 3 / 4, area: 4 })
    const map = Float32Array.of(0.9, 0.8, 0.1, -5, 0.85, 0.05)
    expect(otsuThreshold(map)).toBeCloseTo(0.8, 6)
    expect(await measure(iouOtsuMetric, judged(2, 3, map), { object })).toEqual({ value: 1, details: { area: 0.5 } })
    expect(await measure(iouBestMetric, judged(2, 3, [1, 1, 1, 1, 1, 1]), { object })).toEqual({ value: 0.5, details: { area: 1 } })
  })

  test('area under the ROC curve: the share of pairs in the right order, half for equals', async () => {
    // Hits 5 and 2 and 2, others 3, 2 and 1: 3 + 1.5 + 1.5 of 9 pairs.
    expect(pixelAuroc(Float32Array.of(5, 2, 3, 2, 2, 1), object)).toBeCloseTo(6 / 9, 12)
    expect((await measure(pixelAurocMetric, judged(2, 3, [1, 1, 1, 1, 1, 1]), { object })).value).toBe(0.5)
    expect(await measure(pixelAurocMetric, judged(1, 2, [1, 2]), { object: Uint8Array.of(1, 1) })).toMatchObject({ value: NaN, note: expect.stringContaining('whole input') as string })
  })

  test('relevance rank: the share of the top inside, ties by expectation', async () => {
    expect((await measure(relevanceRankMetric, judged(2, 3, [6, 5, 4, 3, 2, 1]), { object })).value).toBeCloseTo(2 / 3, 12)
    expect((await measure(relevanceRankMetric, judged(2, 3, [9, 3, 3, 3, 3, 0]), { object })).value).toBeCloseTo((1 + 2 * (2 / 4)) / 3, 12)
  })
})

describe('pointing games', () => {
  test('a tolerance of 15 holds at a distance of 14.9 and not at 15', () => {
    const frame = { height: 30, width: 30 }
    const object = new Uint8Array(900)
    object[29 * 30 + 29] = 1
    const at = (down: number, right: number): number => hitShare([(29 - down) * 30 + 29 - right], object, frame, 15)
    // √(14² + 5²) = 14.87, √(9² + 12²) = 15.
    expect([at(14, 5), at(9, 12), at(0, 15), at(0, 14)]).toEqual([1, 0, 0, 1])
    expect(hitShare([899], object, frame, 0)).toBe(1)
  })

  test('the highest pixel counts, of several the share; the tolerance scales with the image', async () => {
    const object = new Uint8Array(56 * 56)
    object[0] = 1
    const map = new Float32Array(56 * 56)
    map[3] = 1
    expect(await measure(pointingGameMetric, judged(56, 56, map), { object })).toEqual({ value: 0, details: { 'within-15': 1, highest: 1 } })
    // 15 px of 224 are 3.75 of 56, so four pixels away is too far.
    const far = new Float32Array(56 * 56)
    far[4] = 1
    expect((await measure(pointingGameMetric, judged(56, 56, far), { object }, { preset: 'published' })).value).toBe(0)
    far[0] = 1
    expect((await measure(pointingGameMetric, judged(56, 56, far), { object })).value).toBe(0.5)
    // Saturated as a mask, told apart before the sigmoid.
    expect((await measure(pointingGameMetric, judged(1, 3, [1, 1, 0], [7, 9, -2]), { object: Uint8Array.of(0, 1, 0) })).value).toBe(1)
  })

  test('energy: the raw share stands beside the one without the floor', async () => {
    const { value, details } = await measure(energyPointingGameMetric, judged(1, 4, [0.6, 0.2, 0.4, 0.2]), { object: Uint8Array.of(1, 0, 0, 1) })
    expect(value).toBeCloseTo(0.4 / 0.6, 6)
    expect(details!['raw']).toBeCloseTo(0.8 / 1.4, 6)
    // A perfect blob with an offset of .5, as published.
    const blob = Float32Array.from({ length: 100 }, (_, i) => (i < 9 ? 1.5 : 0.5))
    const found = await measure(energyPointingGameMetric, judged(10, 10, blob), { object: Uint8Array.from(blob, (v) => (v > 1 ? 1 : 0)) })
    expect(found.value).toBeCloseTo(1, 6)
    expect(found.details!['raw']).toBeCloseTo(13.5 / 59, 6)
  })

  test('in a mosaic: positive part in the cell; a quarter by chance, 0 for a map without any, NaN for what is no cell', async () => {
    const cell = Uint8Array.from({ length: 36 }, (_, i) => (i < 18 && i % 6 < 3 ? 1 : 0))
    const map = Float32Array.from({ length: 36 }, (_, i) => (i === 0 ? 3 : i === 35 ? 1 : -2))
    expect(await measure(gridPointingGameMetric, judged(6, 6, map), { object: cell })).toEqual({ value: 0.75, details: { chance: 0.25, cells: 4 } })
    expect((await measure(gridPointingGameMetric, judged(6, 6, new Float32Array(36).fill(2)), { object: cell })).value).toBe(0.25)
    expect((await measure(gridPointingGameMetric, judged(6, 6, new Float32Array(36).fill(-2)), { object: cell })).value).toBe(0)
    const odd = cell.slice()
    odd[8] = 0
    expect((await measure(gridPointingGameMetric, judged(6, 6, map), { object: odd })).value).toBeNaN()
  })
})

const ofPlace = metrics.filter(({ needs }) => needs.includes('object'))

test.each(ofPlace.map((metric) => [metric.id, metric] as const))('%s: an object is needed, an empty one gives no number, and a NaN in the map neither', async (_, metric) => {
  await expect(measure(metric, judged(1, 2, [1, 2]))).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('needs the true object') as string })
  expect(await measure(metric, judged(1, 2, [1, 2]), { object: new Uint8Array(2) })).toMatchObject({ value: NaN, note: expect.stringContaining('no pixel') as string })
  expect(await measure(metric, judged(1, 2, [1, NaN]), { object: Uint8Array.of(1, 0) })).toMatchObject({ value: NaN, note: expect.stringContaining('no finite') as string })
})

test('a perfect map scores 1 by all of them, and a constant one what chance gives', async () => {
  const object = Uint8Array.from({ length: 64 }, (_, i) => (i % 8 > 4 && i > 31 ? 1 : 0))
  for (const metric of ofPlace) expect((await measure(metric, judged(8, 8, object), { object })).value, metric.id).toBeCloseTo(1, 10)
  const share = 12 / 64
  for (const metric of [averagePrecisionMetric, energyPointingGameMetric, relevanceRankMetric, pointingGameMetric, iouOtsuMetric, iouBestMetric]) {
    expect((await measure(metric, judged(8, 8, new Float32Array(64).fill(0.4)), { object })).value, metric.id).toBeCloseTo(share, 10)
  }
  // What two random sets of that size share, between the IoU of the mean and a little above.
  expect(Math.abs((await measure(iouMetric, judged(8, 8, new Float32Array(64)), { object })).value - share / (2 - share))).toBeLessThan(0.01)
})

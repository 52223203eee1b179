import { describe, expect, test } from 'vitest'
import { averageDropMetric } from '#engine/metrics/average-drop.ts'
import { deletionMetric } from '#engine/metrics/deletion.ts'
import { increaseInConfidenceMetric } from '#engine/metrics/increase-in-confidence.ts'
import { insertionMetric } from '#engine/metrics/insertion.ts'
import { keepRateMetric } from '#engine/metrics/keep-rate.ts'
import type { Measurement } from '#engine/metrics/metric.ts'
import { roadMetric } from '#engine/metrics/road.ts'
import { maskOf } from '#engine/metrics/shown.ts'
import { sufficiencyMetric } from '#engine/metrics/sufficiency.ts'
import { judgedMapOf } from '#engine/metrics/judged-map.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import { createRandom } from '#shared/random/random.ts'
import { analyticClassifier } from '../../../fixtures/analytic-classifier.ts'
import { linearClassifier } from '../../../fixtures/linear-classifier.ts'
import { judged, measure } from '../../../fixtures/metric-task.ts'
import { randomImages, run } from '../methods/method-runs.ts'

const random = createRandom(6, 'test')
/** Over black alone, by the logit: then everything about a linear classifier is known. */
const plain = { preset: 'xplique', steps: 1000 }

describe('deletion and insertion', () => {
  const pixels = 14 * 16
  const image = new Float32Array(pixels).fill(1)
  const ramp = Float32Array.from({ length: pixels }, (_, i) => pixels - i)
  const evenly = linearClassifier(14, 16, [new Float32Array(pixels).fill(1 / pixels)])
  const first = linearClassifier(14, 16, [Float32Array.from(ramp, (_, i) => (i === 0 ? 1 : 0))])

  test('a straight line has the area .5, an immediate drop over 225 points 1/448', async () => {
    const line = await measure(deletionMetric, judged(14, 16, ramp), { classifier: evenly, image }, plain)
    expect(line.value).toBeCloseTo(0.5, 6)
    expect(line.curves![0]!.x).toHaveLength(225)
    expect(line.details).toMatchObject({ clean: 1, 'gone-zero': 0, ties: 0, 'tie-spread': 0, step: 1 })
    expect((await measure(deletionMetric, judged(14, 16, ramp), { classifier: first, image }, plain)).value).toBeCloseTo(0.002232, 6)
    const inserted = await measure(insertionMetric, judged(14, 16, ramp), { classifier: first, image }, plain)
    expect(inserted.value).toBeCloseTo(1 - 0.002232, 6)
    expect(inserted.details).toMatchObject({ clean: 1, 'gone-zero': 0 })
    expect((await measure(deletionMetric, judged(14, 16, ramp), { classifier: first, image }, { ...plain, steps: 28 })).value).toBeCloseTo(1 / 56, 6)
  })

  const weights = Float32Array.from({ length: pixels }, () => random.uniform())
  const linear = linearClassifier(14, 16, [weights])
  const total = weights.reduce((sum, w) => sum + w, 0)
  const area = async (map: Float32Array, metric = deletionMetric): Promise<number> => (await measure(metric, judged(14, 16, map), { classifier: linear, image }, plain)).value

  test('the weights themselves are a perfect map: below any random one, and by a formula', async () => {
    const perfect = await area(weights)
    const sorted = weights.slice().sort().reverse()
    // Σ over pixels of the weight times how long it stays.
    expect(perfect).toBeCloseTo(sorted.reduce((sum, w, i) => sum + (w * (i + 0.5)) / pixels, 0), 4)
    for (let k = 0; k < 5; k++) expect(perfect).toBeLessThan(await area(weights.map(() => random.uniform())))
    expect(await area(weights, insertionMetric)).toBeCloseTo(total - perfect, 4)
    // The reverse order loses what the other keeps; negatives come last.
    expect((await area(weights.map((w) => -w))) + perfect).toBeCloseTo(total, 4)
  })

  test('a binary map: the mean over tie orders, near the expectation, whichever way the image lies; ranked before a sigmoid it has no ties', async () => {
    const mask = Float32Array.from({ length: pixels }, (_, i) => (i < 60 ? 1 : 0))
    const flat = Float32Array.from({ length: pixels }, (_, i) => (i < 60 ? 2 : 1))
    const classifier = linearClassifier(14, 16, [flat])
    const found = await measure(deletionMetric, judged(14, 16, mask), { classifier: linear, image }, { ...plain, 'tie-orders': 40 })
    const again = await measure(deletionMetric, judged(14, 16, mask), { classifier: linear, image, seed: 2 }, { ...plain, 'tie-orders': 40 })
    const inside = weights.subarray(0, 60).reduce((sum, w) => sum + w, 0)
    const expected = (inside * 30 + (total - inside) * (60 + 82)) / pixels
    for (const { value } of [found, again]) expect(Math.abs(value - expected) / expected).toBeLessThan(0.01)
    expect(found.details).toMatchObject({ ties: 1, 'tie-orders': 40 })
    expect(found.details!['tie-spread']).toBeGreaterThan(0)
    // Inside a group all weigh the same, so no order can be lucky.
    const even = await measure(deletionMetric, judged(14, 16, mask), { classifier, image }, plain)
    const turned = await measure(deletionMetric, judged(14, 16, mask.slice().reverse()), { classifier: linearClassifier(14, 16, [flat.slice().reverse()]), image }, plain)
    expect(even.value).toBeCloseTo(turned.value, 4)
    const saturated = await measure(deletionMetric, judged(14, 16, mask, weights), { classifier: linear, image }, plain)
    expect(saturated.value).toBeCloseTo(await area(weights), 6)
    expect(saturated.details!['ties']).toBe(0)
  })

  test('several fills: each one by itself, their mean, and a blur that has grown until the target is gone', async () => {
    const stripes = Float32Array.from({ length: 256 }, (_, i) => (i % 2 === 0 ? 1 : 0.2))
    const contrast = Float32Array.from({ length: 256 }, (_, i) => (i % 2 === 0 ? 0.1 : -0.1))
    const classifier = linearClassifier(16, 16, [contrast], { head: 'sigmoid', bias: [-5] })
    const map = judged(16, 16, Float32Array.from({ length: 256 }, () => random.uniform()))
    const { value, details, curves } = await measure(deletionMetric, map, { classifier, image: stripes }, { steps: 8, 'road-steps': 4 })
    expect(curves!.map(({ name, x }) => [name, x.length])).toEqual([['fill-mean', 9], ['fill-blur', 9], ['fill-noise', 9], ['fill-road', 5]])
    // The number is the mean over the fills that no method is optimised against, or over all that are asked for.
    const over = (fills: string[]): number => fills.reduce((sum, fill) => sum + details![`fill-${fill}`]! / fills.length, 0)
    expect(value).toBeCloseTo(over(['noise', 'road']), 10)
    expect(details!['all-fills']).toBeCloseTo(over(['mean', 'blur', 'noise', 'road']), 10)
    const all = await measure(deletionMetric, map, { classifier, image: stripes }, { steps: 8, 'road-steps': 4, over: 'all', 'fill-road': false })
    expect(all.value).toBeCloseTo(over(['mean', 'blur', 'noise']), 10)
    expect(details!['blur-probability']).toBeLessThanOrEqual(0.1)
    expect(details!['gone-blur']).toBeCloseTo(details!['blur-probability']!, 6)
    expect(details!['clean']).toBeCloseTo(1 / (1 + Math.exp(-(0.1 * 128 * 0.8 - 5))), 4)
    expect(details!['gone-mean']).toBeCloseTo(1 / (1 + Math.exp(5)), 4)
    // Over the same image and seed the fills are the same for another map.
    const other = await measure(insertionMetric, judged(16, 16, map.saliency.data.map((v) => 1 - v)), { classifier, image: stripes }, { steps: 8, 'road-steps': 4 })
    for (const fill of ['mean', 'blur', 'noise']) expect(other.details![`gone-${fill}`]).toBe(details![`gone-${fill}`])
  })

  test('what cannot be is said: no fill, no probabilities, cancelled', async () => {
    const map = judged(14, 16, ramp)
    const off = { 'fill-mean': false, 'fill-blur': false, 'fill-noise': false, 'fill-road': false }
    await expect(measure(deletionMetric, map, { classifier: first, image }, off)).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining('at least one') as string })
    await expect(measure(deletionMetric, map, { classifier: first, image })).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('probabilities') as string })
    await expect(measure(deletionMetric, map, { classifier: first, image, signal: AbortSignal.abort() }, plain)).rejects.toMatchObject({ code: 'cancelled' })
  })
})

describe('ROAD', () => {
  const half = Float32Array.from({ length: 144 }, (_, i) => (i % 12 < 6 ? 1 : 0))
  const image = Float32Array.from({ length: 144 }, (_, i) => (i % 12 < 6 ? (i % 2) : 0.5))
  const contrast = Float32Array.from({ length: 144 }, (_, i) => (i % 12 < 6 ? (i % 2) - 0.5 : 0))
  const classifier = linearClassifier(12, 12, [contrast, contrast.map(() => 0)], { head: 'softmax', bias: [-4, 0] })
  const ranked = judged(12, 12, half.map((v, i) => v + i / 1000))

  test('what carries the class is missed when it goes and not when it stays; the reverse map scores the negative', async () => {
    const right = await measure(roadMetric, ranked, { classifier, image })
    const wrong = await measure(roadMetric, judged(12, 12, ranked.saliency.data.map((v) => -v)), { classifier, image })
    expect(right.value).toBeGreaterThan(0.2)
    expect(right.value + wrong.value).toBeCloseTo(0, 1)
    expect(right.value).toBeCloseTo((right.details!['lerf']! - right.details!['morf']!) / 2, 10)
    expect(right.details!['accuracy-lerf']).toBeGreaterThan(right.details!['accuracy-morf']!)
    expect(right.curves!.map(({ x }) => x)).toEqual([[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]])
  })

  test('by hand where imputation changes nothing but what the classifier sees: one pixel that stands out', async () => {
    // Grey but for one white pixel, which alone is seen: p = σ(8·(x₀ − ¾)), σ(2) while it is there, σ(−2) once it is imputed from the grey around it.
    const dot = Float32Array.from({ length: 144 }, (_, i) => (i === 65 ? 1 : 0.5))
    const eye = linearClassifier(12, 12, [dot.map((_, i) => (i === 65 ? 8 : 0))], { head: 'sigmoid', bias: [-6] })
    const found = await measure(roadMetric, judged(12, 12, dot.map((_, i) => (i === 65 ? 1000 : -i))), { classifier: eye, image: dot })
    const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z))
    // Noise of .01 in what is imputed is .08 of a logit, 1% of the probability.
    expect(Math.abs(found.details!['morf']! - sigmoid(-2))).toBeLessThan(0.02)
    expect(found.details!['lerf']).toBeCloseTo(sigmoid(2), 6)
    expect(Math.abs(found.value - (sigmoid(2) - sigmoid(-2)) / 2)).toBeLessThan(0.02)
    expect(found.details).toMatchObject({ 'accuracy-morf': 0, 'accuracy-lerf': 1 })
  })

  test('of an image of one colour nothing is lost', async () => {
    const { value, details } = await measure(roadMetric, ranked, { classifier, image: new Float32Array(144).fill(0.3) })
    expect(Math.abs(value)).toBeLessThan(0.01)
    expect(details!['morf']).toBeCloseTo(details!['clean']!, 2)
  })
})

describe('what a map shows', () => {
  const object = Uint8Array.of(1, 1, 0, 0, 0, 0)
  const image = Float32Array.of(1, 1, 0, 1, 0, 0)
  /** p = σ(4(x₀ + x₁) − 4x₃ − 1): 3 in the clean image. */
  const classifier = linearClassifier(2, 3, [[4, 4, 0, -4, 0, 0]], { head: 'sigmoid', bias: [-1] })
  const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z))
  const both = async (values: ArrayLike<number>): Promise<[Measurement, Measurement]> => [
    await measure(averageDropMetric, judged(2, 3, values), { classifier, image }, { fill: 'zero' }),
    await measure(increaseInConfidenceMetric, judged(2, 3, values), { classifier, image }, { fill: 'zero' }),
  ]

  test('a mask of ones loses and gains nothing, one of noughts loses to the fill; by hand between', async () => {
    const [ones, noRise] = await both([1, 1, 1, 1, 1, 1])
    expect([ones.value, ones.details!['gain'], noRise.value, ones.details!['area']]).toEqual([0, 0, 0, 1])
    const [noughts] = await both([0, 0, 0, 0, 0, 0])
    expect(noughts.value).toBeCloseTo((sigmoid(3) - sigmoid(-1)) / sigmoid(3), 5)
    const [helped, rise] = await both(object)
    expect([helped.value, rise.value]).toEqual([0, 1])
    expect(helped.details!['gain']).toBeCloseTo((sigmoid(7) - sigmoid(3)) / (1 - sigmoid(3)), 4)
    // Stretched from 2..4 to 0..1; the fourth pixel is shown whole.
    const [dropped] = await both([3, 2, 2, 4, 2, 2])
    expect(dropped.details!['masked']).toBeCloseTo(sigmoid(2 - 4 - 1), 5)
    expect(dropped.details!['area']).toBeCloseTo(1.5 / 6, 6)
  })

  test('the negative part of a signed map shows nothing; a mask stays what it is where keep rates are counted', () => {
    expect([...maskOf(judged(1, 3, [-4, 1, 2]))]).toEqual([0, 0.5, 1])
    const mask = { ...judged(1, 2, [0.25, 0.5]), mask: true }
    expect([...maskOf(mask)]).toEqual([0.25, 0.5])
    expect([...maskOf(judged(1, 2, [0.25, 0.5]))]).toEqual([0, 1])
  })

  test('of methods with maps in [0, 1] only masks are taken as they are', async () => {
    const images = randomImages(1, 12, 12)
    const seen = analyticClassifier({ height: 12, width: 12, seed: 3 })
    const facts = async (id: string, set: Record<string, unknown>): Promise<unknown[]> => {
      const [explanation] = (await run(id, seen, images, set)).explanations
      return [explanation!.range[0], explanation!.range[1], judgedMapOf(explanation!).mask]
    }
    expect(await facts('neuromask', { iterations: 5, resolution: 6 })).toEqual([0, 1, true])
    expect(await facts('de-cam', { queries: 400, segments: 6 })).toEqual([0, 1, true])
    expect(await facts('rise', { masks: 16, score: 'probability' })).toEqual([0, 1, false])
    expect(await facts('edges', {})).toEqual([0, 1, false])
  })

  test('the smallest sufficient area: one pixel of a hundred where it alone decides, all of them where it comes last', async () => {
    const one = linearClassifier(10, 10, [Float32Array.from({ length: 100 }, (_, i) => (i === 37 ? 20 : 0))], { head: 'sigmoid', bias: [-10] })
    const dot = Float32Array.from({ length: 100 }, (_, i) => (i === 37 ? 1 : 0))
    const fills = { 'fill-blur': false, 'fill-noise': false }
    const found = await measure(sufficiencyMetric, judged(10, 10, dot.map((v, i) => v - i / 1000)), { classifier: one, image: dot }, fills)
    expect(found.value).toBe(0.01)
    expect(found.curves![0]!.x.at(-1)).toBe(1)
    expect((await measure(sufficiencyMetric, judged(10, 10, dot.map((v, i) => -v - i / 1000)), { classifier: one, image: dot }, fills)).value).toBe(1)
    // Ones in the first half over their mean ½: with k of them kept the logit is k/5 − 7, and 3 in the whole image.
    const half = Float32Array.from({ length: 100 }, (_, i) => (i < 50 ? 1 : 0))
    const gradual = linearClassifier(10, 10, [half.map((v) => 0.4 * v)], { head: 'sigmoid', bias: [-17] })
    for (const share of [0.9, 0.5]) {
      const { value, curves } = await measure(sufficiencyMetric, judged(10, 10, half.map((_, i) => -i)), { classifier: gradual, image: half }, { ...fills, share })
      const odds = (share / (1 + Math.exp(-3))) / (1 - share / (1 + Math.exp(-3)))
      expect(value).toBe(curves![0]!.x.find((kept) => kept >= (Math.log(odds) + 7) / 20))
    }
  })
})

describe('keep rate', () => {
  const image = Float32Array.from({ length: 256 }, (_, i) => (i % 16 < 8 ? (i + Math.floor(i / 16)) % 2 : 0.5))
  const texture = image.map((v, i) => (i % 16 < 8 ? 0.2 * (2 * v - 1) : 0))
  /** Class 0 by the texture of the left half, else class 1; the judge wants more of it. */
  const build = (bias: number): ReturnType<typeof linearClassifier> => linearClassifier(16, 16, [texture, texture.map(() => 0)], { head: 'softmax', bias: [-bias, 0] })
  const left = { ...judged(16, 16, image.map((_, i) => (i % 16 < 8 ? 1 : 0))), mask: true }

  test('a mask of what counts keeps the class over every fill, one of the rest over none; the judge is asked apart', async () => {
    const right = await measure(keepRateMetric, left, { classifier: build(5), judge: build(11), image })
    expect(right.details).toMatchObject({ clean: 1, noise: 1, road: 1, checkerboard: 1, unseen: 1, seen: 1, 'judge-clean': 1, 'judge-unseen': 1, area: 0.5, 'mask-only': 0 })
    const rest = { ...left, saliency: { ...left.saliency, data: left.saliency.data.map((v) => 1 - v) } }
    const wrong = await measure(keepRateMetric, rest, { classifier: build(5), image })
    expect(wrong.details).toMatchObject({ unseen: 0, 'seen-mean': 0, 'seen-zero': 0, clean: 1 })
    expect(Object.keys(wrong.details!).some((name) => name.startsWith('judge'))).toBe(false)
  })

  test('one output is its class from one half on, and none where it is no probability', async () => {
    const weights = [new Float32Array(256).fill(1 / 128)]
    const rates = async (bias: number): Promise<Measurement['details']> =>
      (await measure(keepRateMetric, left, { classifier: linearClassifier(16, 16, weights, { head: 'sigmoid', bias: [bias] }), image })).details
    expect(await rates(3)).toMatchObject({ clean: 1, unseen: 1, 'seen-mean': 1 })
    expect(await rates(-3)).toMatchObject({ clean: 0, unseen: 0, 'seen-mean': 0 })
    await expect(measure(keepRateMetric, left, { classifier: linearClassifier(16, 16, weights), image })).rejects.toMatchObject({ code: 'unavailable', subject: 'head' })
    const road = async (bias: number): Promise<number> =>
      (await measure(roadMetric, left, { classifier: linearClassifier(16, 16, weights, { head: 'sigmoid', bias: [bias] }), image })).details!['accuracy-lerf']!
    expect([await road(3), await road(-3)]).toEqual([1, 0])
  })

  test('noise is the same for every mask', async () => {
    const pictures = async (kept: number): Promise<Float32Array> => {
      const inner = build(5)
      const batches: Float32Array[] = []
      const spy = { ...inner, logits: (images: ImageBatch) => (batches.push(images.data.slice()), inner.logits(images)) }
      await measure(keepRateMetric, { ...left, saliency: { ...left.saliency, data: left.saliency.data.map((_, i) => (i < kept ? 1 : 0)) } }, { classifier: spy, image })
      // noise, ROAD, checkerboard, full noise; the last rows are hidden by all masks here.
      return batches[0]!
    }
    const [few, many] = [await pictures(16), await pictures(128)]
    for (const k of [0, 3]) expect(few.subarray(256 * k + 128, 256 * (k + 1))).toEqual(many.subarray(256 * k + 128, 256 * (k + 1)))
  })

  test('a wrong class is explained on demand, by the method itself', async () => {
    const asked: unknown[] = []
    const found = await measure(keepRateMetric, left, {
      classifier: build(5), image,
      explain: async (_, options) => {
        asked.push(options)
        return { ...left, saliency: { ...left.saliency, data: new Float32Array(256) } }
      },
    }, { 'wrong-class': true })
    expect(asked).toEqual([{ target: 1 }])
    // Nothing is shown, so the other class is named.
    expect(found.details).toMatchObject({ unseen: 1, 'wrong-unseen': 1, 'wrong-area': 0 })
  })

  test('a judge of other classes or channels is refused', async () => {
    await expect(measure(keepRateMetric, left, { classifier: build(5), judge: linearClassifier(16, 16, [texture]), image, target: 1 })).rejects.toMatchObject({ subject: 'judge' })
    // One of another size is shown the image at its own.
    const small = linearClassifier(8, 8, [new Float32Array(64).fill(1), new Float32Array(64)], { head: 'softmax' })
    expect((await measure(keepRateMetric, left, { classifier: build(5), judge: small, image })).details!['judge-unseen']).toBe(1)
  })
})

import { beforeAll, describe, expect, test } from 'vitest'
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { selectBackend } from '#engine/backend/select.ts'
import type { Classifier } from '#engine/classifier/classifier.ts'
import { loadClassifier } from '#engine/classifier/load.ts'
import { judgedMapOf } from '#engine/metrics/judged-map.ts'
import { infidelityMetric } from '#engine/metrics/infidelity.ts'
import { maxSensitivityMetric } from '#engine/metrics/max-sensitivity.ts'
import type { JudgedMap } from '#engine/metrics/metric.ts'
import { randomisationMetric, stagesOf } from '#engine/metrics/randomisation.ts'
import { sensitivityNMetric, sizesOf } from '#engine/metrics/sensitivity-n.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import { createRandom } from '#shared/random/random.ts'
import { analyticClassifier } from '../../../fixtures/analytic-classifier.ts'
import { judged, measure } from '../../../fixtures/metric-task.ts'
import { formula, run } from '../methods/method-runs.ts'
import { randomise, sourceOf } from '../graph/models.ts'

const side = 6
const random = createRandom(2, 'robustness')
const weights = Array.from({ length: side * side }, () => random.normal())
const image = Float32Array.from(weights, () => random.uniform())
const linear = formula(side, side, (x) => x.reduce((sum, v, i) => sum + v * weights[i]!, 0), () => weights)
const map = (values: ArrayLike<number>): JudgedMap => judged(side, side, values)

describe('infidelity', () => {
  test('0 for what a linear score loses, whatever the size of the numbers; not so without scaling', async () => {
    for (const factor of [1, -3, 0.01]) {
      const { value, details } = await measure(infidelityMetric, map(weights.map((v) => factor * v)), { classifier: linear, image })
      expect(value).toBeLessThan(1e-8)
      expect(details!['beta']).toBeCloseTo(1 / factor, 3)
    }
    const asItIs = await measure(infidelityMetric, map(weights.map((v) => 3 * v)), { classifier: linear, image }, { scaled: false })
    // (1 − 3)²·Σ w²·.1² in expectation
    const expected = 4 * 0.01 * weights.reduce((sum, v) => sum + v * v, 0)
    expect(asItIs.value / expected).toBeGreaterThan(0.6)
    expect(asItIs.value / expected).toBeLessThan(1.5)
  })

  test('a map that says nothing leaves all unexplained; colours move together, so the sum over channels is exact', async () => {
    const { value, details, note } = await measure(infidelityMetric, map(new Float32Array(36)), { classifier: linear, image })
    expect(details).toMatchObject({ beta: 0, unexplained: 1 })
    expect(value / (0.01 * weights.reduce((sum, v) => sum + v * v, 0))).toBeCloseTo(1, 0)
    expect(note).toMatch(/0 everywhere/)
    const colour = analyticClassifier({ height: 4, width: 4, classes: 2, strength: 1 })
    const picture = new Float32Array(48).fill(0.5)
    const { gradient } = await colour.scoreGradient({ count: 1, height: 4, width: 4, channels: 3, data: picture }, [{ kind: 'logit', target: 0 }])
    const sums = Array.from({ length: 16 }, (_, i) => gradient[3 * i]! + gradient[3 * i + 1]! + gradient[3 * i + 2]!)
    const found = await measure(infidelityMetric, judged(4, 4, sums), { classifier: colour, image: picture }, { noise: 0.01, scaled: false })
    expect(found.details!['unexplained']).toBeLessThan(0.01)
  })
})

describe('sensitivity-n', () => {
  test('1 for what a linear score loses to the fill, −1 for its opposite', async () => {
    const mean = image.reduce((sum, v) => sum + v, 0) / image.length
    const lost = weights.map((w, i) => w * (image[i]! - mean))
    const { value, curves } = await measure(sensitivityNMetric, map(lost), { classifier: linear, image })
    expect(value).toBeCloseTo(1, 4)
    expect(curves![0]!.x).toEqual(sizesOf(36, 12))
    expect((await measure(sensitivityNMetric, map(lost.map((v) => -v)), { classifier: linear, image })).value).toBeCloseTo(-1, 4)
    const shuffled = createRandom(1).shuffle([...lost])
    expect(Math.abs((await measure(sensitivityNMetric, map(shuffled), { classifier: linear, image })).value)).toBeLessThan(0.5)
  })

  test('sizes are spread from 1 to four fifths; a constant map has no correlation, and says why', async () => {
    expect(sizesOf(10000, 12)).toEqual([1, 2, 5, 12, 26, 59, 135, 305, 690, 1561, 3534, 8000])
    expect(sizesOf(1, 12)).toEqual([1])
    const { value, note } = await measure(sensitivityNMetric, map(new Float32Array(36).fill(2)), { classifier: linear, image })
    expect(value).toBeNaN()
    expect(note).toMatch(/same everywhere/)
  })
})

test('sensitivity-n can be stopped between blocks of subsets, and depends on no block', async () => {
  const controller = new AbortController()
  let calls = 0
  const stopping = { ...linear, logits: (images: ImageBatch) => (++calls === 3 && controller.abort(), linear.logits(images)) }
  await expect(measure(sensitivityNMetric, map(weights), { classifier: stopping, image, signal: controller.signal }, { subsets: 10_000, sizes: 1 })).rejects.toMatchObject({ code: 'cancelled' })
  expect(calls).toBeLessThan(40)
  const { value } = await measure(sensitivityNMetric, map(weights.map((w, i) => w * image[i]!)), { classifier: linear, image }, { subsets: 150, sizes: 3, fill: 'zero' })
  expect(value).toBeCloseTo(1, 4)
})

describe('max-sensitivity', () => {
  test('0 for a method that always answers alike; by hand for one that answers with the image', async () => {
    const always = map(weights)
    expect((await measure(maxSensitivityMetric, always, { image, explain: async () => always })).value).toBe(0)
    const seen: Float32Array[] = []
    const explain = async (x: Float32Array): Promise<JudgedMap> => {
      seen.push(x)
      return map(x)
    }
    const { value, details } = await measure(maxSensitivityMetric, map(image), { image, explain }, { radius: 0.1 })
    const changes = seen.map((x) => Math.hypot(...x.map((v, i) => v - image[i]!)) / Math.hypot(...image))
    expect(seen).toHaveLength(4)
    expect(value).toBeCloseTo(Math.max(...changes), 6)
    expect(details!['mean']).toBeCloseTo(changes.reduce((a, b) => a + b) / 4, 6)
    for (const x of seen) x.forEach((v, i) => expect(Math.abs(v - image[i]!)).toBeLessThanOrEqual(0.1 + 1e-6))
    expect(Math.min(...seen.flatMap((x) => [...x]))).toBeGreaterThanOrEqual(0)
  })

  test('a map without length has none to compare with; a cancelled measurement ends', async () => {
    expect((await measure(maxSensitivityMetric, map(new Float32Array(36)), { image })).value).toBeNaN()
    const controller = new AbortController()
    controller.abort()
    await expect(measure(maxSensitivityMetric, map(weights), { image, signal: controller.signal })).rejects.toMatchObject({ code: 'cancelled' })
  })
})

describe('randomisation', () => {
  let classifier: Classifier
  const picture = Float32Array.from({ length: 12 * 12 * 3 }, () => random.uniform())
  beforeAll(async () => {
    await selectBackend('wasm')
    const { layers } = tfl
    const model = tfl.sequential({ layers: [
      layers.conv2d({ inputShape: [12, 12, 3], filters: 8, kernelSize: 3, activation: 'relu' }), layers.conv2d({ filters: 8, kernelSize: 3, activation: 'relu' }),
      layers.flatten(), layers.dense({ units: 3, activation: 'softmax' }),
    ] })
    randomise(model, 3)
    classifier = await loadClassifier(await sourceOf(model))
    model.dispose()
  })

  async function judge(id: string): ReturnType<typeof measure> {
    const again = async (x: Float32Array, on: Classifier): Promise<JudgedMap> =>
      judgedMapOf((await run(id, on, { count: 1, height: 12, width: 12, channels: 3, data: x }, {}, { targets: [0] })).explanations[0]!)
    return measure(randomisationMetric, await again(picture, classifier), { classifier, image: picture, explain: (x, options) => again(x, options!.classifier!) })
  }

  test('a method that does not look at the weights is caught, and one that does is not', async () => {
    const before = tf.memory().numTensors
    const edges = await judge('edges')
    expect(edges.value).toBeCloseTo(1, 12)
    expect(edges.details).toMatchObject({ 'last-spearman': 1, stages: 3 })
    expect(edges.details!['ssim']).toBeCloseTo(1, 6)
    expect(edges.note).toMatch(/does not show what the network learned/)
    const gradient = await judge('gradient')
    expect(gradient.value).toBeLessThan(0.6)
    expect(gradient.note).toBeUndefined()
    expect(gradient.curves!.map(({ name, x }) => [name, x])).toEqual([['spearman', [1 / 3, 2 / 3, 1]], ['ssim', [1 / 3, 2 / 3, 1]]])
    expect((await judge('uniform')).value).toBeNaN()
    // the classifier keeps its own weights, uploaded at first use; the copies are gone
    expect(tf.memory().numTensors - before).toBeLessThan(20)
  })

  test('layers are shuffled from the class scores down; a map that has become constant keeps nothing, and one that was so is not run again', async () => {
    const shuffled: string[][] = []
    const ranked = map(weights)
    const spied = {
      ...classifier,
      withWeights: async ({ layers, seed }: { layers: readonly string[]; seed: number }) => (shuffled.push([...layers]), classifier.withWeights({ layers: [...layers], seed })),
    }
    const answers = [ranked, map(new Float32Array(36).fill(2)), map(weights.map((v) => -v))]
    const given = { classifier: spied, frame: { height: side, width: side, channels: 3 }, image: new Float32Array(3 * 36) }
    const found = await measure(randomisationMetric, ranked, { ...given, explain: () => Promise.resolve(answers.shift()!) })
    const names = classifier.graph!.layers.map(({ name }) => name)
    const last = shuffled.at(-1)!
    expect(shuffled.map((some) => some.length)).toEqual([1, 2, 3])
    expect(last).toEqual([...last].sort((a, b) => names.indexOf(a) - names.indexOf(b)))
    for (const [i, some] of shuffled.entries()) expect(some).toEqual(last.slice(2 - i))
    expect(found.curves![0]!.y).toEqual([1, 0, -1])
    expect(found.value).toBeCloseTo(0, 12)
    const flat = await measure(randomisationMetric, map(new Float32Array(36)), given)
    expect(flat.value).toBeNaN()
    expect(flat.note).toMatch(/same everywhere/)
  })

  test('stages go evenly from the top to all layers; without a graph it is refused', async () => {
    expect([stagesOf(53, 4), stagesOf(3, 1000), stagesOf(5, 1)]).toEqual([[13, 27, 40, 53], [1, 2, 3], [5]])
    await expect(measure(randomisationMetric, map(weights), { classifier: analyticClassifier({ height: 6, width: 6, channels: 1 }) })).rejects.toMatchObject({ code: 'unavailable' })
  })
})

import { expect, test } from 'vitest'
import type { Classifier } from '#engine/classifier/classifier.ts'
import { measureAll, type MeasureWork } from '#engine/measure.ts'
import type { Measurement } from '#engine/metrics/metric.ts'
import type { Once } from '#engine/metrics/once.ts'
import { findMetric } from '#engine/metrics/registry.ts'
import type { ParameterValues } from '#shared/domain/parameters.ts'
import { createRandom } from '#shared/random/random.ts'
import { linearClassifier } from '../../../fixtures/linear-classifier.ts'
import { judged, measure } from '../../../fixtures/metric-task.ts'

const [height, width] = [12, 12]
const pixels = height * width
const numbers = (stream: string): Float32Array => {
  const random = createRandom(8, stream)
  return Float32Array.from({ length: pixels }, () => random.uniform())
}
const image = numbers('image')
const maps = { one: judged(height, width, numbers('one')), other: judged(height, width, numbers('other')) }
const few: Record<string, ParameterValues> = { 'sensitivity-n': { sizes: 4, subsets: 10 }, infidelity: { draws: 20 } }

/** Counts the images that it is asked about; it fails as long as `broken` is set. */
function counting(): { classifier: Classifier; asked(): number; broken: boolean } {
  const linear = linearClassifier(height, width, [numbers('weights'), numbers('others')], { head: 'softmax' })
  let asked = 0
  const counter = {
    asked: () => asked,
    broken: false,
    classifier: {
      ...linear,
      logits: (images: Parameters<Classifier['logits']>[0]) => {
        asked += images.count
        return counter.broken ? Promise.reject(new Error('out of order')) : linear.logits(images)
      },
    },
  }
  return counter
}

async function value(classifier: Classifier, ids: readonly string[], given: Partial<MeasureWork> = {}, more: ParameterValues = {}): Promise<(Measurement | null)[]> {
  const outcomes = await measureAll({
    method: 'gradient', methodParameters: {}, image, target: 0, seed: 3, map: maps.one, object: null, others: {}, evaluations: { forward: 1, backward: 1 },
    metrics: ids.map((id) => ({ id, parameters: { ...few[id], ...more } })), ...given,
  }, classifier, null, new AbortController().signal)
  return outcomes.map(({ measurement }) => measurement)
}

test.each([['sensitivity-n', 41], ['infidelity', 21]])('%s: what no map changes is asked once for all maps, and answers as if it had been asked', async (id, questions) => {
  const counter = counting()
  await value(counter.classifier, [id])
  expect(counter.asked()).toBe(questions)
  const second = await value(counter.classifier, [id], { map: maps.other })
  expect(counter.asked()).toBe(questions)
  expect(second).toEqual(await value(counting().classifier, [id], { map: maps.other }))
  expect(second).not.toEqual(await value(counter.classifier, [id]))
})

test.each<[string, Partial<MeasureWork>, ParameterValues]>([
  ['another seed', { seed: 4 }, {}], ['another target', { target: 1 }, {}], ['another image', { image: image.map((v) => 1 - v) }, {}],
  ['one pixel', { image: image.map((v, i) => (i === 100 ? v + 1e-6 : v)) }, {}], ['other parameters', {}, { noise: 0.2 }],
])('%s is asked anew', async (_, given, parameters) => {
  const counter = counting()
  await value(counter.classifier, ['infidelity'])
  const found = await value(counter.classifier, ['infidelity'], given, parameters)
  expect(counter.asked()).toBe(42)
  expect(found).toEqual(await value(counting().classifier, ['infidelity'], given, parameters))
})

test('a failure is not kept', async () => {
  const counter = counting()
  counter.broken = true
  expect(await value(counter.classifier, ['infidelity'])).toEqual([null])
  counter.broken = false
  expect(await value(counter.classifier, ['infidelity'])).toEqual(await value(counting().classifier, ['infidelity']))
})

test('what is kept has an end: after many images the first is asked anew, the last is not', async () => {
  const counter = counting()
  for (let k = 0; k <= 64; k++) await value(counter.classifier, ['infidelity'], { seed: 100 + k })
  const asked = counter.asked()
  await value(counter.classifier, ['infidelity'], { seed: 164 })
  expect(counter.asked()).toBe(asked)
  await value(counter.classifier, ['infidelity'], { seed: 100 })
  expect(counter.asked()).toBe(asked + 21)
})

test('metrics that impute the same pixels find together what each finds where nothing is shared, with and without ties', async () => {
  const ids = ['deletion', 'insertion', 'road']
  const never: Once = { forAllMaps: (make) => make(), forAllMetrics: (_, make) => make() }
  for (const map of [maps.one, judged(height, width, maps.other.saliency.data.map((v) => Math.round(3 * v)))]) {
    const together = await value(counting().classifier, ids, { map })
    const alone = await Promise.all(ids.map((id) => measure(findMetric(id), map, { classifier: counting().classifier, image, seed: 3, once: never })))
    expect(together).toEqual(alone)
  }
})

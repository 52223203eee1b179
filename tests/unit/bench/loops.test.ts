import { expect, test } from 'vitest'
import { integratedGradients, rise } from '../../../bench/loops.ts'
import { analyticClassifier } from '../../fixtures/analytic-classifier.ts'
import { randomImages } from '../engine/methods/neuromask-runs.ts'

const classifier = analyticClassifier({ height: 12, width: 10, classes: 3 })
const image = randomImages(1, 12, 10, 4)

test('integrated gradients sum to what the image adds to the logit, whatever the batch', async () => {
  const whole = await classifier.logits(image)
  const black = await classifier.logits({ ...image, data: new Float32Array(image.data.length) })
  const map = await integratedGradients(classifier, image.data, 1, 50, 7)
  expect(map.reduce((a, b) => a + b, 0)).toBeCloseTo(whole[1]! - black[1]!, 2)
  const other = await integratedGradients(classifier, image.data, 1, 50, 50)
  map.forEach((value, i) => expect(value).toBeCloseTo(other[i]!, 5))
})

test('RISE finds the only pixels that a class looks at, whatever the batch', async () => {
  const { info } = classifier
  // The target is likely while the upper left corner is bright.
  const looking = {
    ...classifier, info,
    logits: async ({ count, data }: { count: number; data: Float32Array }) => Float32Array.from({ length: 3 * count }, (_, i) => (i % 3 === 1 ? 8 * data[(i - 1) / 3 * 360]! - 4 : 0)),
  }
  const map = await rise(looking, new Float32Array(360).fill(1), 1, 400, 16)
  expect(map.indexOf(Math.max(...map)) % 10).toBeLessThan(3)
  expect(Math.floor(map.indexOf(Math.max(...map)) / 10)).toBeLessThan(3)
  const other = await rise(looking, new Float32Array(360).fill(1), 1, 400, 100)
  map.forEach((value, i) => expect(value).toBeCloseTo(other[i]!, 5))
})

import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'vitest'
import { loadClassifier } from '#engine/classifier/load.ts'
import type { Classifier } from '#engine/classifier/classifier.ts'
import { selectBackend } from '#engine/backend/select.ts'
import type { ModelSource } from '#shared/domain/model.ts'
import type { Score } from '#shared/domain/score.ts'
import { createRandom } from '#shared/random/random.ts'
import { randomImages, scaled, worst } from './models.ts'

type Stock = (x: tf.Tensor) => tf.Tensor

/**
 * Holds a classifier against TF.js's own model on the cpu backend (outputs, and the gradient that TF.js's tape gives),
 * against finite differences, and its WASM twin against it.
 * @param outputs what TF.js's model answers
 * @param tape false where TF.js's own gradient fails or is wrong
 */
export async function checkAgainstStock(model: ModelSource, loadStock: () => Promise<Stock>, outputs: 'logits' | 'softmax' | 'sigmoid', tape = true): Promise<Classifier> {
  await selectBackend('cpu')
  const stock = await loadStock()
  const classifier = await loadClassifier(model)
  expect(classifier.info.multiplyAdds, 'the graph must be ours').not.toBeNull()
  const { height, width, channels } = classifier.info.input
  const images = randomImages(3, height, width, channels)
  const x = tf.tensor(images.data, [3, height, width, channels])
  const run = (input: tf.Tensor): tf.Tensor => stock(scaled(input, model.preprocessing))

  const expected = tf.tidy(() => run(x).dataSync()) as Float32Array
  const before = tf.memory().numTensors
  const logits = await classifier.logits(images)
  const own = tf.tidy(() => {
    const z = tf.tensor(logits, [3, classifier.info.classes])
    return outputs === 'softmax' ? tf.softmax(z).dataSync() : outputs === 'sigmoid' ? tf.sigmoid(z).dataSync() : z.dataSync()
  }) as Float32Array
  expect(worst(own, expected), 'outputs').toBeLessThan(1e-4)

  const kind = outputs === 'logits' ? 'logit' : 'log-probability'
  const scores: Score[] = [0, 1, 2].map((i) => ({ kind, target: i % classifier.info.classes }))
  const found = await classifier.scoreGradient(images, scores)
  expect(worst(found.logits, logits)).toBeLessThan(1e-6)
  await checkDifferences(classifier, images, scores, found.gradient)
  if (tape) {
    const taped = tapedGradient(run, x, scores, outputs, classifier.info.classes)
    expect(taped.some((v) => v !== 0)).toBe(true)
    expect(worst(found.gradient, taped), 'gradient against the tape').toBeLessThan(1e-3)
  }
  const single = { ...images, count: 1, data: images.data.slice(0, height * width * channels) }
  const alone = await classifier.scoreGradient(single, scores.slice(0, 1))
  expect(worst(alone.gradient, found.gradient.subarray(0, single.data.length))).toBeLessThan(1e-5)
  // frozen weights are uploaded at first use; after that nothing may remain
  const settled = tf.memory().numTensors
  await classifier.scoreGradient(images, scores)
  await classifier.logits(images)
  expect(tf.memory().numTensors).toBe(settled)
  classifier.dispose()
  expect(tf.memory().numTensors).toBeLessThanOrEqual(before)

  await selectBackend('wasm')
  const empty = tf.memory().numTensors
  const twin = await loadClassifier(model)
  expect(worst(await twin.logits(images), logits), 'logits on WASM').toBeLessThan(1e-4)
  const onWasm = await twin.scoreGradient(images, scores)
  expect(worst(onWasm.gradient, found.gradient), 'gradient on WASM').toBeLessThan(2e-3)
  twin.dispose()
  expect(tf.memory().numTensors).toBe(empty)
  await selectBackend('cpu')
  return classifier
}

function tapedGradient(run: Stock, x: tf.Tensor, scores: readonly Score[], outputs: string, classes: number): Float32Array {
  return tf.tidy(() => {
    const pick = tf.oneHot(scores.map((s) => s.target), classes)
    const score = (input: tf.Tensor): tf.Tensor => {
      const y = run(input)
      return tf.sum(tf.mul(outputs === 'logits' ? y : tf.log(y), pick))
    }
    return tf.grad(score)(x).dataSync() as Float32Array
  })
}

/** Directional derivatives by central differences, in a few random directions. */
async function checkDifferences(classifier: Classifier, images: ReturnType<typeof randomImages>, scores: Score[], gradient: Float32Array): Promise<void> {
  const random = createRandom(5, 'directions')
  const step = 1e-4
  for (let trial = 0; trial < 3; trial++) {
    const direction = Float32Array.from({ length: gradient.length }, () => random.normal())
    const at = async (sign: number): Promise<number> => {
      const data = images.data.map((v, i) => v + sign * step * direction[i]!)
      const { scores: values } = await classifier.scoreGradient({ ...images, data }, scores)
      return values.reduce((a, b) => a + b, 0)
    }
    const slope = ((await at(1)) - (await at(-1))) / (2 * step)
    const expected = gradient.reduce((sum, g, i) => sum + g * direction[i]!, 0)
    const size = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0))
    expect(Math.abs(slope - expected), `finite difference ${slope} against ${expected}`).toBeLessThan(0.05 * size + 1e-3)
  }
}

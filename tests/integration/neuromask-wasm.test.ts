import { memory } from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { selectBackend } from '#engine/backend/select.ts'
import type { Classifier } from '#engine/classifier/classifier.ts'
import { loadClassifier } from '#engine/classifier/load.ts'
import { findMethod } from '#engine/methods/registry.ts'
import { renderScene } from '#engine/scenes/scenes.ts'
import { loadModel } from '#services/models.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import { resolveParameters, type ParameterValues } from '#shared/domain/parameters.ts'
import type { Explanation } from '#shared/domain/run.ts'

/** NeuroMask with the bundled classifier on the WebAssembly backend. */
let classifier: Classifier
beforeAll(async () => {
  await selectBackend('wasm')
  classifier = await loadClassifier((await loadModel('demo')).source)
})

function scenes(seeds: readonly number[]): ImageBatch {
  const images = seeds.map((seed) => renderScene(seed).image)
  const data = new Float32Array(images.length * images[0]!.data.length)
  images.forEach((image, i) => data.set(image.data, i * image.data.length))
  return { ...images[0]!, count: images.length, data }
}

/** Explains scenes; the seeds of the runs are the scenes' unless given. */
async function explain(seeds: readonly number[], set: ParameterValues, runSeeds = seeds): Promise<Explanation[]> {
  const neuromask = findMethod('neuromask')
  const run = neuromask.explain({
    classifier, images: scenes(seeds), targets: seeds.map((seed) => renderScene(seed).objects[0]!.class), seeds: runSeeds,
    parameters: resolveParameters(neuromask, set), signal: new AbortController().signal,
  })
  let step = await run.next()
  while (!step.done) step = await run.next()
  return step.value
}

describe.each([
  ['ours', { iterations: 40 }],
  ['published', { preset: 'cifar10-demo', iterations: 40 }],
] as [string, ParameterValues][])('the %s preset', (_name, set) => {
  test('gives the same bytes for the same seed, and other bytes for another', async () => {
    const [first] = await explain([2_000_000], set)
    const [second] = await explain([2_000_000], set)
    expect(Buffer.from(second!.own.data.buffer).equals(Buffer.from(first!.own.data.buffer))).toBe(true)
    expect(second).toEqual(first)
    const [other] = await explain([2_000_000], set, [7])
    expect(other!.own.data).not.toEqual(first!.own.data)
  })

  test('gives for a batch what it gives for single images, to 1e-5', async () => {
    const seeds = [2_000_003, 2_000_004, 2_000_005]
    const batch = await explain(seeds, set)
    for (const [i, seed] of seeds.entries()) {
      const [alone] = await explain([seed], set)
      alone!.own.data.forEach((value, k) => expect(Math.abs(value - batch[i]!.own.data[k]!)).toBeLessThanOrEqual(1e-5))
      expect(alone!.probability.masked).toBeCloseTo(batch[i]!.probability.masked, 4)
    }
  })
})

test('100 steps leave the number of tensors as it was', async () => {
  await explain([2_000_000], { iterations: 5 })
  const before = memory().numTensors
  await explain([2_000_000], { iterations: 100 })
  expect(memory().numTensors).toBe(before)
})

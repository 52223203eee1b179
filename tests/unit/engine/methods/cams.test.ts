import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, test } from 'vitest'
import { selectBackend } from '#engine/backend/select.ts'
import type { Classifier } from '#engine/classifier/classifier.ts'
import { loadClassifier, plainUse, type LoadedClassifier } from '#engine/classifier/load.ts'
import { createBuilder, weight } from '#engine/graph/build.ts'
import { noPads } from '#engine/graph/graph.ts'
import { meanGradients, plusPlusWeights } from '#engine/methods/cams/combine.ts'
import { valuesAt } from '#engine/methods/cams/layer-values.ts'
import { loadModel } from '#services/models.ts'
import { upsample } from '#shared/imaging/interpolation.ts'
import { analyticClassifier } from '../../../fixtures/analytic-classifier.ts'
import { writeTinyOnnx } from '../../../fixtures/tiny-onnx.ts'
import { onnxruntimeTest } from '../../../onnx.ts'
import { randomise, sourceOf } from '../graph/models.ts'
import { graphClassifier, imagesOf, mapOf, only, randomImages, run } from './method-runs.ts'

const oneShot = ['grad-cam', 'grad-cam-plus-plus', 'layer-cam']
const ids = [...oneShot, 'score-cam']

function expectClose(found: ArrayLike<number>, wanted: ArrayLike<number>, within = 1e-5): void {
  expect(found.length).toBe(wanted.length)
  for (let i = 0; i < wanted.length; i++) expect(Math.abs(found[i]! - wanted[i]!), `value ${i}: ${found[i]} for ${wanted[i]}`).toBeLessThan(within)
}

beforeAll(async () => {
  await selectBackend('cpu')
})

describe('by hand: 0 to 15 as 4×4, two 3×3 convolutions of ones, ReLU, one dense layer', () => {
  const images = imagesOf(4, 4, 1, Array.from({ length: 16 }, (_, i) => i))

  function toy(): Classifier {
    const b = createBuilder()
    const x = b.add('x', { op: 'input' }, [], [-1, 4, 4, 1])
    const conv = b.add('conv', {
      op: 'conv2d', filter: weight([3, 3, 1, 2], new Array<number>(18).fill(1)), bias: weight([2], [-50, -75]),
      strides: [1, 1], dilations: [1, 1], groups: 1, pads: noPads, activation: null,
    }, [x])
    const relu = b.add('relu', { op: 'unary', function: { kind: 'relu', max: null } }, [conv])
    const flat = b.add('flat', { op: 'reshape' }, [relu], [-1, 8])
    // Place by place: the first channel's weight, 1 everywhere, then the second's, 1 at the first place and −1 elsewhere.
    const logits = b.add('logits', { op: 'dense', matrix: weight([8, 1], [1, 1, 1, -1, 1, -1, 1, -1]), bias: null, activation: null }, [flat])
    return graphClassifier(b.finish(x, logits), { height: 4, width: 4, channels: 1 }, 1)
  }
  const classifier = toy()
  const own = async (id: string, set: Record<string, unknown>): Promise<Float32Array> =>
    (await run(id, classifier, images, set, { targets: [0] })).explanations[0]!.own.data

  test('the score, α at both layers, and Grad-CAM there', async () => {
    const score = { kind: 'logit', target: 0 } as const
    const [conv, relu] = [await classifier.activations(images, 'conv', [score]), await classifier.activations(images, 'relu', [score])]
    expect(relu.scores![0]).toBe(54)
    expectClose(meanGradients(valuesAt(conv, 0), false), [0.75, -0.5])
    expectClose(meanGradients(valuesAt(relu, 0), false), [1, -0.5])
    expectClose(await own('grad-cam', { layer: 'conv', positive: false }), [11.25, 13.5, 20.25, 22.5])
    expectClose(await own('grad-cam', { layer: 'relu' }), [0, 4, 28, 32.5])
    // Only where activation and gradient are positive: (0 + 1 + 1 + 1)/4 for the first channel, none for the second.
    expectClose(await own('grad-cam', { layer: 'relu', preset: 'tf-explain' }), [0, 3, 23.25, 30])
  })

  test('Grad-CAM++ in both readings, and Layer-CAM', async () => {
    const relu = valuesAt(await classifier.activations(images, 'relu', [{ kind: 'logit', target: 0 }]), 0)
    expectClose(plusPlusWeights(relu, false), [0.051948, 0.043478], 1e-6)
    expectClose(plusPlusWeights(relu, true), [0.048193, 0.034483], 1e-6)
    expectClose(await own('grad-cam-plus-plus', { layer: 'relu' }), [0, 0.207792, 1.871259, 2.730096], 1e-5)
    expectClose(await own('layer-cam', { layer: 'relu' }), [0, 4, 31, 40])
  })

  test('a map without a positive place is told of; without ReLU it is signed', async () => {
    const dark = imagesOf(4, 4, 1, Array.from({ length: 16 }, (_, i) => 15 - i).map((value) => value - 7))
    const { explanations: [nothing] } = await run('grad-cam', classifier, dark, { layer: 'conv' }, { targets: [0] })
    expect(nothing!.saliency.data.every((value) => value === 0)).toBe(true)
    expect(nothing!.notes).toEqual([expect.stringMatching(/0 everywhere: nothing in the layer conv speaks for the class/)])
    const { explanations: [signed] } = await run('grad-cam', classifier, images, { preset: 'captum', layer: 'conv' }, { targets: [0] })
    expect(signed).toMatchObject({ signed: true, range: [-Infinity, Infinity] })
    expect(signed!.facts!.slice(0, 2)).toEqual([{ label: 'Layer', value: 'conv' }, { label: 'Size of the layer', value: '2×2×2' }])
  })

  test('layers that cannot be: none of 4×4, one that is not there, one without a map, none at all', async () => {
    for (const id of ids) {
      await expect(run(id, classifier, images, {}, { targets: [0] })).rejects.toThrow(/no convolution with at least 4×4 places/)
      await expect(run(id, classifier, images, { layer: 'missing' }, { targets: [0] })).rejects.toThrow(/no layer "missing"/)
      await expect(run(id, classifier, images, { layer: 'flat' }, { targets: [0] })).rejects.toThrow(/flat .*gives 8/)
      await expect(run(id, analyticClassifier({ height: 4, width: 4, channels: 1 }), images)).rejects.toThrow(/cannot be looked into/)
    }
  })
})

describe('on a network that ends in the mean over places and one dense layer', () => {
  const images = randomImages(3, 16, 16)
  let classifier: LoadedClassifier
  let dense: Float32Array

  beforeAll(async () => {
    const { layers } = tfl
    const model = tfl.sequential({ layers: [
      layers.conv2d({ inputShape: [16, 16, 3], filters: 5, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu', name: 'first' }),
      layers.conv2d({ filters: 6, kernelSize: 3, padding: 'same', activation: 'relu', name: 'last' }),
      layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }), layers.dense({ units: 4, activation: 'softmax', name: 'dense' }),
    ] })
    randomise(model, 3)
    dense = (await (model.getLayer('dense').getWeights()[0] as tf.Tensor).data()) as Float32Array
    classifier = await loadClassifier(await sourceOf(model))
  })

  test('Grad-CAM is CAM: the dense weights of the class over the last feature map', async () => {
    const { activations, shape: [height, width, channels] } = await classifier.activations(images, 'last')
    expect([height, width, channels]).toEqual([8, 8, 6])
    for (const target of [0, 1, 2, 3]) {
      const { explanations } = await run('grad-cam', classifier, images, {}, { targets: [target, target, target] })
      for (const [n, { own, facts }] of explanations.entries()) {
        expect(facts![0]).toEqual({ label: 'Layer', value: 'last' })
        const cam = Array.from({ length: 64 }, (_, i) => {
          let sum = 0
          for (let k = 0; k < 6; k++) sum += dense[k * 4 + target]! * activations[(n * 64 + i) * 6 + k]!
          return Math.max(0, sum / 64)
        })
        expectClose(own.data, cam, 1e-6)
      }
    }
  })

  test('Score-CAM against a plain loop over the channels, in its three weightings', async () => {
    const image = only(images, 0)
    const { activations } = await classifier.activations(image, 'last')
    const fill = [0, 1, 2].map((c) => image.data.reduce((sum, value, i) => sum + (i % 3 === c ? value / 256 : 0), 0))
    async function scores(mask: (pixel: number) => number, over: readonly number[], kind: 'logit' | 'probability'): Promise<number> {
      const logits = await classifier.logits({ ...image, data: image.data.map((value, i) => value * mask(Math.floor(i / 3)) + over[i % 3]! * (1 - mask(Math.floor(i / 3)))) })
      return kind === 'logit' ? logits[1]! : Math.exp(logits[1]!) / logits.reduce((sum, z) => sum + Math.exp(z), 0)
    }
    const cases = [
      { preset: 'v1', over: [0, 0, 0], kind: 'probability' as const, weigh: (s: number[]) => s },
      { preset: 'v2', over: [0, 0, 0], kind: 'logit' as const, weigh: (s: number[]) => s.map((one) => Math.exp(one) / s.reduce((sum, other) => sum + Math.exp(other), 0)) },
      { preset: 'maskscope', over: fill, kind: 'probability' as const, weigh: (s: number[], empty: number) => s.map((one) => one - empty) },
    ]
    for (const { preset, over, kind, weigh } of cases) {
      const found: number[] = []
      for (let k = 0; k < 6; k++) {
        const up = upsample({ height: 8, width: 8, data: Float32Array.from({ length: 64 }, (_, i) => activations[i * 6 + k]!) }, 16, 16).data
        const [low, high] = [Math.min(...up), Math.max(...up)]
        found.push(await scores((i) => (up[i]! - low) / (high - low), over, kind))
      }
      const weights = weigh(found, await scores(() => 0, over, kind))
      const { steps, explanations: [explanation] } = await run('score-cam', classifier, image, { preset })
      expectClose(explanation!.own.data, Array.from({ length: 64 }, (_, i) => Math.max(0, weights.reduce((sum, w, k) => sum + w * activations[i * 6 + k]!, 0))), 1e-4)
      expectClose(steps.map(({ losses }) => losses['score']!), found, 1e-4)
      expect(steps.map(({ iteration }) => iteration)).toEqual([1, 2, 3, 4, 5, 6])
      // The clean image, the fill alone, six channels.
      expect(explanation!.evaluations).toEqual({ forward: 8, backward: 0 })
    }
  })

  test('a channel that is the same everywhere makes no mask; where none does, the map says why', async () => {
    const black = { ...only(images, 0), data: new Float32Array(16 * 16 * 3) }
    const dead: Classifier = { ...classifier, activations: async (...given) => {
      const answer = await classifier.activations(...given)
      return { ...answer, activations: answer.activations.map((value, i) => (i % 6 === 2 ? 0.5 : value)) }
    } }
    const { steps, explanations: [one] } = await run('score-cam', dead, only(images, 0))
    expect(one!.facts!.find(({ label }) => label === 'Channels that make no mask')!.value).toBe(1)
    expect(one!.evaluations.forward).toBe(7)
    expect(steps).toHaveLength(6)
    const flat: Classifier = { ...classifier, activations: async (...given) => {
      const answer = await classifier.activations(...given)
      return { ...answer, activations: answer.activations.map(() => 1) }
    } }
    const { explanations: [none] } = await run('score-cam', flat, black)
    expect(none!.notes).toEqual([expect.stringMatching(/every channel of the layer last is the same everywhere/)])
    expect(none!.saliency.data.every((value) => value === 0)).toBe(true)
  })

  test('a batch gives what singles give, blurred too, on any layer', async () => {
    for (const id of ids) {
      const set = { 'map-blur': 2, layer: 'first' }
      const batch = await run(id, classifier, images, set, { targets: [0, 1, 2], seeds: [5, 6, 7] })
      for (const index of [0, 1, 2]) {
        const alone = await run(id, classifier, only(images, index), set, { targets: [index], seeds: [5 + index] })
        expectClose(alone.explanations[0]!.saliency.data, batch.explanations[index]!.saliency.data, 1e-6)
        expect(alone.explanations[0]!.own.height).toBe(16)
        expect(alone.steps.length).toBe(batch.steps.filter(({ image }) => image === index).length)
      }
    }
  })

  test('cancelled, Score-CAM stops before it asks again, and the others before the first call', async () => {
    for (const id of ids) {
      const controller = new AbortController()
      let calls = 0
      const watched: Classifier = { ...classifier, logits: (...given) => {
        calls++
        controller.abort()
        return classifier.logits(...given)
      } }
      if (id !== 'score-cam') controller.abort()
      await expect(run(id, watched, images, {}, { signal: controller.signal, targets: [0, 0, 0] })).rejects.toMatchObject({ code: 'cancelled' })
      // The fill of the first image, in the midst of which it comes.
      expect(calls).toBe(id === 'score-cam' ? 1 : 0)
    }
  })

  test('it asks for no gradient', async () => {
    const closed: Classifier = { ...classifier, info: { ...classifier.info, access: 'query' }, scoreGradient: () => Promise.reject(new Error('a gradient was asked for')) }
    expect(await mapOf('score-cam', closed, only(images, 0))).toHaveLength(256)
  })
})

onnxruntimeTest('ONNX models give the same maps on both executors', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'maskscope-cams-'))
  try {
    const { source } = await loadModel(writeTinyOnnx(folder))
    const images = randomImages(2, 16, 16)
    const [here, there] = [await loadClassifier(source), await loadClassifier(source, { ...plainUse, executor: 'onnxruntime' })]
    for (const id of [...ids, 'gradient', 'input-x-gradient']) {
      const [a, b] = [await run(id, here, images), await run(id, there, images)]
      for (const n of [0, 1]) {
        const wanted = a.explanations[n]!.saliency.data
        const scale = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
        expect(scale, id).toBeGreaterThan(0)
        expectClose(b.explanations[n]!.saliency.data, wanted, 1e-4 * scale)
      }
    }
    here.dispose()
    there.dispose()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { selectBackend } from '#engine/backend/select.ts'
import { createClassifier } from '#engine/classifier/graph-classifier.ts'
import type { Classifier } from '#engine/classifier/classifier.ts'
import { createBuilder, weight } from '#engine/graph/build.ts'
import type { Graph, Unary } from '#engine/graph/graph.ts'
import { noPads } from '#engine/graph/graph.ts'
import { graphReport } from '#engine/graph/report.ts'
import { createTfjsExecutor } from '#engine/graph/tfjs/executor.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { upsample } from '#shared/imaging/interpolation.ts'
import { createRandom } from '#shared/random/random.ts'
import { analyticClassifier } from '../../../fixtures/analytic-classifier.ts'
import { imagesOf, mapOf, only, randomImages, run } from './method-runs.ts'

/** Methods that need the graph itself: guided backpropagation, LRP, Ablation-CAM. */

const relu: Unary = { kind: 'relu', max: null }

beforeAll(async () => {
  await selectBackend('wasm')
})

function classifierOf(graph: Graph, size: { height: number; width: number; channels: number }, classes: number): Classifier {
  const { info, limits } = analyticClassifier({ ...size, classes, head: 'softmax' })
  return createClassifier(info, createTfjsExecutor(graph, 'softmax'), limits, graphReport(graph), { graph, make: async (other) => createTfjsExecutor(other, 'softmax') })
}

/** A convolution, and a dense layer over its means or over all its places. */
function network(activation: Unary | null, flat = false, bias = 0): Classifier {
  const random = createRandom(2, 'graph methods')
  const draw = (...shape: number[]) => weight(shape, Array.from({ length: shape.reduce((a, n) => a * n) }, () => random.normal()))
  const b = createBuilder()
  const x = b.add('x', { op: 'input' }, [], [-1, 6, 6, 3])
  const conv = b.add('conv', {
    op: 'conv2d', filter: draw(3, 3, 3, 70), bias: weight([70], new Array<number>(70).fill(bias)), strides: [1, 1], dilations: [1, 1], groups: 1, pads: noPads, activation,
  }, [x])
  const features = flat ? b.add('flat', { op: 'reshape' }, [conv], [-1, 1120]) : b.add('mean', { op: 'reduce', function: 'mean', axes: [1, 2], keepDims: false }, [conv])
  const graph = b.finish(x, b.add('logits', { op: 'dense', matrix: draw(flat ? 1120 : 70, 3), bias: null, activation: null }, [features]))
  return classifierOf(graph, { height: 6, width: 6, channels: 3 }, 3)
}

const images = randomImages(2, 6, 6)
const close = (found: ArrayLike<number>, wanted: ArrayLike<number>, within: number): void => {
  expect(found.length).toBe(wanted.length)
  for (let i = 0; i < wanted.length; i++) expect(Math.abs(found[i]! - wanted[i]!), `value ${i}: ${found[i]} for ${wanted[i]}`).toBeLessThan(within)
}

describe('guided backpropagation', () => {
  /** Two units of one pixel's two channels, and what they add up to. */
  function units(): Classifier {
    const b = createBuilder()
    const x = b.add('x', { op: 'input' }, [], [-1, 1, 2, 1])
    const flat = b.add('flat', { op: 'reshape' }, [x], [-1, 2])
    const first = b.add('first', { op: 'dense', matrix: weight([2, 3], [1, -1, 2, 1, 2, 1]), bias: weight([3], [0, 0, -4]), activation: relu }, [flat])
    const second = b.add('second', { op: 'dense', matrix: weight([3, 2], [1, -1, -2, 2, 5, 5]), bias: null, activation: { kind: 'relu', max: 6 } }, [first])
    return classifierOf(b.finish(x, b.add('logits', { op: 'dense', matrix: weight([2, 2], [1, 1, -1, 3]), bias: null, activation: null }, [second])), { height: 1, width: 2, channels: 1 }, 2)
  }

  test('by hand: both ReLUs pass what is positive only', async () => {
    // x = (1, .6): first = (1.6, .2, 0), second = (1.2, 0); the logits read the open unit by 1 and the shut one by −1 and 3
    const x = imagesOf(1, 2, 1, [1, 0.6])
    // from the open unit: 1 and −2 to the two open units below, of which the guided rule drops −2
    expect(await mapOf('guided-backprop', units(), x, { channels: 'sum' }, { targets: [0] })).toEqual([1, 1])
    expect(await mapOf('gradient', units(), x, { channels: 'sum' }, { targets: [0] })).toEqual([3, -3])
  })

  test('without a ReLU it is the gradient, and says so', async () => {
    const smooth = network({ kind: 'sigmoid' })
    const { explanations } = await run('guided-backprop', smooth, images)
    close(explanations[1]!.saliency.data, (await run('gradient', smooth, images)).explanations[1]!.saliency.data, 1e-7)
    expect(explanations[0]!.notes.join()).toMatch(/no ReLU/)
    const rectified = await run('guided-backprop', network(relu), images)
    expect(rectified.explanations[0]!.notes).toEqual([])
    expect(rectified.explanations[0]!.facts).toContainEqual({ label: 'Layers with ReLU', value: 1 })
  })
})

describe('LRP', () => {
  test('on a linear network ε is input × gradient, and all relevance arrives', async () => {
    const linear = network(null, true)
    const { explanations, steps } = await run('lrp', linear, images, { preset: 'epsilon', epsilon: 0 })
    close(explanations[0]!.saliency.data, await mapOf('input-x-gradient', linear, only(images, 0), { fill: 'zero' }), 0.05)
    const [logit, arrived, share] = explanations[0]!.facts!.map(({ value }) => value as number)
    expect(steps.map(({ iteration, losses }) => [iteration, losses['logit']])).toEqual([[1, logit], [1, steps[1]!.losses['logit']]])
    expect(Math.abs(arrived! - logit!)).toBeLessThan(1e-3)
    expect(share).toBeCloseTo(1, 3)
    expect(explanations[0]).toMatchObject({ signed: true, score: 'logit', range: [-Infinity, Infinity], evaluations: { forward: 1, backward: 1 } })
  })

  test('every preset conserves the logit on a ReLU network without biases; with them it says what arrives', async () => {
    for (const preset of ['composite', 'overview', 'epsilon', 'gamma', 'flat']) {
      const classifier = network(relu)
      const { explanations } = await run('lrp', classifier, images, { preset, epsilon: 0 })
      for (const { facts } of explanations) expect(facts!.find(({ label }) => label === 'Share of the logit')!.value, preset).toBeCloseTo(1, 3)
      classifier.dispose()
    }
    const biased = network(relu, false, 0.5)
    const { facts, saliency } = (await run('lrp', biased, images, { preset: 'gamma' })).explanations[0]!
    const share = facts!.find(({ label }) => label === 'Share of the logit')!.value as number
    expect(share).toBeLessThan(0.95)
    expect(saliency.data.reduce((a, b) => a + b, 0) / (facts![0]!.value as number)).toBeCloseTo(share, 4)
  })
})

describe('Ablation-CAM', () => {
  test('a dense layer over means: the weight of a channel is its mean times its weight, so the map is in closed form', async () => {
    const before = tf.memory().numTensors
    const classifier = network(relu)
    const { activations } = await classifier.activations(only(images, 0), 'conv')
    const [clean] = [(await classifier.logits(only(images, 0)))[1]!]
    const gone = async (k: number): Promise<number> => (await classifier.logits(only(images, 0), { ablate: { layer: 'conv', channels: [[k]] } }))[1]!
    const losses = await Promise.all(Array.from({ length: 70 }, async (_, k) => clean - (await gone(k))))
    // the losses of all channels add up to the logit of this network
    expect(losses.reduce((a, b) => a + b)).toBeCloseTo(clean, 3)
    const at = (place: number, factor: (k: number) => number): number => Array.from({ length: 70 }, (_, k) => losses[k]! * factor(k) * activations[place * 70 + k]!).reduce((a, b) => a + b)
    const norm = (k: number): number => Math.hypot(...Array.from({ length: 16 }, (_, place) => activations[place * 70 + k]!))
    const wanted = {
      difference: () => 1, relative: () => 1 / clean, norm: (k: number) => (norm(k) === 0 ? 0 : 1 / norm(k)),
    }
    for (const [weighting, factor] of Object.entries(wanted)) {
      const { explanations, steps } = await run('ablation-cam', classifier, only(images, 0), { preset: 'paper', weighting, positive: false })
      const own = Array.from({ length: 16 }, (_, place) => at(place, factor))
      close(explanations[0]!.own.data, own, 1e-3 * Math.max(...own.map(Math.abs)))
      expect(steps.map(({ iteration }) => iteration)).toEqual(Array.from({ length: 70 }, (_, i) => i + 1))
      expect(steps[69]!.frame?.data).toEqual(explanations[0]!.own.data)
      expect(explanations[0]!.evaluations).toEqual({ forward: 71, backward: 0 })
    }
    const [batch, single] = [await run('ablation-cam', classifier, images), await run('ablation-cam', classifier, only(images, 1))]
    close(batch.explanations[1]!.saliency.data, single.explanations[0]!.saliency.data, 1e-6)
    const { own, saliency } = single.explanations[0]!
    expect(saliency.data).toEqual(upsample(own, 6, 6).data)
    classifier.dispose()
    expect(tf.memory().numTensors).toBe(before)
  })

  test('works without gradients, and stops when it is told to', async () => {
    const inner = network(relu)
    const refuse = (): never => {
      throw new Error('differentiated')
    }
    const blind: Classifier = { ...inner, scoreGradient: refuse, activations: (i, layer, scores) => (scores ? refuse() : inner.activations(i, layer)) }
    expect((await run('ablation-cam', blind, images)).explanations).toHaveLength(2)
    const controller = new AbortController()
    controller.abort()
    await expect(run('ablation-cam', blind, images, {}, { signal: controller.signal })).rejects.toMatchObject({ code: 'cancelled' })
    await expect(run('ablation-cam', blind, images, { layer: 'logits' })).rejects.toMatchObject({ code: 'usage', subject: 'layer' })
  })
})

test('a formula has no layers: each says so', async () => {
  const formula = analyticClassifier({ height: 6, width: 6, classes: 3 })
  await expect(run('ablation-cam', formula, images)).rejects.toBeInstanceOf(MaskscopeError)
  await expect(run('lrp', { ...formula, relevance: createClassifier(formula.info, {} as never, formula.limits, null).relevance }, images)).rejects.toMatchObject({ code: 'unavailable' })
})

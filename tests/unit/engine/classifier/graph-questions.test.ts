import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, test } from 'vitest'
import { selectBackend } from '#engine/backend/select.ts'
import type { Classifier, LrpRule } from '#engine/classifier/classifier.ts'
import { loadClassifier, plainUse } from '#engine/classifier/load.ts'
import { createBuilder, weight, type Ref } from '#engine/graph/build.ts'
import type { Executor } from '#engine/graph/executor.ts'
import type { Graph, GraphNode } from '#engine/graph/graph.ts'
import { weightsOf } from '#engine/graph/graph.ts'
import { createOnnxruntimeExecutor } from '#engine/graph/onnxruntime/executor.ts'
import { writeOnnx } from '#engine/graph/onnx-format/write.ts'
import { withInputSize } from '#engine/graph/input-size.ts'
import { shuffleWeights, weightedOps } from '#engine/graph/shuffle.ts'
import { createTfjsExecutor } from '#engine/graph/tfjs/executor.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import type { OnnxSource } from '#shared/domain/model.ts'
import { createRandom } from '#shared/random/random.ts'
import { tinyOnnx } from '../../../fixtures/tiny-onnx.ts'
import { visionTransformer } from '../graph/onnx/vit-model.ts'
import { plain, randomImages, randomise, sourceOf, worst } from '../graph/models.ts'
import { hasOnnxruntime, onnxruntimeTest } from '../../../onnx.ts'

/** What a classifier answers beyond outputs and gradients: single channels left out, relevance, weights out of order, another size. */

const rule: LrpRule = { epsilon: 0.1, gamma: 0.25, lower: 0.5, input: 'same', biases: 'share' }

beforeAll(async () => {
  await selectBackend('wasm')
})

/** A layer that two others read, one of which also reads what comes before the layer. */
function network(height = 6, width = 5, end: 'mean' | 'pool' | 'flat' = 'mean'): Graph {
  const random = createRandom(4, 'questions')
  const b = createBuilder()
  const weights = (...shape: number[]) => weight(shape, Array.from({ length: shape.reduce((a, n) => a * n) }, () => random.normal() / 2))
  const conv = (name: string, from: Ref): Ref => b.add(name, {
    op: 'conv2d', filter: weights(3, 3, b.shapeOf(from)[3]!, 4), bias: weights(4), strides: [1, 1], dilations: [1, 1], groups: 1,
    pads: { top: 1, bottom: 1, left: 1, right: 1 }, activation: { kind: 'relu', max: null },
  }, [from])
  const x = b.add('x', { op: 'input' }, [], [-1, height, width, 3])
  const first = conv('first', x)
  const layer = conv('layer', first)
  const shift = b.add('shift', { op: 'constant', value: weights(1, 1, 1, 4) }, [], [1, 1, 1, 4])
  const skip = b.add('skip', { op: 'binary', function: 'add' }, [layer, first])
  const shifted = b.add('shifted', { op: 'binary', function: 'multiply' }, [skip, shift])
  const last = conv('last', shifted)
  const pooled = end === 'mean' ? b.add('pooled', { op: 'reduce', function: 'mean', axes: [1, 2], keepDims: false }, [last]) : flat(last)
  return b.finish(x, b.add('logits', { op: 'dense', matrix: weights(end === 'flat' ? 120 : 4, 3), bias: weights(3), activation: null }, [pooled]))

  function flat(from: Ref): Ref {
    const size = [height, width] as const
    const over = end === 'flat' ? from : b.add('pool', { op: 'pool', kind: 'average', size, strides: [1, 1], pads: { top: 0, bottom: 0, left: 0, right: 0 }, countPadding: false }, [from])
    return b.add('flat', { op: 'reshape' }, [over], [-1, b.shapeOf(over).slice(1).reduce((a, n) => a * n)])
  }
}

/** The same with one channel of the layer taken away by a node of its own. */
function withoutChannel(channel: number): Graph {
  const graph = network()
  const scale = weight([4], [0, 1, 2, 3].map((c) => (c === channel ? 0 : 1)))
  const gone: GraphNode = { op: 'affine', name: 'gone', inputs: ['layer'], shape: [-1, 6, 5, 4], layers: [], scale, offset: weight([4], [0, 0, 0, 0]) }
  const nodes = graph.nodes.flatMap((node) => {
    if (node.name === 'layer') return [node, gone]
    return [{ ...node, inputs: node.inputs.map((name) => (name === 'layer' ? 'gone' : name)) }]
  })
  return { ...graph, nodes }
}

async function checkAblation(make: (graph: Graph) => Promise<Executor>): Promise<void> {
  const { data } = randomImages(2, 6, 5, 3)
  const lists = [[2, 0, 3], [1]]
  const executor = await make(network())
  for (const most of [2, 16]) {
    const rows = await executor.ablated(data, 2, 'layer', lists, most)
    expect(rows.length).toBe(4 * 3)
    let row = 0
    for (const [i, list] of lists.entries()) {
      for (const channel of list) {
        const other = await make(withoutChannel(channel))
        const expected = await other.forward(data.slice(i * 90, (i + 1) * 90), 1)
        expect(worst(rows.slice(3 * row, 3 * row + 3), expected), `channel ${channel}`).toBeLessThan(1e-5)
        other.dispose()
        row++
      }
    }
  }
  // the class scores themselves are a layer too
  const [own] = await executor.ablated(data.slice(0, 90), 1, 'logits', [[0]], 4)
  expect(Math.abs(own!)).toBe(0)
  executor.dispose()
}

describe('single channels of a layer left out', () => {
  test('the same as a graph without the channel, on TF.js', async () => {
    const before = tf.memory().numTensors
    await checkAblation(async (graph) => createTfjsExecutor(graph, 'softmax'))
    expect(tf.memory().numTensors).toBe(before)
  })

  onnxruntimeTest('on ONNX Runtime', () => checkAblation((graph) => createOnnxruntimeExecutor(graph, 'softmax')))
})

describe('weights out of order', () => {
  test('keep what each array holds, layer by layer, and follow the seed', () => {
    const graph = network()
    const other = shuffleWeights(graph, new Set(['first', 'logits']), 1)
    for (const [i, node] of graph.nodes.entries()) {
      const found = weightsOf(other.nodes[i]!)
      const listed = node.name === 'first' || node.name === 'logits'
      weightsOf(node).forEach((w, k) => {
        expect([...found[k]!.data].sort()).toEqual([...w.data].sort())
        if (!listed || w.data.length > 4) expect(found[k]!.data.every((v, j) => v === w.data[j])).toBe(!listed)
      })
    }
    const data = (g: Graph): number[] => [...weightsOf(g.nodes[1]!)[0]!.data]
    expect(data(shuffleWeights(graph, new Set(['first']), 1))).toEqual(data(other))
    expect(data(shuffleWeights(graph, new Set(['first']), 2))).not.toEqual(data(other))
    expect(weightedOps).not.toContain('constant')
  })
})

test('another input size gives the graph that would be built at that size, where places are pooled', () => {
  for (const end of ['mean', 'pool'] as const) expect(withInputSize(network(6, 5, end), 12, 10)).toEqual(network(12, 10, end))
  expect(() => withInputSize(network(6, 5, 'flat'), 12, 10)).toThrow(/one size only: at its layer flat it turns 6×5×4 into 120/)
  const picked = (height: number, indices: number[], axis = 1): Graph => {
    const b = createBuilder()
    const x = b.add('x', { op: 'input' }, [], [-1, height, 4, 3])
    const some = b.add('some', { op: 'gather', axis, indices }, [x])
    return b.finish(x, b.add('logits', { op: 'reduce', function: 'mean', axes: [1, 2], keepDims: false }, [some]))
  }
  expect(withInputSize(picked(5, [1, 3]), 8, 4)).toEqual(picked(8, [1, 3, 5, 7]))
  expect(withInputSize(picked(5, [2, 1, 0], 3), 8, 4)).toEqual(picked(8, [2, 1, 0], 3))
  expect(() => withInputSize(picked(5, [0, 1]), 8, 4)).toThrow(/picks single places/)
  const shift = (graph: Graph): Graph => ({ ...graph, nodes: graph.nodes.map((node) => (node.op === 'constant' ? { ...node, shape: [1, 6, 5, 4], value: weight([1, 6, 5, 4], new Float32Array(120)) } : node)) })
  expect(() => withInputSize(shift(network()), 12, 10)).toThrow(/layer shifted .*does not fit/)
})

const layersModel = (): tfl.LayersModel => {
  const { layers } = tfl
  const model = tfl.sequential({ layers: [
    layers.conv2d({ inputShape: [8, 8, 3], filters: 4, kernelSize: 3, activation: 'relu', name: 'first' }), layers.batchNormalization(),
    layers.globalAveragePooling2d({}), layers.dense({ units: 3, activation: 'softmax', name: 'last' }),
  ] })
  randomise(model, 1)
  return model
}

const onnx = (bytes: Uint8Array): OnnxSource => ({ name: 'test', sha256: '0', format: 'onnx', bytes, external: {}, preprocessing: plain, labels: null, head: undefined })

async function answers(classifier: Classifier, images: ImageBatch, enlargedOne: () => Promise<Classifier>): Promise<{ relevance: Float32Array; ablated: Float32Array; shuffled: Float32Array; enlarged: Float32Array }> {
  const layer = classifier.graph!.camLayer ?? 'first'
  const channels = Array.from({ length: images.count }, (_, i) => [0, i])
  const copy = await classifier.withWeights({ layers: [layer], seed: 3 })
  const { relevance } = await classifier.relevance(images, Array.from({ length: images.count }, (_, i) => i), rule)
  const large = await enlargedOne()
  expect(large.info.input).toEqual({ height: 2 * images.height, width: 2 * images.width, channels: 3 })
  expect(large.graph!.layers[0]!.shape).toEqual([2 * images.height, 2 * images.width, 3])
  const enlarged = await large.logits(randomImages(1, 2 * images.height, 2 * images.width, 3))
  large.dispose()
  const found = { relevance, enlarged, ablated: await classifier.logits(images, { ablate: { layer, channels } }), shuffled: await copy.logits(images) }
  expect(worst(found.shuffled, await classifier.logits(images))).toBeGreaterThan(1e-3)
  copy.dispose()
  return found
}

test.each([['layers model', 8], ['ONNX model', 16]] as const)('a %s answers on both executors alike', async (kind, side) => {
  const source = kind === 'layers model' ? await sourceOf(layersModel()) : onnx(tinyOnnx().bytes)
  const images = randomImages(2, side, side, 3)
  const enlarged = { ...source, preprocessing: { ...source.preprocessing, inputScale: 2 } }
  const onTfjs = await loadClassifier(source)
  const one = await answers(onTfjs, images, () => loadClassifier(enlarged))
  onTfjs.dispose()
  expect(one.relevance.some((v) => v !== 0)).toBe(true)
  if (!hasOnnxruntime) return
  const use = { ...plainUse, executor: 'onnxruntime' } as const
  const native = await loadClassifier(source, use)
  const two = await answers(native, images, () => loadClassifier(enlarged, use))
  native.dispose()
  for (const key of ['relevance', 'ablated', 'shuffled', 'enlarged'] as const) expect(worst(two[key], one[key]), key).toBeLessThan(1e-4)
})

test('relevance goes through attention, and images do not know of each other', async () => {
  const classifier = await loadClassifier(onnx(writeOnnx(visionTransformer('images first'))))
  const images = randomImages(2, 8, 8, 3)
  const exact: LrpRule = { ...rule, epsilon: 0, lower: 0, biases: 'none' }
  const { relevance } = await classifier.relevance(images, [1, 4], exact)
  const [first, second] = [relevance.slice(0, 192), relevance.slice(192)]
  const single = await classifier.relevance({ ...images, count: 1, data: images.data.slice(192) }, [4], exact)
  expect(worst(single.relevance, second)).toBeLessThan(1e-4)
  expect(first.some((v) => Math.abs(v) > 1e-6)).toBe(true)
  classifier.dispose()
})

test('what cannot be asked is refused in words', async () => {
  const classifier = await loadClassifier(await sourceOf(layersModel()))
  const images = randomImages(1, 8, 8, 3)
  await expect(classifier.logits(images, { ablate: { layer: 'nowhere', channels: [[0]] } })).rejects.toMatchObject({ code: 'usage', subject: 'layer' })
  await expect(classifier.logits(images, { ablate: { layer: 'first', channels: [[4]] } })).rejects.toThrow(/channel 4 of the layer first, which has 4/)
  await expect(classifier.relevance(images, [3], rule)).rejects.toMatchObject({ code: 'usage', subject: 'target' })
  await expect(classifier.withWeights({ layers: [classifier.graph!.layers[0]!.name], seed: 1 })).rejects.toMatchObject({ code: 'usage', subject: 'layer' })
  classifier.dispose()
})

onnxruntimeTest('a model that runs as it is offers none of it', async () => {
  const opaque = await loadClassifier(onnx(tinyOnnx({ opaque: true }).bytes), { ...plainUse, executor: 'auto' })
  expect(opaque.graph).toBeNull()
  const images = randomImages(1, 16, 16, 3)
  for (const asked of [
    opaque.logits(images, { ablate: { layer: 'conv', channels: [[0]] } }), opaque.relevance(images, [0], rule), opaque.withWeights({ layers: ['conv'], seed: 1 }),
    loadClassifier({ ...onnx(tinyOnnx({ opaque: true }).bytes), preprocessing: { ...plain, inputScale: 2 } }),
  ]) await expect(asked).rejects.toMatchObject({ code: 'unavailable' })
  opaque.dispose()
})

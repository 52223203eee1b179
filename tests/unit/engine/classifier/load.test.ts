import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, expect, test } from 'vitest'
import { selectBackend } from '#engine/backend/select.ts'
import { loadClassifier } from '#engine/classifier/load.ts'
import { printGraph } from '#engine/graph/print-graph.ts'
import { importLayersModel } from '#engine/graph/import/layers-model.ts'
import { decodeWeights } from '#engine/graph/import/weights.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ModelSource, TfjsSource } from '#shared/domain/model.ts'
import { graphDef } from '../graph/graph-def.ts'
import { plain, randomImages, randomise, sourceOf } from '../graph/models.ts'

const { layers } = tfl

beforeAll(async () => {
  await selectBackend('cpu')
})

function small(units = 3, activation: 'softmax' | 'sigmoid' | 'linear' = 'softmax'): tfl.LayersModel {
  const model = tfl.sequential({ layers: [
    layers.conv2d({ inputShape: [6, 6, 3], filters: 4, kernelSize: 3, activation: 'relu', name: 'first' }), layers.flatten(), layers.dense({ units, activation, name: 'last' }),
  ] })
  randomise(model, 1)
  return model
}

async function refusal(source: ModelSource): Promise<MaskscopeError> {
  const error = await loadClassifier(source).then(() => null, (e: unknown) => e)
  expect(error).toBeInstanceOf(MaskscopeError)
  expect((error as MaskscopeError).code).toBe('input')
  return error as MaskscopeError
}

test('broken weights are refused, naming the weight', async () => {
  const good = await sourceOf(small())
  expect((await refusal({ ...good, weightData: good.weightData.slice(0, 300) })).message).toMatch(/shards end inside weight first\/kernel.*again/)
  expect((await refusal({ ...good, weightData: new Uint8Array(good.weightData.length + 4) })).message).toMatch(/do not belong together/)
  const bad = good.weightData.slice()
  new DataView(bad.buffer).setFloat32(8, NaN, true)
  expect((await refusal({ ...good, weightData: bad })).message).toMatch(/Weight first\/kernel holds NaN at position 2/)
  new DataView(bad.buffer).setFloat32(8, Infinity, true)
  expect((await refusal({ ...good, weightData: bad })).subject).toBe('first/kernel')
  const dropped = good.weightSpecs[good.weightSpecs.length - 1]!
  const bytes = dropped.shape.reduce((a, b) => a * b, 1) * 4
  const missing = await refusal({ ...good, weightSpecs: good.weightSpecs.slice(0, -1), weightData: good.weightData.slice(0, -bytes) })
  expect(missing.message).toMatch(/Weight last\/bias is missing/)
  expect((await refusal({ ...good, weightSpecs: [{ ...good.weightSpecs[0]!, dtype: 'string' }] })).message).toMatch(/type string/)
})

test('inputs that are not images of a known size are refused', async () => {
  const wrong = (shape: (number | null)[]): Promise<MaskscopeError> => {
    const topology = { class_name: 'Sequential', config: { layers: [{ class_name: 'InputLayer', config: { batch_input_shape: [null, ...shape], name: 'in' } }] } }
    return refusal({ name: 'm', sha256: '', format: 'tfjs-layers', topology, weightSpecs: [], weightData: new Uint8Array(), preprocessing: plain, labels: null, head: undefined })
  }
  expect((await wrong([784])).message).toMatch(/input of \[\?, 784\].*image classifier/)
  expect((await wrong([32, 32, 4])).message).toMatch(/with 4 channels/)
  expect((await wrong([3, 32, 32])).message).toMatch(/Channels come first/)
  expect((await wrong([null, null, 3])).message).toMatch(/not fixed/)
})

test('what is no model, or no classifier, is refused', async () => {
  const good = await sourceOf(small())
  expect((await refusal({ ...good, topology: {} })).message).toMatch(/not a TF\.js layers model/)
  expect((await refusal({ ...good, format: 'tfjs-graph', topology: {} })).message).toMatch(/not a TF\.js graph model/)
  expect((await refusal({ ...good, labels: ['a', 'b'] })).message).toMatch(/2 labels for 3 classes/)
  expect((await refusal({ ...good, head: 'sigmoid' })).message).toMatch(/card says the head is sigmoid, but the file ends in a softmax/)
  const image = tfl.sequential({ layers: [layers.conv2d({ inputShape: [6, 6, 3], filters: 4, kernelSize: 3 })] })
  expect((await refusal(await sourceOf(image))).message).toMatch(/one number per class/)
  expect((await refusal({ ...good, preprocessing: { ...plain, std: [1, 0, 1] } })).message).toMatch(/std is 1, 0, 1; positive/)
})

test('an operation that not even TF.js knows is refused by the name of its node', async () => {
  const g = graphDef([4, 4, 3])
  g.node('mystery', 'FancyOp', ['input'])
  const error = await refusal(g.source())
  expect(error.message).toMatch(/node mystery \(FancyOp\)/)
  const good = await sourceOf(small())
  const topology = JSON.parse(JSON.stringify(good.topology).replace('"Flatten"', '"Telescope"')) as unknown
  expect((await refusal({ ...good, topology })).message).toMatch(/Telescope/)
})

test('a model beyond our graph runs as TF.js runs it, with gradients, and says so', async () => {
  const model = tfl.sequential({ layers: [
    layers.conv2d({ inputShape: [6, 6, 3], filters: 4, kernelSize: 3, activation: 'tanh' }), layers.reshape({ targetShape: [16, 4] }),
    layers.conv1d({ filters: 3, kernelSize: 2 }), layers.flatten(), layers.dense({ units: 4, activation: 'softmax' }),
  ] })
  randomise(model, 4)
  const before = tf.memory().numTensors
  const classifier = await loadClassifier(await sourceOf(model, { preprocessing: { ...plain, range: [-1, 1] } }))
  expect(classifier.info).toMatchObject({ head: 'softmax', access: 'gradient', multiplyAdds: null, classes: 4 })
  expect(classifier.info.notes.join(' ')).toMatch(/cannot express node .*Conv1D.*TF\.js runs the model as it is/)
  const images = randomImages(2, 6, 6, 3)
  const logits = await classifier.logits(images)
  const expected = tf.tidy(() => (model.predict(tf.sub(tf.mul(tf.tensor(images.data, [2, 6, 6, 3]), 2), 1)) as tf.Tensor).dataSync())
  logits.forEach((z, i) => expect(Math.exp(z)).toBeCloseTo(expected[i]!, 5))
  const { gradient, scores } = await classifier.scoreGradient(images, [{ kind: 'log-odds', target: 1 }, { kind: 'logit', target: 2 }])
  const pixel = 40
  const step = 1e-3
  const moved = { ...images, data: images.data.map((v, i) => (i === pixel ? v + step : v)) }
  const next = await classifier.scoreGradient(moved, [{ kind: 'log-odds', target: 1 }, { kind: 'logit', target: 2 }])
  expect((next.scores[0]! - scores[0]!) / step).toBeCloseTo(gradient[pixel]!, 1)
  classifier.dispose()
  expect(tf.memory().numTensors).toBe(before)
})

test('heads: softmax, sigmoids, a single sigmoid, and plain numbers', async () => {
  const images = randomImages(1, 6, 6, 3)
  const load = async (units: number, activation: 'softmax' | 'sigmoid' | 'linear', changes: Partial<TfjsSource> = {}): Promise<Awaited<ReturnType<typeof loadClassifier>>> =>
    loadClassifier(await sourceOf(small(units, activation), changes))
  expect((await load(3, 'sigmoid')).info.head).toBe('sigmoid')
  expect((await load(3, 'linear')).info.head).toBe('softmax')
  expect((await load(3, 'linear', { head: 'sigmoid' })).info.head).toBe('sigmoid')
  const number = await load(1, 'linear')
  expect(number.info.head).toBe('none')
  await expect(number.scoreGradient(images, [{ kind: 'probability', target: 0 }])).rejects.toThrow(/needs probabilities/)

  const model = small(1, 'sigmoid')
  const two = await loadClassifier(await sourceOf(model))
  expect(two.info).toMatchObject({ head: 'softmax', classes: 2 })
  const [no, yes] = await two.logits(images)
  const p = tf.tidy(() => (model.predict(tf.tensor(images.data, [1, 6, 6, 3])) as tf.Tensor).dataSync()[0]!)
  expect(Math.exp(yes!) / (Math.exp(no!) + Math.exp(yes!))).toBeCloseTo(p, 5)
  expect((await load(1, 'sigmoid', { labels: ['cat'] })).info).toMatchObject({ head: 'sigmoid', classes: 1 })
})

test('outputs that are not finite are refused', async () => {
  const classifier = await loadClassifier(await sourceOf(small()))
  const images = randomImages(1, 6, 6, 3)
  images.data[5] = NaN
  await expect(classifier.logits(images)).rejects.toMatchObject({ code: 'run', message: expect.stringMatching(/instead of a number/) as unknown })
})

test('guided gradients pass only what is positive at every ReLU', async () => {
  const model = small(3, 'linear')
  const classifier = await loadClassifier(await sourceOf(model))
  const images = randomImages(1, 6, 6, 3)
  const { gradient } = await classifier.scoreGradient(images, [{ kind: 'logit', target: 1 }], { reluRule: 'guided' })
  const expected = tf.tidy(() => {
    const [filter, bias, matrix] = model.getWeights() as [tf.Tensor4D, tf.Tensor1D, tf.Tensor2D]
    const x = tf.tensor4d(images.data, [1, 6, 6, 3])
    const y = tf.add(tf.conv2d(x, filter, 1, 'valid'), bias)
    const dy = tf.reshape(tf.slice(matrix, [0, 1], [64, 1]), [1, 4, 4, 4])
    const passed = tf.mul(tf.mul(dy, tf.cast(tf.greater(dy, 0), 'float32')), tf.cast(tf.greater(y, 0), 'float32'))
    return tf.conv2dTranspose(passed as tf.Tensor4D, filter, [1, 6, 6, 3], 1, 'valid').dataSync()
  })
  gradient.forEach((g, i) => expect(g).toBeCloseTo(expected[i]!, 5))
})

test('the graph can be printed', async () => {
  const source = await sourceOf(small())
  const text = printGraph(importLayersModel(source.topology, decodeWeights(source.weightSpecs, source.weightData)))
  expect(text).toContain('first/linear: conv2d (3×3×3×4) [n, 4, 4, 4] <- ')
  expect(text).toContain('last: softmax')
  // 3·3·3·4 + 4 + 64·3 + 3 numbers; 16·4·27 + 64·3 multiply-adds
  expect(text).toContain('307 parameters, 1920 multiply-adds')
})

test('quantised and half-precision shards give their values', () => {
  const specs = [
    { name: 'q8', shape: [3], dtype: 'float32', quantization: { dtype: 'uint8', scale: 0.5, min: -1 } },
    { name: 'q16', shape: [2], dtype: 'float32', quantization: { dtype: 'uint16', scale: 0.001, min: 2 } },
    { name: 'half', shape: [2], dtype: 'float32', quantization: { dtype: 'float16' } },
    { name: 'whole', shape: [1], dtype: 'int32' },
  ]
  const data = Uint8Array.of(0, 1, 255, 0xe8, 3, 0, 0, 0x00, 0x3c, 0x00, 0xc1, 7, 0, 0, 0)
  const weights = decodeWeights(specs, data)
  expect([...weights.get('q8')!.data]).toEqual([-1, -0.5, 126.5])
  expect(weights.get('q16')!.data[0]).toBeCloseTo(3, 5)
  expect(weights.get('q16')!.data[1]).toBe(2)
  expect([...weights.get('half')!.data]).toEqual([1, -2.5])
  expect([...weights.get('whole')!.data]).toEqual([7])
})


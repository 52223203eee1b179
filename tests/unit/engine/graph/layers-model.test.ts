import '@tensorflow/tfjs-backend-cpu'
import type * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, expect, test } from 'vitest'
import { selectBackend } from '#engine/backend/select.ts'
import type { Preprocessing } from '#shared/domain/model.ts'
import { checkAgainstStock } from './check.ts'
import { plain, randomise, sourceOf } from './models.ts'

const symmetric: Preprocessing = { ...plain, range: [-1, 1] }
const torch: Preprocessing = { ...plain, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }
const caffe: Preprocessing = { ...plain, range: [0, 255], mean: [103.9, 116.8, 123.7], std: [60, 55, 50], channelOrder: 'bgr' }

beforeAll(async () => {
  await selectBackend('cpu')
})

/** TF.js's tape fails or is wrong on some of these (dilation, absent bias, nearest upsampling); then `tape` is false. */
async function check(model: tfl.LayersModel, outputs: 'logits' | 'softmax' | 'sigmoid', preprocessing: Preprocessing, tape = true): Promise<readonly string[]> {
  randomise(model, 3)
  const source = await sourceOf(model, { preprocessing })
  const { info } = await checkAgainstStock(source, () => Promise.resolve((x) => model.predict(x) as tf.Tensor), outputs, tape)
  return info.notes
}

function mobileLike(): tfl.LayersModel {
  const { layers } = tfl
  return tfl.sequential({
    layers: [
      layers.conv2d({ inputShape: [13, 11, 3], filters: 6, kernelSize: 3, strides: 2, padding: 'same', useBias: false }),
      layers.batchNormalization({}),
      layers.reLU({ maxValue: 6 }),
      layers.depthwiseConv2d({ kernelSize: 3, padding: 'same', depthMultiplier: 2 }),
      layers.batchNormalization({ center: false }),
      layers.activation({ activation: 'relu' }),
      layers.depthwiseConv2d({ kernelSize: 3, strides: 2, padding: 'same', activation: 'relu6' }),
      layers.dropout({ rate: 0.5 }),
      layers.separableConv2d({ filters: 7, kernelSize: 2, padding: 'same', activation: 'relu' }),
      layers.globalAveragePooling2d({}),
      layers.dense({ units: 5, activation: 'softmax' }),
    ],
  })
}

test('a MobileNet-like network, for each kind of input scaling', async () => {
  const notes = await check(mobileLike(), 'softmax', symmetric, false)
  expect(notes.join(' ')).toMatch(/softmax is taken off/)
  expect(notes.join(' ')).toMatch(/whose padding now holds 0\.5/)
  expect((await check(mobileLike(), 'softmax', torch, false)).join(' ')).toMatch(/offset stays in front/)
  await check(mobileLike(), 'softmax', caffe, false)
  expect((await check(mobileLike(), 'softmax', plain, false)).join(' ')).not.toMatch(/input scaling/)
})

test('convolutions and depthwise convolutions with bias, against the tape', async () => {
  const { layers } = tfl
  await check(tfl.sequential({
    layers: [
      layers.conv2d({ inputShape: [9, 10, 3], filters: 6, kernelSize: [3, 2], strides: [2, 1], padding: 'same', activation: 'relu' }),
      layers.depthwiseConv2d({ kernelSize: 3, padding: 'valid' }),
      layers.batchNormalization({}),
      layers.activation({ activation: 'relu6' }),
      layers.conv2d({ filters: 4, kernelSize: 1, activation: 'sigmoid' }),
      layers.globalAveragePooling2d({}),
      layers.dense({ units: 5, activation: 'softmax' }),
    ],
  }), 'softmax', caffe)
})

test('padding layers, pools, crops and activations with a slope', async () => {
  const { layers } = tfl
  const notes = await check(tfl.sequential({
    layers: [
      layers.zeroPadding2d({ inputShape: [12, 14, 1], padding: [[1, 2], [0, 3]] }),
      layers.conv2d({ filters: 4, kernelSize: [3, 2], dilationRate: 2 }),
      layers.leakyReLU({ alpha: 0.1 }),
      layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }),
      layers.conv2d({ filters: 6, kernelSize: 2, strides: 1, activation: 'elu' }),
      layers.averagePooling2d({ poolSize: 2, strides: 1, padding: 'same' }),
      layers.elu({}),
      layers.cropping2D({ cropping: [[0, 1], [1, 0]] }),
      layers.flatten(),
      layers.dense({ units: 4, activation: 'sigmoid' }),
    ],
  }), 'sigmoid', { ...symmetric, mean: [0], std: [0.5] }, false)
  expect(notes.join(' ')).toMatch(/1 padding layer is merged/)
})

test('branches: add, multiply, average, maximum, concatenate, squeeze and excite, upsampling, transposed convolution', async () => {
  const { layers } = tfl
  const input = tfl.input({ shape: [8, 8, 3] })
  const stem = layers.conv2d({ filters: 6, kernelSize: 3, padding: 'same', activation: 'relu' }).apply(input) as tfl.SymbolicTensor
  const normal = layers.batchNormalization({}).apply(stem) as tfl.SymbolicTensor
  const side = layers.prelu({ sharedAxes: [1, 2] }).apply(layers.conv2d({ filters: 6, kernelSize: 1 }).apply(normal)) as tfl.SymbolicTensor
  const squeezed = layers.reshape({ targetShape: [1, 1, 6] }).apply(layers.globalAveragePooling2d({}).apply(side)) as tfl.SymbolicTensor
  const gate = layers.conv2d({ filters: 6, kernelSize: 1, activation: 'sigmoid' }).apply(squeezed) as tfl.SymbolicTensor
  const excited = layers.multiply().apply([side, gate]) as tfl.SymbolicTensor
  const sum = layers.add().apply([stem, excited, normal]) as tfl.SymbolicTensor
  const small = layers.maxPooling2d({ poolSize: 2 }).apply(sum) as tfl.SymbolicTensor
  const large = layers.upSampling2d({ size: [2, 2] }).apply(small) as tfl.SymbolicTensor
  const smooth = layers.upSampling2d({ size: [2, 2], interpolation: 'bilinear' }).apply(small) as tfl.SymbolicTensor
  const transposed = layers.conv2dTranspose({ filters: 6, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' }).apply(small) as tfl.SymbolicTensor
  const joined = layers.concatenate().apply([large, layers.average().apply([smooth, transposed]), layers.maximum().apply([sum, transposed])] as tfl.SymbolicTensor[]) as tfl.SymbolicTensor
  const both = layers.concatenate().apply([layers.globalMaxPooling2d({}).apply(joined), layers.globalAveragePooling2d({}).apply(joined)] as tfl.SymbolicTensor[])
  const output = layers.dense({ units: 6 }).apply(both) as tfl.SymbolicTensor
  const notes = await check(tfl.model({ inputs: input, outputs: output }), 'logits', torch, false)
  expect(notes.join(' ')).toMatch(/linear outputs, taken as the logits/)
})

test('nested models, rescaling, layer normalisation, permutation and the other activations', async () => {
  const { layers } = tfl
  const activations = ['tanh', 'selu', 'softplus', 'softsign', 'hardSigmoid', 'swish', 'mish'] as const
  const inner = tfl.sequential({ name: 'inner', layers: [
    layers.conv2d({ inputShape: [6, 7, 3], filters: 5, kernelSize: 2, name: 'inner_conv' }),
    layers.layerNormalization({ name: 'inner_norm' }),
    ...activations.map((activation, i) => layers.dense({ units: 5, activation, name: `inner_${i}` })),
  ] })
  await check(tfl.sequential({ layers: [
    layers.rescaling({ inputShape: [6, 7, 3], scale: 2, offset: -1 }), inner, layers.permute({ dims: [2, 1, 3] }), layers.flatten(), layers.dense({ units: 3, activation: 'softmax' }),
  ] }), 'softmax', plain)
})

test('a dense network takes the scaling into its first matrix', async () => {
  const { layers } = tfl
  const notes = await check(tfl.sequential({ layers: [
    layers.flatten({ inputShape: [5, 4, 3] }), layers.dense({ units: 9, activation: 'relu' }), layers.dense({ units: 3, activation: 'softmax' }),
  ] }), 'softmax', caffe)
  expect(notes.join(' ')).toMatch(/folded into/)
})

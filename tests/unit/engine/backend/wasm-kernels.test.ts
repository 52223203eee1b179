import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { frozenCounts, markFrozen, releaseFrozen } from '#engine/backend/frozen.ts'
import {
  conv2dFilterGradient, conv2dInputGradient, depthwiseConv2dFilterGradient, depthwiseConv2dInputGradient,
} from '#engine/backend/gradients.ts'
import { initWasm, registerWasmKernels } from '#engine/backend/wasm.ts'
import { explicitPads } from '#engine/backend/padding.ts'
import { convolutionCases, reference, relativeError } from './convolution-cases.ts'

beforeAll(async () => {
  await initWasm()
})

describe.each([
  { title: 'Conv2D', depthwise: false, inputGradient: conv2dInputGradient, filterGradient: conv2dFilterGradient, forward: tf.conv2d },
  {
    title: 'DepthwiseConv2dNative', depthwise: true, inputGradient: depthwiseConv2dInputGradient,
    filterGradient: depthwiseConv2dFilterGradient, forward: tf.depthwiseConv2d,
  },
])('$title on WASM against the cpu backend', ({ depthwise, inputGradient, filterGradient, forward }) => {
  const cases = convolutionCases(150, depthwise)

  test('covers every kernel size, stride, dilation and kind of padding', () => {
    for (const k of [1, 2, 3, 5, 7]) expect(cases.some((c) => c.filterShape[0] === k)).toBe(true)
    for (const s of [1, 2, 3]) expect(cases.some((c) => c.strides[0] === s)).toBe(true)
    expect(cases.some((c) => c.dilations[1] > 1)).toBe(true)
    expect(cases.some((c) => c.padding === 'same' && c.filterShape[0] < c.strides[0])).toBe(true)
    expect(new Set(cases.map((c) => (typeof c.padding === 'string' ? c.padding : 'explicit'))).size).toBe(3)
  })

  test('forward, input gradient and filter gradient agree to 1e-4', async () => {
    for (const c of cases) {
      const expected = await reference(c, depthwise)
      await tf.setBackend('wasm')
      const before = tf.memory()
      const x = tf.tensor4d(c.x, c.inputShape)
      const filter = tf.tensor4d(c.filter, c.filterShape)
      const dy = tf.tensor4d(c.dy, c.dyShape)
      const y = forward(x, filter, [...c.strides], c.padding as 'same', 'NHWC', [...c.dilations])
      const dx = inputGradient(dy, filter, c.inputShape, c.strides, c.pads, c.dilations)
      const dw = filterGradient(x, dy, c.filterShape, c.strides, c.pads, c.dilations)
      expect(dx.shape, c.name).toEqual(c.inputShape)
      expect(dw.shape, c.name).toEqual(c.filterShape)
      expect(relativeError(y.dataSync(), expected.y), `forward, ${c.name}`).toBeLessThan(1e-4)
      expect(relativeError(dx.dataSync(), expected.dx), `input gradient, ${c.name}`).toBeLessThan(1e-4)
      expect(relativeError(dw.dataSync(), expected.dw), `filter gradient, ${c.name}`).toBeLessThan(1e-4)
      // tf.grad goes the same way, by the padding as written
      const loss = (a: tf.Tensor, b: tf.Tensor): tf.Scalar =>
        tf.sum(tf.mul(forward(a as tf.Tensor4D, b as tf.Tensor4D, [...c.strides], c.padding as 'same', 'NHWC', [...c.dilations]), dy))
      const [gx, gw] = tf.grads(loss)([x, filter])
      expect(relativeError(gx!.dataSync(), expected.dx), `tf.grads, ${c.name}`).toBeLessThan(1e-4)
      expect(relativeError(gw!.dataSync(), expected.dw), `tf.grads, ${c.name}`).toBeLessThan(1e-4)
      tf.dispose([x, filter, dy, y, dx, dw, gx!, gw!])
      expect(tf.memory().numTensors).toBe(before.numTensors)
      expect(dataCount()).toBe(0)
    }
  })

  test('a frozen filter keeps its forms, gives the same bytes, and frees them', async () => {
    for (const c of cases.slice(0, 30)) {
      await tf.setBackend('wasm')
      const filter = tf.tensor4d(c.filter, c.filterShape)
      const dy = tf.tensor4d(c.dy, c.dyShape)
      const free = inputGradient(dy, filter, c.inputShape, c.strides, c.pads, c.dilations)
      markFrozen(filter)
      const first = inputGradient(dy, filter, c.inputShape, c.strides, c.pads, c.dilations)
      const kept = frozenCounts().tensors
      const second = inputGradient(dy, filter, c.inputShape, c.strides, c.pads, c.dilations)
      expect(frozenCounts()).toEqual({ filters: 1, tensors: kept })
      expect(first.dataSync()).toEqual(free.dataSync())
      expect(second.dataSync()).toEqual(free.dataSync())
      releaseFrozen(filter)
      tf.dispose([filter, dy, free, first, second])
      expect(frozenCounts()).toEqual({ filters: 0, tensors: 0 })
      expect(dataCount()).toBe(0)
    }
  })
})

test('a filter gradient over nothing but padding is zero, whatever the memory held before', async () => {
  await tf.setBackend('wasm')
  tf.fill([3, 3, 3, 1], 7).dispose()
  const x = tf.ones<tf.Rank.R4>([2, 6, 1, 3])
  const dy = tf.ones<tf.Rank.R4>([2, 2, 1, 1])
  const gradient = conv2dFilterGradient(x, dy, [3, 3, 3, 1], [3, 2], { top: 0, bottom: 2, left: 3, right: 0 })
  expect([...gradient.dataSync()].every((v) => v === 0)).toBe(true)
  tf.dispose([x, dy, gradient])
})

test('explicit pads are those that TF.js computes', () => {
  for (let size = 1; size < 15; size++) {
    for (const kernel of [1, 2, 3, 5]) {
      for (const [stride, dilation] of [[1, 1], [2, 1], [3, 1], [1, 2], [1, 3]] as const) {
        const info = tf.backend_util.computeConv2DInfo([1, size, size + 3, 1], [kernel, kernel, 1, 1], stride, dilation, 'same')
        const { type: _, ...expected } = info.padInfo
        expect(explicitPads([size, size + 3], [kernel, kernel], [stride, stride], [dilation, dilation], 'same')).toEqual(expected)
      }
    }
  }
})

test('training layers of both kinds leaves no tensors behind and learns', async () => {
  await tf.setBackend('wasm')
  const target = tf.randomNormal([4, 5, 5, 6], 0, 1, 'float32', 3)
  const x = tf.randomNormal<tf.Rank.R4>([4, 9, 9, 3], 0, 1, 'float32', 4)
  const depthwise = tf.variable(tf.randomNormal<tf.Rank.R4>([3, 3, 3, 2], 0, 0.5, 'float32', 1))
  const filter = tf.variable(tf.randomNormal<tf.Rank.R4>([3, 3, 6, 6], 0, 0.2, 'float32', 2))
  const optimizer = tf.train.sgd(0.05)
  const loss = (): tf.Scalar => {
    const hidden = tf.relu(tf.depthwiseConv2d(x, depthwise, 2, 'same')) as tf.Tensor4D
    return tf.mean(tf.square(tf.sub(tf.conv2d(hidden, filter, 1, 'same'), target)))
  }
  const losses: number[] = []
  let tensors = 0
  let data = 0
  for (let step = 0; step < 20; step++) {
    const value = optimizer.minimize(loss, true)!
    losses.push(value.dataSync()[0]!)
    value.dispose()
    if (step === 0) [tensors, data] = [tf.memory().numTensors, dataCount()]
  }
  expect(tf.memory().numTensors).toBe(tensors)
  expect(dataCount()).toBe(data)
  expect(losses[19]!).toBeLessThan(losses[0]! * 0.95)
  tf.dispose([target, x, depthwise, filter])
})

test('registering twice changes nothing', () => {
  const before = tf.getKernel('Conv2DBackpropInput', 'wasm')
  registerWasmKernels()
  expect(tf.getKernel('Conv2DBackpropInput', 'wasm')).toBe(before)
})

test('saving a tensor for a gradient copies nothing', async () => {
  await tf.setBackend('wasm')
  const x = tf.tensor1d([1, 2, 3])
  const same = tf.clone(x)
  expect(same.dataId).toBe(x.dataId)
  x.dispose()
  expect([...same.dataSync()]).toEqual([1, 2, 3])
  same.dispose()
})

/** Tensors the WASM backend itself holds, including those outside TF.js's bookkeeping. */
function dataCount(): number {
  return tf.backend().numDataIds()
}

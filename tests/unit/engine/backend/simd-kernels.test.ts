import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { beforeAll, expect, test } from 'vitest'
import { eluGradient, leakyReluGradient, reluGradient, sigmoidGradient } from '#engine/backend/activation-gradients.ts'
import { gated, gatedGradient, type Gate } from '#engine/backend/gated-activations.ts'
import { convolvedSize, toExplicitPadding, type Pads, type Pair } from '#engine/backend/padding.ts'
import { simdBinary as heapBinary } from '#engine/backend/simd/binary.ts'
import { initWasm } from '#engine/backend/wasm.ts'
import type { WasmBackend } from '#engine/backend/wasm-memory.ts'
import { simdBinary as maskBinary } from '#engine/methods/masks/simd/binary.ts'
import { simdBinary as queryBinary } from '#engine/methods/queries/simd/binary.ts'
import { createRandom } from '#shared/random/random.ts'
import { compileSimd, simdFolders } from '../../../../scripts/build/simd.js'
import { relativeError } from './convolution-cases.ts'

beforeAll(async () => {
  await initWasm()
})

const binaries = { 'src-main/engine/backend/simd': heapBinary, 'src-main/engine/methods/masks/simd': maskBinary, 'src-main/engine/methods/queries/simd': queryBinary }

test('the committed binaries are what each kernels.as compiles to', async () => {
  expect(Object.keys(binaries)).toEqual(simdFolders)
  for (const [folder, binary] of Object.entries(binaries)) expect(await compileSimd(folder), folder).toBe(binary)
})

function randomValues(n: number, ...stream: (string | number)[]): Float32Array {
  const random = createRandom(7, ...stream)
  return Float32Array.from({ length: n }, () => random.normal() * 3)
}

/** [count, height, width, channels], with channels that do and do not fill the lanes. */
const poolCases: { shape: [number, number, number, number]; window: Pair; strides: Pair; pads: Pads }[] = []
for (const channels of [1, 3, 4, 7, 8]) {
  for (const [window, strides] of [[[2, 2], [2, 2]], [[3, 3], [2, 2]], [[3, 2], [1, 3]], [[5, 5], [1, 1]], [[1, 1], [2, 2]]] as [Pair, Pair][]) {
    for (const pads of [{ top: 0, bottom: 0, left: 0, right: 0 }, { top: 0, bottom: 1, left: 1, right: 0 }]) {
      if (window[0] > pads.bottom) poolCases.push({ shape: [2, 9, 8, channels], window, strides, pads })
    }
  }
}

test('max pooling: the gradient is that of the cpu backend, and ties go to the first', async () => {
  for (const [index, { shape, window, strides, pads }] of poolCases.entries()) {
    const x = randomValues(shape.reduce((a, b) => a * b), 'x', index)
    const gradient = (): Float32Array => tf.tidy(() => {
      const input = tf.tensor4d(x, shape)
      const pool = (t: tf.Tensor): tf.Tensor => tf.maxPool(t as tf.Tensor4D, [...window], [...strides], toExplicitPadding(pads))
      const y = pool(input)
      return tf.grad(pool)(input, tf.tensor(randomValues(y.size, 'dy', index), y.shape)).dataSync() as Float32Array
    })
    await tf.setBackend('cpu')
    const expected = gradient()
    await tf.setBackend('wasm')
    expect(relativeError(gradient(), expected), JSON.stringify(poolCases[index])).toBeLessThan(1e-5)
  }
  const ties = tf.tidy(() => tf.grad((t) => tf.maxPool(t as tf.Tensor4D, 2, 2, 'valid'))(tf.zeros([1, 2, 2, 5])).dataSync())
  expect([...ties]).toEqual([...new Array<number>(5).fill(1), ...new Array<number>(15).fill(0)])
})

test('average pooling: the gradient is the adjoint of the forward, also where windows reach over the edge', async () => {
  await tf.setBackend('wasm')
  for (const [index, { shape, window, strides, pads }] of poolCases.entries()) {
    // Forward and gradient are linear: <pool(x), dy> = <x, gradient(dy)> for every x and dy.
    tf.tidy(() => {
      const x = tf.tensor4d(randomValues(shape.reduce((a, b) => a * b), 'x', index), shape)
      const pool = (t: tf.Tensor): tf.Tensor => tf.avgPool(t as tf.Tensor4D, [...window], [...strides], toExplicitPadding(pads))
      const y = pool(x)
      expect(y.shape.slice(1, 3)).toEqual(convolvedSize([9, 8], window, strides, [1, 1], pads))
      const dy = tf.tensor(randomValues(y.size, 'dy', index), y.shape)
      const left = tf.sum(tf.mul(y, dy)).dataSync()[0]!
      const right = tf.sum(tf.mul(x, tf.grad(pool)(x, dy))).dataSync()[0]!
      expect(Math.abs(left - right), JSON.stringify(poolCases[index])).toBeLessThan(1e-3 * Math.max(1, Math.abs(left)))
    })
  }
})

test('average pooling without padding: the gradient is that of the cpu backend', async () => {
  for (const [index, { shape, window, strides }] of poolCases.entries()) {
    const gradient = (): Float32Array => tf.tidy(() => {
      const pool = (t: tf.Tensor): tf.Tensor => tf.avgPool(t as tf.Tensor4D, [...window], [...strides], 'valid')
      const y = pool(tf.zeros(shape))
      return tf.grad(pool)(tf.zeros(shape), tf.tensor(randomValues(y.size, 'dy', index), y.shape)).dataSync() as Float32Array
    })
    await tf.setBackend('cpu')
    const expected = gradient()
    await tf.setBackend('wasm')
    expect(relativeError(gradient(), expected), JSON.stringify(poolCases[index])).toBeLessThan(1e-5)
  }
})

test('gradients of activations follow from the output, in the lanes and after them', async () => {
  await tf.setBackend('wasm')
  const backend = tf.backend() as unknown as WasmBackend
  const slopes: [string, (dy: tf.Tensor, y: tf.Tensor) => tf.TensorInfo, (dy: number, y: number) => number][] = [
    ['relu', (dy, y) => reluGradient(backend, dy, y), (dy, y) => (y > 0 ? dy : 0)],
    ['relu6', (dy, y) => reluGradient(backend, dy, y, 6), (dy, y) => (y > 0 && y < 6 ? dy : 0)],
    ['guided', (dy, y) => reluGradient(backend, dy, y, Infinity, true), (dy, y) => (y > 0 && dy > 0 ? dy : 0)],
    ['leaky', (dy, y) => leakyReluGradient(backend, dy, y, 0.2), (dy, y) => (y > 0 ? dy : dy * 0.2)],
    ['elu', (dy, y) => eluGradient(backend, dy, y), (dy, y) => (y > 0 ? dy : dy * (y + 1))],
    ['sigmoid', (dy, y) => sigmoidGradient(backend, dy, y), (dy, y) => dy * y * (1 - y)],
  ]
  for (const n of [1, 3, 4, 5, 31, 64]) {
    const y = randomValues(n, 'y', n)
    y[0] = 0
    if (n > 4) [y[1], y[n - 1]] = [6, 6]
    const dy = randomValues(n, 'dy', n)
    for (const [name, kernel, expected] of slopes) {
      const inputs = [tf.tensor1d(dy), tf.tensor1d(y)] as const
      const out = kernel(...inputs)
      const actual = backend.typedArrayFromHeap(out).slice()
      backend.disposeData(out.dataId)
      tf.dispose([...inputs])
      expect(relativeError(actual, Float32Array.from(dy, (d, i) => expected(d, y[i]!))), `${name} ${n}`).toBeLessThan(1e-6)
    }
  }
})

test('gated activations and their gradients, in one pass, are those of the formula for values of any size', async () => {
  await tf.setBackend('wasm')
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
  const clipped = (x: number): number => Math.min(6, Math.max(0, x + 3))
  const cubic = (x: number): number => 2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)
  // [gate, its slope]; the Gaussian one is held against TF.js's own, which is written in other operations
  const formulas: Record<Exclude<Gate, 'gelu'>, [(x: number) => number, (x: number) => number]> = {
    swish: [sigmoid, (x) => sigmoid(x) * sigmoid(-x)],
    hardSwish: [(x) => clipped(x) / 6, (x) => (Math.abs(x) <= 3 ? 1 / 6 : 0)],
    tanhGelu: [(x) => sigmoid(cubic(x)), (x) => sigmoid(cubic(x)) * sigmoid(-cubic(x)) * 2 * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x)],
  }
  for (const n of [1, 3, 4, 31, 64]) {
    const x = randomValues(n, 'gated', n)
    ;[-200, -20, 0, 3, -3, 15, 200].forEach((v, i) => i < n - 1 && (x[i] = v))
    const dy = randomValues(n, 'dy', n)
    tf.tidy(() => {
      const [input, gradient] = [tf.tensor1d(x), tf.tensor1d(dy)]
      for (const [gate, [g, slope]] of Object.entries(formulas) as [keyof typeof formulas, (typeof formulas)['swish']][]) {
        expect(relativeError(gated(gate, input).dataSync(), Float32Array.from(x, (v) => v * g(v))), `${gate} ${n}`).toBeLessThan(1e-6)
        const expected = Float32Array.from(x, (v, i) => dy[i]! * (g(v) + v * slope(v)))
        expect(relativeError(gatedGradient(gate, gradient, input).dataSync(), expected), `gradient of ${gate} ${n}`).toBeLessThan(1e-6)
      }
      const below = tf.mul(tf.add(tf.erf(tf.mul(input, Math.SQRT1_2)), 1), 0.5)
      const density = tf.mul(tf.exp(tf.mul(tf.square(input), -0.5)), 1 / Math.sqrt(2 * Math.PI))
      // TF.js's own loses digits where 1 + erf is small
      const off = (found: tf.Tensor, expected: tf.Tensor): number => tf.max(tf.div(tf.abs(tf.sub(found, expected)), tf.add(tf.abs(expected), 1))).dataSync()[0]!
      expect(off(gated('gelu', input), tf.mul(input, below)), `gelu ${n}`).toBeLessThan(2e-6)
      expect(off(gatedGradient('gelu', gradient, input), tf.mul(gradient, tf.add(below, tf.mul(input, density)))), `gradient of gelu ${n}`).toBeLessThan(2e-6)
    })
  }
})

test('joining, cutting and splitting move the same values as on the cpu backend', async () => {
  const random = createRandom(3, 'cuts')
  for (let round = 0; round < 120; round++) {
    const rank = 1 + random.below(5)
    const shape = Array.from({ length: rank }, () => 1 + random.below(6))
    const begin = shape.map((n) => random.below(n))
    const size = shape.map((n, axis) => (random.below(3) === 0 ? -1 : 1 + random.below(n - begin[axis]!)))
    const axis = random.below(rank)
    const dtype = random.below(4) === 0 ? 'int32' : 'float32'
    const values = Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.below(1000))
    const run = (): number[][] => tf.tidy(() => {
      const x = tf.tensor(values, shape, dtype)
      const cut = tf.slice(x, begin, size)
      const joined = tf.concat([x, tf.neg(x), x], axis)
      const parts = tf.split(joined, [shape[axis]! * 2, shape[axis]!], axis)
      return [cut, joined, ...parts].map((t) => [...t.shape, ...t.dataSync()])
    })
    await tf.setBackend('cpu')
    const expected = run()
    await tf.setBackend('wasm')
    expect(run(), `${shape.join('×')} from ${begin.join(',')} of ${size.join(',')} axis ${axis}`).toEqual(expected)
  }
  const odd = tf.tidy(() => {
    const flags = tf.tensor1d([true, false, true], 'bool')
    return [...tf.concat([flags, flags]).dataSync(), ...tf.slice(flags, 1, 2).dataSync(), tf.concat([tf.zeros([0, 2]), tf.ones([1, 2])]).size]
  })
  expect(odd).toEqual([1, 0, 1, 1, 0, 1, 0, 1, 2])
  expect(tf.slice(tf.tensor1d(['a', 'b', 'c']), 1, 1).dataSync()).toEqual(['b'])
})

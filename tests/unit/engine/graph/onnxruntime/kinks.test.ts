import { expect } from 'vitest'
import { selectBackend } from '#engine/backend/select.ts'
import type { GraphBuilder, Ref } from '#engine/graph/build.ts'
import { createBuilder, pads, weight } from '#engine/graph/build.ts'
import type { Graph, Operation, Unary } from '#engine/graph/graph.ts'
import { noPads, sizePerImage } from '#engine/graph/graph.ts'
import { createOnnxruntimeExecutor } from '#engine/graph/onnxruntime/executor.ts'
import { createTfjsExecutor } from '#engine/graph/tfjs/executor.ts'
import type { ReluRule } from '#engine/classifier/classifier.ts'
import type { Score } from '#shared/domain/score.ts'
import { createRandom } from '#shared/random/random.ts'
import { onnxruntimeTest } from '../../../../onnx.ts'
import { worst } from '../models.ts'

const count = 2

/** Ends in three projections, weighted with random numbers of both signs. */
function graphOf(size: readonly [number, number, number], make: (builder: GraphBuilder, x: Ref) => Ref): Graph {
  const builder = createBuilder()
  const random = createRandom(3, 'weights')
  const x = builder.add('input', { op: 'input' }, [], [-1, ...size])
  const result = make(builder, x)
  const length = sizePerImage(builder.shapeOf(result))
  const flat = builder.add('flat', { op: 'reshape' }, [result], [-1, length])
  const matrix = weight([length, 3], Array.from({ length: length * 3 }, () => random.normal()))
  return builder.finish(x, builder.add('logits', { op: 'dense', matrix, bias: null, activation: null }, [flat]))
}

/** Numbers of a few values only, so that many are equal and many lie exactly at a kink. */
function coarse(graph: Graph, values: readonly number[]): Float32Array {
  const random = createRandom(7, 'images')
  return Float32Array.from({ length: count * sizePerImage(graph.nodes[0]!.shape) }, () => values[random.below(values.length)]!)
}

/** Holds both executors' gradients against each other and hands them out. */
async function compared(graph: Graph, images: Float32Array, rule: ReluRule = 'exact'): Promise<Float32Array> {
  const other = createTfjsExecutor(graph, 'none')
  const own = await createOnnxruntimeExecutor(graph, 'none')
  const scores = Array.from({ length: count }, (_, i): Score => ({ kind: 'logit', target: i }))
  const expected = await other.gradient(images, count, scores, rule)
  const found = await own.gradient(images, count, scores, rule)
  expect(worst(found.gradient, expected.gradient), JSON.stringify(graph.nodes[1])).toBeLessThan(1e-5)
  expect(found.gradient.some((v) => v !== 0)).toBe(true)
  other.dispose()
  own.dispose()
  return found.gradient
}

const unary = (f: Unary) => (builder: GraphBuilder, x: Ref): Ref => builder.add('f', { op: 'unary', function: f }, [x])

onnxruntimeTest('exactly at a kink both executors take the same side', async () => {
  await selectBackend('cpu')
  const kinks: readonly [Unary, readonly number[]][] = [
    [{ kind: 'relu', max: null }, [-1, 0, 2]], [{ kind: 'relu', max: 6 }, [-1, 0, 3, 6, 7]], [{ kind: 'relu', max: 0.75 }, [-1, 0, 0.5, 0.75, 2]],
    [{ kind: 'leakyRelu', alpha: 0.1 }, [-1, 0, 2]], [{ kind: 'leakyRelu', alpha: -0.5 }, [-1, 0, 2]], [{ kind: 'elu', alpha: 2 }, [-1, 0, 2]],
    [{ kind: 'clip', min: -1, max: 2 }, [-2, -1, 0, 2, 3]], [{ kind: 'hardSigmoid', slope: 0.25, offset: 0.5 }, [-3, -2, 0, 2, 3]],
    [{ kind: 'hardSwish' }, [-4, -3, 0, 1, 3, 4]], [{ kind: 'abs' }, [-1, 0, 2]], [{ kind: 'selu' }, [-1, 0, 2]],
  ]
  for (const [f, values] of kinks) {
    const graph = graphOf([3, 4, 2], unary(f))
    const images = coarse(graph, values)
    const gradient = await compared(graph, images)
    if (f.kind === 'relu') images.forEach((x, i) => expect(gradient[i] === 0, `${f.max} at ${x}`).toBe(x <= 0 || x >= (f.max ?? Infinity)))
  }
}, 20_000)

onnxruntimeTest('equal operands and equal extremes', async () => {
  await selectBackend('cpu')
  for (const f of ['maximum', 'minimum'] as const) {
    const graph = graphOf([3, 4, 2], (builder, x) => {
      const turned = builder.add('turned', { op: 'reverse', axes: [1, 2] }, [x])
      return builder.add('binary', { op: 'binary', function: f }, [x, turned])
    })
    await compared(graph, coarse(graph, [0, 1]))
  }
  for (const f of ['max', 'min'] as const) {
    const graph = graphOf([3, 4, 2], (builder, x) => builder.add('reduced', { op: 'reduce', function: f, axes: [1, 2], keepDims: false }, [x]))
    await compared(graph, coarse(graph, [0, 1, 2]))
  }
}, 20_000)

onnxruntimeTest('of equal maxima in a pooling window the first in row-major order gets all', async () => {
  await selectBackend('cpu')
  const windows: readonly Pick<Operation & { op: 'pool' }, 'size' | 'strides' | 'pads'>[] = [
    { size: [2, 2], strides: [2, 2], pads: noPads },
    { size: [2, 3], strides: [3, 3], pads: pads([1, 0], [0, 1]) },
    { size: [3, 3], strides: [2, 2], pads: pads([1, 1], [1, 1]) },
    { size: [3, 3], strides: [1, 1], pads: pads([0, 2], [1, 1]) },
    // pads as wide as the window
    { size: [2, 2], strides: [1, 2], pads: pads([2, 0], [1, 2]) },
  ]
  for (const window of windows) {
    const graph = graphOf([7, 6, 3], (builder, x) => builder.add('pool', { op: 'pool', kind: 'max', countPadding: false, ...window }, [x]))
    const images = coarse(graph, [-1, 0, 1])
    const own = await createOnnxruntimeExecutor(graph, 'none')
    const { gradient } = await own.gradient(images, count, [{ kind: 'logit', target: 0 }, { kind: 'logit', target: 1 }], 'exact')
    own.dispose()
    const expected = firstGetsAll(graph, images)
    expect(worst(gradient, expected), JSON.stringify(window)).toBeLessThan(1e-5)
  }
}, 20_000)

/** By plain loops. */
function firstGetsAll(graph: Graph, images: Float32Array): Float32Array {
  const pool = graph.nodes.find((n) => n.op === 'pool')!
  const logits = graph.nodes.find((n) => n.name === 'logits')!
  if (pool.op !== 'pool' || logits.op !== 'dense') throw new Error('another graph')
  const [, height, width, channels] = graph.nodes[0]!.shape as [number, number, number, number]
  const [, outHeight, outWidth] = pool.shape as [number, number, number, number]
  const gradient = new Float32Array(images.length)
  for (let n = 0; n < count; n++) for (let row = 0; row < outHeight; row++) for (let column = 0; column < outWidth; column++) for (let c = 0; c < channels; c++) {
    let best = -1
    for (let i = 0; i < pool.size[0]; i++) for (let j = 0; j < pool.size[1]; j++) {
      const [y, x] = [row * pool.strides[0] - pool.pads.top + i, column * pool.strides[1] - pool.pads.left + j]
      if (y < 0 || y >= height || x < 0 || x >= width) continue
      const at = ((n * height + y) * width + x) * channels + c
      if (best < 0 || images[at]! > images[best]!) best = at
    }
    if (best >= 0) gradient[best]! += logits.matrix.data[((row * outWidth + column) * channels + c) * 3 + n]!
  }
  return gradient
}

onnxruntimeTest('the guided rule, and activations with their gradients, are those of the other executor', async () => {
  await selectBackend('cpu')
  const random = createRandom(11, 'filters')
  const filter = (...shape: number[]): ReturnType<typeof weight> => weight(shape, Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal()))
  const graph = graphOf([6, 5, 3], (builder, x) => {
    const conv = builder.add('conv', { op: 'conv2d', filter: filter(3, 3, 3, 8), bias: filter(8), strides: [1, 1], dilations: [1, 1], groups: 1, pads: pads([1, 1], [1, 1]), activation: { kind: 'relu', max: null } }, [x])
    const depthwise = builder.add('depthwise', { op: 'depthwiseConv2d', filter: filter(3, 3, 8, 1), bias: null, strides: [2, 2], dilations: [1, 1], pads: pads([1, 1], [1, 1]), activation: null }, [conv])
    const limited = builder.add('limited', { op: 'unary', function: { kind: 'relu', max: 6 } }, [depthwise])
    const second = builder.add('second', { op: 'conv2d', filter: filter(1, 1, 8, 8), bias: null, strides: [1, 1], dilations: [1, 1], groups: 1, pads: noPads, activation: { kind: 'leakyRelu', alpha: 0.1 } }, [limited])
    const sum = builder.add('sum', { op: 'binary', function: 'add' }, [limited, second])
    return builder.add('mean', { op: 'reduce', function: 'mean', axes: [1, 2], keepDims: false }, [sum])
  })
  const images = Float32Array.from({ length: count * 90 }, () => random.uniform())
  const exact = await compared(graph, images)
  const guided = await compared(graph, images, 'guided')
  expect(worst(exact, guided)).toBeGreaterThan(0.01)

  const other = createTfjsExecutor(graph, 'softmax')
  const own = await createOnnxruntimeExecutor(graph, 'softmax')
  const scores: Score[] = [{ kind: 'log-odds', target: 2 }, { kind: 'probability', target: 0 }]
  for (const node of ['conv', 'limited', 'sum', 'mean', 'logits', 'input']) {
    for (const rule of ['exact', 'guided'] as const) {
      const expected = await other.activations(images, count, node, scores, rule)
      const found = await own.activations(images, count, node, scores, rule)
      expect(found.shape).toEqual(expected.shape)
      expect(worst(found.activations, expected.activations), node).toBeLessThan(1e-5)
      expect(worst(found.gradients!, expected.gradients!), `${node}, ${rule}`).toBeLessThan(1e-4)
      expect(worst(found.logits, expected.logits)).toBeLessThan(1e-5)
      expect(worst(found.scores!, expected.scores!)).toBeLessThan(1e-5)
    }
    const plain = await own.activations(images, count, node, null, 'exact')
    expect(plain.gradients).toBeNull()
    expect(plain.scores).toBeNull()
    expect(plain.activations.some((v) => v !== 0)).toBe(true)
  }
  other.dispose()
  own.dispose()
}, 20_000)

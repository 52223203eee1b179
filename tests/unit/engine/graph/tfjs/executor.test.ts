import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { selectBackend } from '#engine/backend/select.ts'
import type { ReluRule } from '#engine/classifier/classifier.ts'
import type { GraphBuilder, Ref } from '#engine/graph/build.ts'
import { createBuilder, weight } from '#engine/graph/build.ts'
import type { Graph, NodeOf, Operation, Unary } from '#engine/graph/graph.ts'
import { noPads, sizePerImage } from '#engine/graph/graph.ts'
import { createTfjsExecutor } from '#engine/graph/tfjs/executor.ts'
import { runProgram } from '#engine/graph/tfjs/program.ts'
import type { Score } from '#shared/domain/score.ts'
import { createRandom } from '#shared/random/random.ts'
import { differences, evaluate } from '../../../../fixtures/reference-executor.ts'
import { worst } from '../models.ts'

const count = 2
const logits = (target: number): Score[] => Array.from({ length: count }, () => ({ kind: 'logit', target }))

/** Ends in the sum of what `make` gives and, as a second logit, the sum of its squares. */
function summed(size: readonly [number, number, number], make: (b: GraphBuilder, x: Ref) => Ref): Graph {
  const b = createBuilder()
  const x = b.add('x', { op: 'input' }, [], [-1, ...size])
  const y = make(b, x)
  const flat = b.add('flat', { op: 'reshape' }, [y], [-1, sizePerImage(b.shapeOf(y))])
  const square = b.add('square', { op: 'unary', function: { kind: 'square' } }, [flat])
  const sums = [flat, square].map((ref, i) => b.add(`sum${i}`, { op: 'reduce', function: 'sum', axes: [1], keepDims: true }, [ref]))
  return b.finish(x, b.add('logits', { op: 'concat', axis: 1 }, sums))
}

async function gradientOf(graph: Graph, images: readonly number[], rule: ReluRule = 'exact', target = 0): Promise<number[]> {
  const executor = createTfjsExecutor(graph, 'none')
  const { gradient } = await executor.gradient(Float32Array.from(images), 1, [{ kind: 'logit', target }], rule)
  executor.dispose()
  return [...gradient].map((v) => v + 0)
}

/** A convolution with a ReLU, another without, a pool and two logits; every layer can be asked for. */
function network(): Graph {
  const random = createRandom(1, 'network')
  const weights = (...shape: number[]) => weight(shape, Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal() / 2))
  const b = createBuilder()
  const x = b.add('x', { op: 'input' }, [], [-1, 6, 5, 3])
  const conv = (name: string, from: Ref, channels: number, activation: Unary | null): Ref => {
    const inner = b.shapeOf(from)[3]!
    return b.add(name, { op: 'conv2d', filter: weights(3, 3, inner, channels), bias: weights(channels), strides: [1, 1], dilations: [1, 1], groups: 1, pads: { top: 1, bottom: 1, left: 1, right: 1 }, activation }, [from])
  }
  const first = conv('first', x, 4, { kind: 'relu', max: null })
  const second = conv('second', first, 5, { kind: 'relu', max: 6 })
  const aside = b.add('aside', { op: 'transpose', permutation: [1, 0, 2, 3] }, [second])
  const back = b.add('back', { op: 'transpose', permutation: [1, 0, 2, 3] }, [aside])
  const joined = b.add('joined', { op: 'binary', function: 'add' }, [back, conv('branch', x, 5, { kind: 'sigmoid' })])
  const pooled = b.add('pooled', { op: 'reduce', function: 'mean', axes: [1, 2], keepDims: false }, [joined])
  return b.finish(x, b.add('logits', { op: 'dense', matrix: weights(5, 3), bias: weights(3), activation: null }, [pooled]))
}

/** The graph from a layer on, with the layer as its input. */
function tail(graph: Graph, name: string): Graph {
  const start = graph.nodes.findIndex((n) => n.name === name)
  const needed = new Set<string>()
  const visit = (ref: string): void => {
    if (needed.has(ref) || ref === name) return
    needed.add(ref)
    for (const input of graph.nodes.find((n) => n.name === ref)!.inputs) visit(input)
  }
  visit(graph.output)
  const layer = graph.nodes[start]!
  return { ...graph, input: name, nodes: [{ op: 'input', name, inputs: [], shape: layer.shape, layers: [] }, ...graph.nodes.filter((n) => needed.has(n.name))] }
}

describe.each(['wasm', 'cpu'] as const)('on %s', (backend) => {
  let before = 0
  beforeEach(async () => {
    await selectBackend(backend)
    before = tf.memory().numTensors
  })
  afterEach(() => expect(tf.memory().numTensors).toBe(before))

  test('activations are the layer\'s values, and their gradients those of the rest of the network', async () => {
    const graph = network()
    const random = createRandom(2, 'images')
    const images = Float32Array.from({ length: count * 90 }, () => random.uniform())
    const executor = createTfjsExecutor(graph, 'none')
    const plain = await executor.gradient(images, count, logits(2), 'exact')
    for (const name of ['second', 'joined', 'pooled']) {
      const found = await executor.activations(images, count, name, logits(2), 'exact')
      const upTo = { ...graph, nodes: graph.nodes.slice(0, graph.nodes.findIndex((n) => n.name === name) + 1), output: name }
      const expected = Float32Array.from(evaluate(upTo, Float64Array.from(images), count).value.data)
      expect(found.shape).toEqual(graph.nodes.find((n) => n.name === name)!.shape.slice(1))
      expect(worst(found.activations, expected), name).toBeLessThan(1e-5)
      if (name !== 'second') expect(worst(found.gradients!, Float32Array.from(differences(tail(graph, name), expected, count)[2]!)), name).toBeLessThan(1e-4)
      expect(worst(found.logits, plain.logits)).toBeLessThan(1e-6)
      expect(worst(found.scores!, plain.scores)).toBeLessThan(1e-6)
      const alone = await executor.activations(images, count, name, null, 'exact')
      expect(alone).toEqual({ ...found, gradients: null, scores: null })
    }
    // the branch beside it takes no part: the mean's gradient comes back through both transpositions
    const { gradients } = await executor.activations(images, count, 'second', logits(0), 'exact')
    const matrix = (graph.nodes.at(-1) as NodeOf<'dense'>).matrix.data
    gradients!.forEach((g, i) => expect(g).toBeCloseTo(matrix[(i % 5) * 3]! / 30, 6))
    const image = await executor.activations(images, count, 'x', logits(2), 'exact')
    expect(image.activations).toEqual(images)
    expect(image.gradients).toEqual(plain.gradient)
    const end = await executor.activations(images, count, 'logits', logits(1), 'exact')
    expect([...end.gradients!]).toEqual([0, 1, 0, 0, 1, 0])
    executor.dispose()
  })

  test('a layer that does not exist or mixes images is refused', async () => {
    const executor = createTfjsExecutor(network(), 'none')
    await expect(executor.activations(new Float32Array(90), 1, 'third', null, 'exact')).rejects.toThrow('The model has no layer third.')
    await expect(executor.activations(new Float32Array(90), 1, 'aside', null, 'exact')).rejects.toThrow('The layer aside does not keep images apart.')
    executor.dispose()
  })

  test('ReLUs pass nothing at 0 and at their limit, clips everything at theirs', async () => {
    const values = [-1, 0, 0.5, 2, 6, 7]
    const slopes: [Unary, number[]][] = [
      [{ kind: 'relu', max: null }, [0, 0, 1, 1, 1, 1]],
      [{ kind: 'relu', max: 6 }, [0, 0, 1, 1, 0, 0]],
      [{ kind: 'relu', max: 2 }, [0, 0, 1, 0, 0, 0]],
      [{ kind: 'leakyRelu', alpha: 0.25 }, [0.25, 0.25, 1, 1, 1, 1]],
      [{ kind: 'clip', min: 0, max: 6 }, [0, 1, 1, 1, 1, 0]],
      [{ kind: 'abs' }, [-1, 0, 1, 1, 1, 1]],
    ]
    for (const [f, expected] of slopes) {
      const graph = summed([1, 6, 1], (b, x) => b.add('f', { op: 'unary', function: f }, [x]))
      expect(await gradientOf(graph, values), JSON.stringify(f)).toEqual(expected)
    }
    // the same where it rides on a convolution
    const identity: Operation = { op: 'conv2d', filter: weight([1, 1, 1, 1], [1]), bias: null, strides: [1, 1], dilations: [1, 1], groups: 1, pads: noPads, activation: { kind: 'relu', max: 6 } }
    expect(await gradientOf(summed([1, 6, 1], (b, x) => b.add('f', identity, [x])), values)).toEqual([0, 0, 1, 1, 0, 0])
  })

  test('the guided rule drops negative gradients at ReLUs, and nowhere else', async () => {
    const through = (f: Unary): Graph => summed([1, 4, 1], (b, x) => {
      const y = b.add('f', { op: 'unary', function: f }, [x])
      return b.add('signed', { op: 'binary', function: 'multiply' }, [y, b.add('signs', { op: 'constant', value: weight([4, 1], [1, -1, 1, -1]) }, [], [4, 1])])
    })
    const values = [0.5, 1, -1, -2]
    expect(await gradientOf(through({ kind: 'relu', max: null }), values, 'guided')).toEqual([1, 0, 0, 0])
    expect(await gradientOf(through({ kind: 'relu', max: 6 }), values, 'guided')).toEqual([1, 0, 0, 0])
    expect(await gradientOf(through({ kind: 'relu', max: null }), values)).toEqual([1, -1, 0, 0])
    expect(await gradientOf(through({ kind: 'leakyRelu', alpha: 0.5 }), values, 'guided')).toEqual([1, -1, 0.5, -0.5])
  })

  test('of equal maxima in a window the first takes it all, of equal operands the first; equal extremes share', async () => {
    const pool: Operation = { op: 'pool', kind: 'max', size: [2, 2], strides: [2, 2], pads: noPads, countPadding: false }
    expect(await gradientOf(summed([2, 4, 1], (b, x) => b.add('p', pool, [x])), [1, 2, 3, 3, 2, 2, 3, 0])).toEqual([0, 1, 1, 0, 0, 0, 0, 0])
    const wide: Operation = { ...pool, size: [3, 3], strides: [1, 1], pads: { top: 1, bottom: 1, left: 1, right: 1 } }
    expect(await gradientOf(summed([2, 2, 1], (b, x) => b.add('p', wide, [x])), [5, 5, 5, 5])).toEqual([4, 0, 0, 0])
    for (const f of ['maximum', 'minimum'] as const) {
      const graph = summed([1, 2, 1], (b, x) => b.add('f', { op: 'binary', function: f }, [b.add('twice', { op: 'affine', scale: weight([1], [1]), offset: weight([1], [0]) }, [x]), b.add('zero', { op: 'constant', value: weight([], [0]) }, [], [])]))
      expect(await gradientOf(graph, [0, 0])).toEqual([1, 1])
      const swapped = summed([1, 2, 1], (b, x) => b.add('f', { op: 'binary', function: f }, [b.add('zero', { op: 'constant', value: weight([], [0]) }, [], []), x]))
      expect(await gradientOf(swapped, [0, 0])).toEqual([0, 0])
    }
    for (const f of ['max', 'min'] as const) {
      const graph = summed([1, 4, 1], (b, x) => b.add('r', { op: 'reduce', function: f, axes: [1, 2, 3], keepDims: true }, [x]))
      expect(await gradientOf(graph, f === 'max' ? [3, 1, 3, 0] : [0, 1, 0, 2])).toEqual([0.5, 0, 0.5, 0])
    }
  })

  test('an element taken many times gets the sum of its gradients', async () => {
    const indices = [...new Array<number>(20).fill(1), 0, 2, 2]
    const graph = summed([2, 4, 3], (b, x) => b.add('g', { op: 'gather', axis: 2, indices }, [x]))
    const expected = Array.from({ length: 24 }, (_, i) => [1, 20, 2, 0][Math.floor(i / 3) % 4]!)
    expect(await gradientOf(graph, new Array<number>(24).fill(0.5))).toEqual(expected)
  })

  test('a comparison gives no gradient and stops none of another way', async () => {
    const graph = summed([1, 3, 1], (b, x) => {
      const mask = b.add('mask', { op: 'binary', function: 'greater' }, [x, b.add('c', { op: 'constant', value: weight([], [1]) }, [], [])])
      return b.add('gated', { op: 'binary', function: 'multiply' }, [mask, x])
    })
    expect(await gradientOf(graph, [0, 2, 3])).toEqual([0, 1, 1])
  })

  test('a program of several inputs and outputs is run once and leaves nothing behind', async () => {
    const b = createBuilder()
    const a = b.add('a', { op: 'input' }, [], [2, 3])
    const c = b.add('c', { op: 'input' }, [], [])
    const product = b.add('product', { op: 'binary', function: 'multiply' }, [a, c])
    const total = b.add('total', { op: 'reduce', function: 'sum', axes: [0, 1], keepDims: false }, [product])
    const { nodes } = b.finish(a, total)
    const values = new Map([[a, Float32Array.of(1, 2, 3, 4, 5, 6)], [c, Float32Array.of(2)]])
    expect(await runProgram(nodes, values, [total, product, total])).toEqual([
      { shape: [], data: Float32Array.of(42) }, { shape: [2, 3], data: Float32Array.of(2, 4, 6, 8, 10, 12) }, { shape: [], data: Float32Array.of(42) },
    ])
    await expect(runProgram(nodes, new Map([[a, new Float32Array(6)]]), [total])).rejects.toThrow('the input c has no values')
    await expect(runProgram(nodes, values, ['elsewhere'])).rejects.toThrow('there is no node elsewhere')
  })
})

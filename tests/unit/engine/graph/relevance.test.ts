import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { selectBackend } from '#engine/backend/select.ts'
import type { LrpRule } from '#engine/classifier/classifier.ts'
import { createBuilder, weight, type GraphBuilder, type Ref } from '#engine/graph/build.ts'
import type { Graph, GraphNode, Unary } from '#engine/graph/graph.ts'
import { nodeNamed } from '#engine/graph/graph.ts'
import { createRelevance } from '#engine/graph/tfjs/relevance/relevance.ts'
import { createRandom } from '#shared/random/random.ts'
import { operationCases } from '../../../fixtures/operation-graphs.ts'
import { evaluate } from '../../../fixtures/reference-executor.ts'
import { worst } from './models.ts'

const plain: LrpRule = { epsilon: 0, gamma: 0, lower: 0, input: 'same', biases: 'share' }
const relu: Unary = { kind: 'relu', max: null }
const perImage = 4 * 4 * 2
const images = (count: number): Float32Array => {
  const random = createRandom(3, 'relevance images')
  return Float32Array.from({ length: count * perImage }, () => random.uniform())
}

/** A ReLU network with a layer without one, so that inputs of both signs arrive, a sum, a mean and a dense layer. */
function network(biases: boolean): Graph {
  const random = createRandom(1, 'relevance network')
  const b = createBuilder()
  const weights = (...shape: number[]) => weight(shape, Array.from({ length: shape.reduce((a, n) => a * n) }, () => random.normal() / 2))
  // upwards, so that at no place all channels are zero: what biases alone make there has no input to go to
  const shifts = (size: number) => weight([size], Array.from({ length: size }, () => 1 + random.uniform()))
  const conv = (name: string, from: Ref, window: number, channels: number, activation: Unary | null): Ref => {
    const around = (window - 1) / 2
    return b.add(name, {
      op: 'conv2d', filter: weights(window, window, b.shapeOf(from)[3]!, channels), bias: biases ? shifts(channels) : null, strides: [1, 1], dilations: [1, 1], groups: 1,
      pads: { top: around, bottom: around, left: around, right: around }, activation,
    }, [from])
  }
  const x = b.add('x', { op: 'input' }, [], [-1, 4, 4, 2])
  const scaled = b.add('scaled', { op: 'affine', scale: weight([2], [2, -1]), offset: weight([2], [0, 1]) }, [x])
  const first = conv('first', scaled, 3, 3, relu)
  const signed = conv('signed', first, 1, 3, null)
  const third = conv('third', signed, 3, 3, relu)
  const sum = b.add('sum', { op: 'binary', function: 'add' }, [signed, third])
  const pooled = b.add('pooled', { op: 'pool', kind: 'average', size: [2, 2], strides: [2, 2], pads: { top: 0, bottom: 0, left: 0, right: 0 }, countPadding: false }, [sum])
  const flat = b.add('flat', { op: 'reshape' }, [pooled], [-1, 12])
  return b.finish(x, b.add('logits', { op: 'dense', matrix: weights(12, 2), bias: biases ? shifts(2) : null, activation: null }, [flat]))
}

/** What each input adds to each output of a layer, by the layer's answers to one input at a time; the last row is the bias. */
function contributions(node: GraphNode, x: Float64Array, inputShape: readonly number[]): { rows: number[][]; weights: number[][] } {
  const bare = { ...node, activation: null, inputs: ['x'] } as GraphNode
  const graph: Graph = { nodes: [{ op: 'input', name: 'x', inputs: [], shape: inputShape, layers: [] }, bare], input: 'x', output: node.name, notes: [] }
  const at = (values: Float64Array): number[] => [...evaluate(graph, values, 1).value.data]
  const bias = at(new Float64Array(x.length))
  const weights = [...x].map((_, j) => at(Float64Array.from(x, (__, i) => (i === j ? 1 : 0))).map((v, k) => v - bias[k]!))
  return { rows: [...weights.map((row, j) => row.map((w) => w * x[j]!)), bias], weights }
}

/** Relevance by explicit sums over every pair of input and output: what the fast passes must equal. */
function naive(graph: Graph, image: Float32Array, target: number, rule: LrpRule): number[] {
  const valueOf = (name: string): Float64Array => evaluate({ ...graph, output: name }, Float64Array.from(image), 1).value.data
  const linear = graph.nodes.filter(({ op }) => op === 'conv2d' || op === 'dense')
  const last = linear[Math.round(rule.lower * linear.length) - 1]
  const isLower = (node: GraphNode): boolean => node.name !== 'reference' && last !== undefined && graph.nodes.indexOf(node) <= graph.nodes.indexOf(last)
  const found = new Map<string, number[]>([[graph.output, [...valueOf(graph.output)].map((v, k) => (k === target ? v : 0))]])
  const add = (name: string, part: number[]): void => void found.set(name, part.map((v, i) => v + (found.get(name)?.[i] ?? 0)))

  /** Rows of contributions, one per input and perhaps one for the bias, to relevance per row. */
  function share(rows: number[][], r: number[], node: GraphNode): number[] {
    const z = r.map((_, k) => rows.reduce((sum, row) => sum + row[k]!, 0))
    const rms = Math.sqrt(z.reduce((sum, v) => sum + v * v, 0) / z.length)
    const raised = isLower(node) ? rows.map((row) => row.map((v, k) => v + (Math.sign(v) === (z[k]! > 0 ? 1 : -1) ? rule.gamma * v : 0))) : rows
    const epsilon = isLower(node) ? 0 : rule.epsilon
    const out = r.map((_, k) => raised.reduce((sum, row) => sum + row[k]!, 0) + (z[k]! >= 0 ? 1 : -1) * epsilon * rms)
    return raised.map((row) => row.reduce((sum, v, k) => sum + (r[k] === 0 ? 0 : (v / out[k]!) * r[k]!), 0))
  }

  for (const node of [...graph.nodes].reverse()) {
    const r = found.get(node.name)
    if (!r || node.op === 'input') continue
    const [from] = node.inputs as [string]
    if (node.op === 'affine' || node.op === 'reshape') add(from, r)
    else if (node.op === 'binary') {
      const [a, b] = node.inputs.map((name) => [...valueOf(name)]) as [number[], number[]]
      a.forEach((_, i) => {
        // one place at a time, though ε knows the whole layer
        const [first, second] = share([a, b], r.map((v, k) => (k === i ? v : 0)), node) as [number, number]
        add(node.inputs[0]!, r.map((_v, k) => (k === i ? first : 0)))
        add(node.inputs[1]!, r.map((_v, k) => (k === i ? second : 0)))
      })
    } else {
      const x = valueOf(from)
      const shape = nodeNamed(graph, from).shape
      const { rows, weights } = contributions(node, x, shape)
      const bias = rows.pop()!
      if (node.name === 'first' && rule.input === 'flat') {
        const inside = weights.map((row) => row.map((w) => (w === 0 ? 0 : 1)))
        add(from, share(inside, r, { ...node, name: 'flat' }))
      } else if (node.name === 'first' && rule.input === 'box') {
        // both channels lie in [0, 2] and [0, 1] after the scaling
        const high = (j: number): number => (j % 2 === 0 ? 2 : 1)
        add(from, share(weights.map((row, j) => row.map((w) => x[j]! * w - (w < 0 ? high(j) * w : 0))), r, node))
      } else if (node.name === 'first' && rule.input === 'mean') {
        const colour = [0, 1].map((c) => x.reduce((sum, v, j) => sum + (j % 2 === c ? v / 16 : 0), 0))
        const apart = weights.map((row, j) => row.map((w) => w * (x[j]! - colour[j % 2]!)))
        const rest = weights.map((row, j) => row.map((w) => w * colour[j % 2]!))
        add(from, share(rule.biases === 'share' ? [...apart, ...rest, bias] : apart, r, { ...node, name: 'reference' }).slice(0, x.length))
      } else {
        add(from, share(rule.biases === 'share' ? [...rows, bias] : rows, r, node).slice(0, x.length))
      }
    }
  }
  return found.get('x')!
}

const total = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0)

describe.each(['wasm', 'cpu'] as const)('relevance on %s', (backend) => {
  let before = 0
  beforeEach(async () => {
    await selectBackend(backend)
    before = tf.memory().numTensors
  })
  afterEach(() => expect(tf.memory().numTensors).toBe(before))

  test.each<[string, Partial<LrpRule>]>([
    ['plain', {}],
    ['ε', { epsilon: 0.25 }],
    ['γ', { gamma: 0.5, lower: 1 }],
    ['γ below, ε above', { gamma: 1, epsilon: 0.1, lower: 0.5 }],
    ['z^B at the image', { gamma: 0.25, lower: 0.75, input: 'box' }],
    ['flat at the image', { gamma: 0.1, lower: 1, input: 'flat' }],
    ['relative to the mean colour', { gamma: 0.1, lower: 0.5, input: 'mean' }],
    ['relative to the mean colour, which takes none', { gamma: 0.1, lower: 0.5, input: 'mean', biases: 'none' }],
    ['biases without a share', { gamma: 0.25, lower: 1, biases: 'none' }],
  ])('%s equals explicit sums over all pairs of inputs and outputs', async (_, changes) => {
    const rule = { ...plain, ...changes }
    const graph = network(true)
    const pass = createRelevance(graph)
    const { relevance } = await pass.relevance(images(2), 2, [0, 1], rule)
    for (const i of [0, 1]) {
      const expected = naive(graph, images(2).slice(i * perImage, (i + 1) * perImage), i, rule)
      expect(worst(relevance.slice(i * perImage, (i + 1) * perImage), Float32Array.from(expected))).toBeLessThan(3e-3)
    }
    pass.dispose()
  })

  test('nothing is lost without biases, or where they take no share; a batch gives what its images give', async () => {
    for (const [graph, biases] of [[network(false), 'share'], [network(true), 'none']] as const) {
      const pass = createRelevance(graph)
      for (const rule of [{ ...plain, biases }, { ...plain, biases, gamma: 0.25, lower: 1 }, { ...plain, biases, gamma: 0.25, lower: 0.5, input: 'box' as const }]) {
        const { relevance, logits } = await pass.relevance(images(3), 3, [0, 1, 0], rule)
        for (const [i, target] of [0, 1, 0].entries()) {
          const own = relevance.slice(i * perImage, (i + 1) * perImage)
          expect(Math.abs(total(own) - logits[2 * i + target]!)).toBeLessThan(1e-4 * total(own.map(Math.abs)))
          const single = await pass.relevance(images(3).slice(i * perImage, (i + 1) * perImage), 1, [target], rule)
          expect(worst(single.relevance, own)).toBeLessThan(1e-5)
        }
      }
      pass.dispose()
    }
  })
})

describe('gates are constants', () => {
  const image = Float32Array.from({ length: 8 }, (_, i) => 0.1 + 0.1 * i)
  const weights = [0.7, -0.4]
  const exact: LrpRule = { ...plain, biases: 'none' }

  /** Ends in the mean over places or tokens, and a dense layer. */
  async function relevanceOf(build: (b: GraphBuilder, x: Ref) => { scored: Ref; gate: Ref }): Promise<{ relevance: number[]; gate: number[] }> {
    const b = createBuilder()
    const x = b.add('x', { op: 'input' }, [], [-1, 2, 2, 2])
    const { scored, gate } = build(b, x)
    const rank = b.shapeOf(scored).length
    const mean = b.add('mean', { op: 'reduce', function: 'mean', axes: rank === 4 ? [1, 2] : [1], keepDims: false }, [scored])
    const graph = b.finish(x, b.add('logits', { op: 'dense', matrix: weight([2, 1], weights), bias: null, activation: null }, [mean]))
    await selectBackend('cpu')
    const pass = createRelevance(graph)
    const { relevance } = await pass.relevance(image, 1, [0], exact)
    pass.dispose()
    return { relevance: [...relevance], gate: [...evaluate({ ...graph, output: gate }, Float64Array.from(image), 1).value.data] }
  }

  test('squeeze and excitation: all goes through what is gated', async () => {
    const { relevance, gate } = await relevanceOf((b, x) => {
      const squeezed = b.add('squeezed', { op: 'reduce', function: 'mean', axes: [1, 2], keepDims: true }, [x])
      const excited = b.add('excited', { op: 'dense', matrix: weight([2, 2], [1, -2, 3, 1]), bias: weight([2], [0.1, 0.2]), activation: { kind: 'sigmoid' } }, [squeezed])
      return { scored: b.add('scored', { op: 'binary', function: 'multiply' }, [excited, x]), gate: excited }
    })
    image.forEach((v, i) => expect(relevance[i]).toBeCloseTo((v * gate[i % 2]! * weights[i % 2]!) / 4, 5))
  })

  test('attention: all goes through the values', async () => {
    const { relevance, gate } = await relevanceOf((b, x) => {
      const tokens = b.add('tokens', { op: 'reshape' }, [x], [-1, 4, 2])
      const products = b.add('products', { op: 'matmul', transposeA: false, transposeB: true }, [tokens, tokens])
      const attention = b.add('attention', { op: 'softmax', log: false }, [products])
      return { scored: b.add('scored', { op: 'matmul', transposeA: false, transposeB: false }, [attention, tokens]), gate: attention }
    })
    image.forEach((v, i) => {
      const token = Math.floor(i / 2)
      const seen = [0, 1, 2, 3].reduce((sum, row) => sum + gate[4 * row + token]!, 0)
      expect(relevance[i]).toBeCloseTo((seen * v * weights[i % 2]!) / 4, 5)
    })
  })
})

/** Where a constant may win or stand aside, or a window sees nothing of the image, its part of the relevance cannot arrive. */
const loses = /^(conv2d 3×2, strides 2×1, uneven pads|binary (maximum|minimum|equal|greater|less)|where (by a constant, with a constant|of one value)|pad with a value|expand of a class token|concat with a constant|conv2dTranspose 1×1, stride 2)/

test('every operation hands on all the relevance that it gets, unless a constant takes part of it', async () => {
  await selectBackend('wasm')
  const wrong: string[] = []
  for (const { name, projected, images: x, count } of operationCases()) {
    if (loses.test(name)) continue
    const pass = createRelevance(projected)
    const { relevance, logits } = await pass.relevance(x, count, [0, 1], { ...plain, biases: 'none' })
    pass.dispose()
    const size = x.length / count
    for (let i = 0; i < count; i++) {
      const own = relevance.slice(i * size, (i + 1) * size)
      const gap = Math.abs(total(own) - logits[3 * i + i]!)
      if (!(gap < 3e-3 * total(own.map(Math.abs)))) wrong.push(`${name}: ${total(own)} of ${logits[3 * i + i]!}`)
    }
  }
  expect(wrong).toEqual([])
})

import '@tensorflow/tfjs-backend-cpu'
import { beforeAll, describe, expect, test } from 'vitest'
import { selectBackend } from '#engine/backend/select.ts'
import type { Graph } from '#engine/graph/graph.ts'
import type { OnnxNode, OnnxTensor } from '#engine/graph/onnx-format/schema.ts'
import { floatTensor, int64Tensor, onnxModel, onnxNode, valueInfo } from '#engine/graph/onnx-format/write.ts'
import { simplify } from '#engine/graph/simplify/simplify.ts'
import { createRandom } from '#shared/random/random.ts'
import { plain } from './models.ts'
import { imported, logitsOf } from './onnx/run-file.ts'
import { randomTensor } from './onnx/small-model.ts'

beforeAll(async () => {
  await selectBackend('cpu')
})

const scalar = (name: string, value: number): OnnxTensor => floatTensor(name, [], Float32Array.of(value))

const numbers = [scalar('three', 3), scalar('six', 6), scalar('zero', 0), scalar('half', 0.5), scalar('one', 1), scalar('root-half', Math.SQRT1_2), scalar('cubic', 0.044715), scalar('tanh-factor', Math.sqrt(2 / Math.PI)), scalar('exponent', 3)]

/** A convolution to `x`, the nodes, and from `y` [n, 4, h, w] pooling and a dense layer. */
function around(nodes: readonly OnnxNode[], weights: readonly OnnxTensor[] = [], flat = false): Graph {
  const end = flat
    ? [onnxNode('Flatten', ['y'], ['features']), onnxNode('Gemm', ['features', 'matrix', 'bias'], ['logits'])]
    : [onnxNode('GlobalAveragePool', ['y'], ['pooled']), onnxNode('Flatten', ['pooled'], ['features']), onnxNode('Gemm', ['features', 'matrix', 'bias'], ['logits'])]
  return imported(onnxModel({
    nodes: [onnxNode('Conv', ['image', 'filter'], ['x'], { pads: [1, 1, 1, 1] }), ...nodes, ...end],
    inputs: [valueInfo('image', ['n', 3, 6, 5])],
    outputs: [valueInfo('logits', ['n', 5])],
    initializers: [randomTensor('filter', [4, 3, 3, 3]), randomTensor('matrix', [flat ? 120 : 4, 5]), randomTensor('bias', [5]), ...numbers, ...weights],
  }, 17))
}

/** The simplified graph, which gives the same logits. */
async function simplified(graph: Graph): Promise<Graph> {
  const { graph: result } = simplify(graph, { preprocessing: plain, head: undefined, labels: null })
  const random = createRandom(1, 'images')
  const images = Float32Array.from({ length: 2 * 6 * 5 * 3 }, () => random.uniform())
  const [expected, found] = [await logitsOf(graph, images, 2), await logitsOf(result, images, 2)]
  expect(expected.reduce((most, v, i) => Math.max(most, Math.abs(v - found[i]!)), 0)).toBeLessThan(1e-5)
  return result
}

const kinds = (graph: Graph): string[] => graph.nodes.flatMap((n) => (n.op === 'unary' ? [n.function.kind] : n.op === 'binary' ? [n.function] : 'activation' in n && n.activation ? [n.activation.kind] : []))

describe('activations in steps', () => {
  const cases: Record<string, readonly [readonly OnnxNode[], string]> = {
    'x·sigmoid(x)': [[onnxNode('Sigmoid', ['x'], ['s']), onnxNode('Mul', ['s', 'x'], ['y'])], 'swish'],
    'x·tanh(softplus(x))': [[onnxNode('Softplus', ['x'], ['p']), onnxNode('Tanh', ['p'], ['t']), onnxNode('Mul', ['x', 't'], ['y'])], 'mish'],
    'x·hardSigmoid(x)': [[onnxNode('HardSigmoid', ['x'], ['s'], { alpha: { float: 1 / 6 }, beta: { float: 0.5 } }), onnxNode('Mul', ['x', 's'], ['y'])], 'hardSwish'],
    'x·(clip(x + 3)/6)': [[onnxNode('Add', ['x', 'three'], ['a']), onnxNode('Clip', ['a', 'zero', 'six'], ['c']), onnxNode('Div', ['c', 'six'], ['d']), onnxNode('Mul', ['x', 'd'], ['y'])], 'hardSwish'],
    '(x·clip(x + 3))/6': [[onnxNode('Add', ['x', 'three'], ['a']), onnxNode('Clip', ['a', 'zero', 'six'], ['c']), onnxNode('Mul', ['x', 'c'], ['d']), onnxNode('Div', ['d', 'six'], ['y'])], 'hardSwish'],
    '(0.5·x)·(1 + erf(x/√2))': [[onnxNode('Mul', ['x', 'root-half'], ['a']), onnxNode('Erf', ['a'], ['e']), onnxNode('Add', ['one', 'e'], ['g']), onnxNode('Mul', ['x', 'half'], ['h']), onnxNode('Mul', ['h', 'g'], ['y'])], 'gelu'],
    'x·(0.5 + 0.5·erf(x/√2))': [[onnxNode('Mul', ['x', 'root-half'], ['a']), onnxNode('Erf', ['a'], ['e']), onnxNode('Add', ['one', 'e'], ['g']), onnxNode('Mul', ['g', 'half'], ['h']), onnxNode('Mul', ['x', 'h'], ['y'])], 'gelu'],
    '0.5·(x·(1 + tanh(…)))': [[
      onnxNode('Pow', ['x', 'exponent'], ['p']), onnxNode('Mul', ['p', 'cubic'], ['q']), onnxNode('Add', ['x', 'q'], ['s']), onnxNode('Mul', ['s', 'tanh-factor'], ['t']),
      onnxNode('Tanh', ['t'], ['u']), onnxNode('Add', ['u', 'one'], ['g']), onnxNode('Mul', ['x', 'g'], ['h']), onnxNode('Mul', ['h', 'half'], ['y']),
    ], 'gelu'],
  }
  test.each(Object.entries(cases))('%s is one node', async (_name, [nodes, kind]) => {
    const graph = await simplified(around(nodes))
    expect(kinds(graph)).toEqual([kind])
    expect(graph.notes.join(' ')).toMatch(/1 activation written in steps is one node/)
  })

  test('what is only nearly one of them stays as it is', async () => {
    const graph = await simplified(around([onnxNode('Sigmoid', ['x'], ['s']), onnxNode('Neg', ['x'], ['n']), onnxNode('Mul', ['n', 's'], ['y'])]))
    expect(kinds(graph)).toEqual(['sigmoid', 'multiply'])
    const doubled = await simplified(around([onnxNode('Add', ['x', 'one'], ['a']), onnxNode('Clip', ['a', 'zero', 'six'], ['c']), onnxNode('Mul', ['x', 'c'], ['d']), onnxNode('Div', ['d', 'six'], ['y'])]))
    expect(kinds(doubled)).not.toContain('hardSwish')
  })

  test('a gate of something else is a hard sigmoid', async () => {
    const graph = await simplified(around([onnxNode('Add', ['x', 'three'], ['a']), onnxNode('Clip', ['a', 'zero', 'six'], ['c']), onnxNode('Div', ['c', 'six'], ['d']), onnxNode('Tanh', ['x'], ['t']), onnxNode('Mul', ['t', 'd'], ['y'])]))
    expect(kinds(graph)).toEqual(['hardSigmoid', 'tanh', 'multiply'])
  })
})

describe('layers that others take up', () => {
  const bn = (name: string, x: string, y: string): OnnxNode => onnxNode('BatchNormalization', [x, `${name}-a`, `${name}-b`, `${name}-c`, `${name}-d`], [y])
  const statistics = (name: string): OnnxTensor[] => [...['a', 'b', 'c'].map((s) => randomTensor(`${name}-${s}`, [4])), floatTensor(`${name}-d`, [4], Float32Array.of(0.5, 1, 1.5, 2))]

  test('batch normalisation and a ReLU with a limit ride on the convolution', async () => {
    const graph = await simplified(around([bn('n', 'x', 'a'), onnxNode('Clip', ['a', 'zero', 'six'], ['b']), onnxNode('Identity', ['b'], ['c']), onnxNode('Identity', ['c'], ['y'])], statistics('n')))
    expect(graph.nodes.map((n) => n.op)).toEqual(['input', 'conv2d', 'reduce', 'dense'].flatMap((op) => (op === 'dense' ? ['reshape', op] : [op])))
    expect(graph.nodes[1]!.layers).toEqual(['x', 'a', 'b', 'c', 'y'])
  })

  test('padding in front of pools and convolutions is theirs', async () => {
    const pad = int64Tensor('pads', [8], [0, 0, 1, 1, 0, 0, 0, 1])
    const maximum = await simplified(around([onnxNode('Relu', ['x'], ['r']), onnxNode('Pad', ['r', 'pads'], ['p']), onnxNode('MaxPool', ['p'], ['y'], { kernel_shape: [2, 2] })], [pad]))
    expect(maximum.nodes.map((n) => n.op)).not.toContain('pad')
    const average = await simplified(around([onnxNode('Pad', ['x', 'pads'], ['p']), onnxNode('AveragePool', ['p'], ['y'], { kernel_shape: [3, 3] })], [pad]))
    expect(average.nodes.map((n) => n.op)).not.toContain('pad')
    // zeros may be larger than what is pooled, so they stay
    const signed = await simplified(around([onnxNode('Pad', ['x', 'pads'], ['p']), onnxNode('MaxPool', ['p'], ['y'], { kernel_shape: [2, 2] })], [pad]))
    expect(signed.nodes.map((n) => n.op)).toContain('pad')
    const conv = await simplified(around([onnxNode('Pad', ['x', 'pads'], ['p']), onnxNode('Conv', ['p', 'filter-2'], ['y'], { pads: [1, 0, 0, 0] })], [pad, randomTensor('filter-2', [4, 4, 2, 2])]))
    expect(conv.nodes.filter((n) => n.op === 'conv2d').map((n) => n.pads)).toContainEqual({ top: 2, bottom: 0, left: 1, right: 1 })
  })

  test('a flattened image keeps its layout, also through activations and normalisation', async () => {
    const graph = await simplified(around([bn('n', 'x', 'a'), onnxNode('Relu', ['a'], ['y'])], statistics('n'), true))
    expect(graph.nodes.map((n) => n.op)).toEqual(['input', 'conv2d', 'reshape', 'dense'])
    expect(graph.notes.join(' ')).toMatch(/flattened image keeps its layout/)
  })

  test('changes of layout cancel around what is elementwise', async () => {
    const graph = await simplified(around([
      onnxNode('Transpose', ['x'], ['last'], { perm: [0, 2, 3, 1] }), onnxNode('Softmax', ['last'], ['soft'], { axis: -1 }), onnxNode('Mul', ['soft', 'three'], ['m']),
      onnxNode('Transpose', ['m'], ['y'], { perm: [0, 3, 1, 2] }),
    ]))
    expect(graph.nodes.map((n) => n.op)).not.toContain('transpose')
  })
})

test('a thousand nodes are simplified in well under a second', () => {
  const chain = Array.from({ length: 1500 }, (_, i) => onnxNode(i % 3 === 0 ? 'Mul' : i % 3 === 1 ? 'Add' : 'Tanh', i % 3 === 2 ? [`v${i}`] : [`v${i}`, 'half'], [i === 1499 ? 'y' : `v${i + 1}`]))
  const graph = around([onnxNode('Identity', ['x'], ['v0']), ...chain])
  const before = process.cpuUsage()
  const { graph: result } = simplify(graph, { preprocessing: plain, head: undefined, labels: null })
  const { user } = process.cpuUsage(before)
  expect(result.nodes.filter((n) => n.op === 'unary')).toHaveLength(500)
  expect(user / 1000).toBeLessThan(1500)
})

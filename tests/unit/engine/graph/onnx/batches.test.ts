import '@tensorflow/tfjs-backend-cpu'
import { beforeAll, expect, test } from 'vitest'
import { selectBackend } from '#engine/backend/select.ts'
import { simplify } from '#engine/graph/simplify/simplify.ts'
import type { OnnxModel, OnnxNode, OnnxTensor } from '#engine/graph/onnx-format/schema.ts'
import { floatTensor, int64Tensor, onnxModel, onnxNode, valueInfo } from '#engine/graph/onnx-format/write.ts'
import { createRandom } from '#shared/random/random.ts'
import { onnxruntimeTest } from '../../../../onnx.ts'
import { plain } from '../models.ts'
import { channelsFirst, fileLogits, imported, logitsOf } from './run-file.ts'
import { randomTensor } from './small-model.ts'

beforeAll(async () => {
  await selectBackend('cpu')
})

interface Layer {
  nodes: readonly OnnxNode[]
  weights?: readonly OnnxTensor[]
  /** Features of one image behind it. */
  features: number
  opset?: number
}

const one = (node: OnnxNode, features: number, weights: readonly OnnxTensor[] = [], opset = 17): Layer => ({ nodes: [node], weights, features, opset })
const floats = (name: string, values: readonly number[]): OnnxTensor => floatTensor(name, [values.length], Float32Array.from(values))
const vectors = [randomTensor('scale', [4]), randomTensor('offset', [4])]

/** From `x` [n, 4, 6, 5] to `y`. */
const layers: Record<string, Layer> = {
  'Resize by scales': one(onnxNode('Resize', ['x', '', 'scales'], ['y'], { mode: 'linear' }), 4 * 12 * 10, [floats('scales', [1, 1, 2, 2])], 13),
  'Resize to odd sizes': one(onnxNode('Resize', ['x', '', '', 'sizes'], ['y'], { mode: 'cubic' }), 4 * 7 * 3, [int64Tensor('sizes', [4], [1, 4, 7, 3])], 13),
  'Resize, nearest, of the channels': one(onnxNode('Resize', ['x', '', 'scales'], ['y']), 8 * 6 * 5, [floats('scales', [1, 2, 1, 1])], 13),
  'GroupNormalization': one(onnxNode('GroupNormalization', ['x', 'scale', 'offset'], ['y'], { num_groups: 2 }), 120, vectors, 21),
  'InstanceNormalization': one(onnxNode('InstanceNormalization', ['x', 'scale', 'offset'], ['y']), 120, vectors),
  'LayerNormalization of whole images': one(onnxNode('LayerNormalization', ['x', 'gamma'], ['y'], { axis: 1 }), 120, [randomTensor('gamma', [4, 6, 5])]),
  'LpNormalization': one(onnxNode('LpNormalization', ['x'], ['y'], { axis: 1 }), 120),
  'LRN': one(onnxNode('LRN', ['x'], ['y'], { size: 3 }), 120),
  'Softmax over channels': one(onnxNode('Softmax', ['x'], ['y'], { axis: 1 }), 120),
  'Softmax of operator set 11': one(onnxNode('Softmax', ['x'], ['y'], { axis: 1 }), 120, [], 11),
  'PRelu': one(onnxNode('PRelu', ['x', 'slope'], ['y']), 120, [randomTensor('slope', [4, 1, 1])]),
  'ConvTranspose': one(onnxNode('ConvTranspose', ['x', 'filter-2'], ['y'], { strides: [2, 2], group: 2, output_padding: [1, 0] }), 6 * 14 * 11, [randomTensor('filter-2', [4, 3, 3, 3])]),
  'MaxPool with gaps': one(onnxNode('MaxPool', ['x', ], ['y', 'unread'], { kernel_shape: [2, 2], dilations: [2, 3] }), 4 * 4 * 2),
  'AveragePool that hangs over': one(onnxNode('AveragePool', ['x'], ['y'], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1, count_include_pad: 1, pads: [1, 0, 0, 1] }), 4 * 3 * 3),
  'GlobalMaxPool': one(onnxNode('GlobalMaxPool', ['x'], ['y']), 4),
  'ReduceL2 over rows': one(onnxNode('ReduceL2', ['x'], ['y'], { axes: [-2] }), 4 * 5),
  'ReduceLogSumExp, axes dropped': one(onnxNode('ReduceLogSumExp', ['x'], ['y'], { axes: [1, 3], keepdims: 0 }), 6),
  'MatMul of images': one(onnxNode('MatMul', ['x', 'matrix-2'], ['y']), 4 * 6 * 3, [randomTensor('matrix-2', [5, 3])]),
  'MatMul from the left': one(onnxNode('MatMul', ['matrix-2', 'x'], ['y']), 4 * 3 * 5, [randomTensor('matrix-2', [3, 6])]),
  'a product of two activations': { nodes: [onnxNode('Transpose', ['x'], ['t'], { perm: [0, 1, 3, 2] }), onnxNode('MatMul', ['x', 't'], ['y'])], features: 4 * 36 },
  'broadcasting in layouts that differ': {
    nodes: [onnxNode('ReduceMean', ['x'], ['m'], { axes: [1], keepdims: 0 }), onnxNode('Unsqueeze', ['m', 'axis'], ['u']), onnxNode('Mul', ['u', 'x'], ['p']), onnxNode('Add', ['p', 'shift'], ['y'])],
    weights: [int64Tensor('axis', [1], [1]), randomTensor('shift', [6, 1])], features: 120,
  },
}

function modelOf({ nodes, weights = [], features, opset = 17 }: Layer): OnnxModel {
  return onnxModel({
    nodes: [onnxNode('Conv', ['image', 'filter'], ['x'], { pads: [1, 1, 1, 1] }), ...nodes, onnxNode('Flatten', ['y'], ['flat']), onnxNode('Gemm', ['flat', 'matrix', 'bias'], ['logits'])],
    inputs: [valueInfo('image', [1, 3, 6, 5])],
    outputs: [valueInfo('logits', [1, 5])],
    initializers: [randomTensor('filter', [4, 3, 3, 3]), randomTensor('matrix', [features, 5]), randomTensor('bias', [5]), ...weights],
  }, opset)
}

for (const [name, layer] of Object.entries(layers)) {
  onnxruntimeTest(`${name}: a file for one image gives the same logits for three at once`, async () => {
    const model = modelOf(layer)
    const graph = imported(model)
    expect(graph.oneByOne).toBeUndefined()
    const random = createRandom(1, name)
    const images = Float32Array.from({ length: 3 * 6 * 5 * 3 }, () => random.uniform())
    const expected = (await fileLogits(model, channelsFirst(images, [3, 6, 5, 3]), 3, [1, 3, 6, 5]))!
    const simple = simplify(graph, { preprocessing: plain, head: undefined, labels: null }).graph
    for (const logits of [await logitsOf(graph, images, 3), await logitsOf(simple, images, 3)]) {
      expect(logits.length).toBe(expected.length)
      expect(logits.reduce((most, v, i) => Math.max(most, Math.abs(v - expected[i]!)), 0)).toBeLessThan(2e-5)
    }
  })
}

test('statistics over the batch would mix images, and are refused or run one by one', () => {
  const statistics = onnxNode('MeanVarianceNormalization', ['x'], ['y'])
  expect(imported(modelOf(one(statistics, 120))).oneByOne).toBe(true)
})

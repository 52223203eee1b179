import * as tf from '@tensorflow/tfjs-core'
import { loadGraphModel } from '@tensorflow/tfjs-converter'
import { beforeAll, expect, test } from 'vitest'
import { selectBackend } from '#engine/backend/select.ts'
import type { TfjsSource, Preprocessing } from '#shared/domain/model.ts'
import { checkAgainstStock } from './check.ts'
import type { GraphDef } from './graph-def.ts'
import { attribute as a, graphDef } from './graph-def.ts'
import { plain } from './models.ts'

beforeAll(async () => {
  await selectBackend('cpu')
})

const nhwc = a.text('NHWC')
const conv = (strides: number, padding: string, extra: Record<string, unknown> = {}): Record<string, unknown> => ({
  strides: a.ints([1, strides, strides, 1]), dilations: a.ints([1, 1, 1, 1]), padding: a.text(padding), data_format: nhwc, explicit_paddings: a.ints([]), ...extra,
})

async function check(model: TfjsSource, outputs: 'logits' | 'softmax', tape = true): Promise<readonly string[]> {
  const load = async (): Promise<(x: tf.Tensor) => tf.Tensor> => {
    const { buffer, byteOffset, byteLength } = model.weightData
    const stock = await loadGraphModel(tf.io.fromMemory({
      modelTopology: model.topology as object,
      weightSpecs: model.weightSpecs as unknown as tf.io.WeightsManifestEntry[],
      weightData: buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer,
    }))
    return (x) => stock.execute(x) as tf.Tensor
  }
  return (await checkAgainstStock(model, load, outputs, tape)).info.notes
}

function fused(g: GraphDef, name: string, op: string, x: string, filter: number[], channels: number, ops: string[], extra: Record<string, unknown> = {}): string {
  const inputs = [x, g.weight(`${name}/w`, filter), g.weight(`${name}/b`, [channels])]
  return g.node(name, op, inputs, { ...conv(1, 'SAME'), fused_ops: a.texts(ops), num_args: a.int(1), ...extra })
}

test('fused nodes, residual addition, a mean and a dense end', async () => {
  const g = graphDef([9, 8, 3])
  const stem = fused(g, 'stem', '_FusedConv2D', 'input', [3, 3, 3, 6], 6, ['BiasAdd', 'Relu6'], conv(2, 'SAME'))
  const depthwise = fused(g, 'dw', 'FusedDepthwiseConv2dNative', stem, [3, 3, 6, 1], 6, ['BiasAdd', 'Relu'])
  const point = fused(g, 'pw', '_FusedConv2D', depthwise, [1, 1, 6, 6], 6, ['BiasAdd'])
  const leaky = fused(g, 'leaky', '_FusedConv2D', g.node('add', 'AddV2', [stem, point]), [2, 2, 6, 5], 5, ['BiasAdd', 'LeakyRelu'], { leakyrelu_alpha: a.float(0.1) })
  const mean = g.node('gap', 'Mean', [leaky, g.constant('gap/axes', [1, 2])], { keep_dims: a.bool(false) })
  const hidden = g.node('hidden', '_FusedMatMul', [mean, g.weight('hidden/w', [5, 7]), g.weight('hidden/b', [7])], { fused_ops: a.texts(['BiasAdd', 'Relu']), transpose_a: a.bool(false), transpose_b: a.bool(false), num_args: a.int(1) })
  const product = g.node('product', 'MatMul', [hidden, g.weight('product/w', [4, 7])], { transpose_a: a.bool(false), transpose_b: a.bool(true) })
  g.node('logits', 'BiasAdd', [product, g.weight('logits/b', [4])], { data_format: nhwc })
  const symmetric: Preprocessing = { ...plain, range: [-1, 1] }
  expect((await check(g.source({ preprocessing: symmetric }), 'logits')).join(' ')).toMatch(/padding now holds 0\.5/)
})

test('normalisation written out, pads, pools, shape arithmetic and a softmax', async () => {
  const g = graphDef([8, 10, 3])
  const shift = g.node('shift', 'Sub', ['input', g.constant('half', [0.5], [], 'float32')])
  const scaledInput = g.node('scale', 'Mul', [shift, g.constant('two', [2], [], 'float32')])
  const padded = g.node('pad', 'Pad', [scaledInput, g.constant('pad/p', [0, 0, 1, 1, 2, 0, 0, 0], [4, 2])])
  const c = g.node('conv', 'Conv2D', [padded, g.weight('conv/w', [3, 3, 3, 6])], conv(1, 'VALID'))
  const norm = g.node('norm', 'FusedBatchNormV3', [c, g.weight('gamma', [6], { between: [0.5, 1.5] }), g.weight('beta', [6]), g.weight('mean', [6]), g.weight('variance', [6], { between: [0.5, 1.5] })], { epsilon: a.float(0.001), is_training: a.bool(false), data_format: nhwc })
  const max = g.node('max', 'MaxPool', [g.node('relu', 'Relu', [norm])], { ksize: a.ints([1, 3, 3, 1]), ...conv(2, 'SAME') })
  // gamma · rsqrt(variance + epsilon), as frozen by older tools
  const factor = g.node('factor', 'Mul', [g.node('rsqrt', 'Rsqrt', [g.node('eps', 'Add', [g.weight('variance2', [6], { between: [0.5, 1.5] }), g.constant('epsilon', [0.001], [], 'float32')])]), g.weight('gamma2', [6])])
  const dw = g.node('dw', 'DepthwiseConv2dNative', [max, g.weight('dw/w', [3, 3, 6, 1])], conv(1, 'SAME'))
  const own = g.node('own', 'AddV2', [g.node('times', 'Mul', [dw, factor]), g.weight('beta2', [6])])
  const clipped = g.node('min', 'Minimum', [g.node('floor', 'Maximum', [own, g.constant('zero', [0], [], 'float32')]), g.constant('six', [1.5], [], 'float32')])
  const average = g.node('avg', 'AvgPool', [clipped, ], { ksize: a.ints([1, 2, 2, 1]), ...conv(1, 'VALID') })
  const shape = g.node('shape', 'Shape', [average])
  const batch = g.node('batch', 'StridedSlice', [shape, g.constant('s0', [0]), g.constant('s1', [1]), g.constant('s2', [1])], { shrink_axis_mask: a.int(1), begin_mask: a.int(0), end_mask: a.int(0), ellipsis_mask: a.int(0), new_axis_mask: a.int(0) })
  const flat = g.node('flat', 'Reshape', [average, g.node('target', 'Pack', [batch, g.constant('size', [72], [])], { axis: a.int(0), N: a.int(2) })])
  const logits = g.node('logits', 'MatMul', [flat, g.weight('logits/w', [72, 5])], { transpose_a: a.bool(false), transpose_b: a.bool(false) })
  g.node('probabilities', 'Identity', [g.node('softmax', 'Softmax', [logits])])
  const notes = (await check(g.source(), 'softmax', false)).join(' ')
  expect(notes).toMatch(/normalisations or constant operands are folded/)
  expect(notes).toMatch(/softmax is taken off/)
})

test('splits, joins, mirrors, resizes, transposes and elementwise arithmetic', async () => {
  const g = graphDef([6, 6, 3])
  const c = g.node('conv', 'Conv2D', ['input', g.weight('conv/w', [1, 1, 3, 8])], conv(1, 'VALID'))
  g.node('split', 'Split', [g.constant('axis', [3], []), c], { num_split: a.int(2) })
  const left = g.node('tanh', 'Tanh', ['split'])
  const right = g.node('sigmoid', 'Sigmoid', ['split:1'])
  const mirrored = g.node('mirror', 'MirrorPad', [left, g.constant('m', [0, 0, 2, 1, 1, 2, 0, 0], [4, 2])], { mode: a.text('REFLECT') })
  const reduced = g.node('bilinear', 'ResizeBilinear', [mirrored, g.constant('six', [6, 6])], { align_corners: a.bool(false), half_pixel_centers: a.bool(true) })
  const product = g.node('product', 'Mul', [reduced, right])
  const ratio = g.node('ratio', 'RealDiv', [product, g.node('positive', 'AddV2', [g.node('square', 'Square', [right]), g.constant('one', [1], [], 'float32')])])
  const joined = g.node('joined', 'ConcatV2', [ratio, g.node('elu', 'Elu', [left]), right, g.constant('join', [-1], [])], { N: a.int(3) })
  const turned = g.node('turned', 'Transpose', [joined, g.constant('perm', [0, 2, 1, 3])])
  const large = g.node('nearest', 'ResizeNearestNeighbor', [turned, g.constant('nine', [9, 9])], { align_corners: a.bool(false), half_pixel_centers: a.bool(false) })
  const part = g.node('part', 'StridedSlice', [large, g.constant('b', [0, 1, 0, 0]), g.constant('e', [0, 8, 9, 12]), g.constant('st', [1, 1, 1, 1])], { begin_mask: a.int(1), end_mask: a.int(1), shrink_axis_mask: a.int(0), ellipsis_mask: a.int(0), new_axis_mask: a.int(0) })
  const biased = g.node('difference', 'SquaredDifference', [part, g.weight('spatial', [7, 9, 1])])
  const max = g.node('peak', 'Max', [biased, g.constant('axes', [1, 2])], { keep_dims: a.bool(true) })
  const squeezed = g.node('squeezed', 'Squeeze', [max], { squeeze_dims: a.ints([1, 2]) })
  const sum = g.node('sum', 'Sum', [biased, g.constant('axes2', [1, 2])], { keep_dims: a.bool(false) })
  const both = g.node('both', 'AddN', [squeezed, g.node('tenth', 'Mul', [sum, g.constant('t', [0.02], [], 'float32')]), squeezed], { N: a.int(3) })
  g.node('logits', 'MatMul', [both, g.weight('logits/w', [12, 4])], { transpose_a: a.bool(false), transpose_b: a.bool(false) })
  await check(g.source({ preprocessing: { ...plain, range: [-1, 1] } }), 'logits', false)
})

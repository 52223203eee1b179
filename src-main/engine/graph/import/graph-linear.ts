import { normalisation, pads, weight } from '../build.ts'
import type { Operation, Pads, Shape, Size2, Unary, Weight } from '../graph.ts'
import { noPads, samePads } from '../graph.ts'
import type { GraphContext, NodeImporter, Value } from './graph-context.ts'
import type { RawNode } from './graph-nodes.ts'
import { booleanOf, numberOf, numbersOf, requireNhwc, textOf, textsOf, unsupported } from './graph-nodes.ts'

function pair(node: RawNode, key: string): Size2 {
  const values = numbersOf(node, key)
  return [values[1] ?? 1, values[2] ?? 1]
}

export function paddingOf(node: RawNode, input: Shape, window: Size2, strides: Size2, dilations: Size2): Pads {
  const padding = textOf(node, 'padding', 'VALID')
  if (padding === 'VALID') return noPads
  if (padding === 'SAME') {
    return pads(samePads(input[1]!, window[0], strides[0], dilations[0]), samePads(input[2]!, window[1], strides[1], dilations[1]))
  }
  const explicit = numbersOf(node, 'explicit_paddings')
  if (padding !== 'EXPLICIT' || explicit.length !== 8) throw unsupported(node, `padding ${padding}`)
  return pads([explicit[2]!, explicit[3]!], [explicit[4]!, explicit[5]!])
}

/** Adds the linear operation and what `fused_ops` puts after it; inputs from the third on are its arguments. */
function withFused(node: RawNode, make: (bias: Weight | null) => Operation, inputs: readonly Value[], context: GraphContext): Value {
  const fused = textsOf(node, 'fused_ops')
  const rest = [...inputs.slice(2)]
  const bias = fused[0] === 'BiasAdd' ? context.known(node, rest.shift(), 'the bias') : null
  const [activation, ...more] = bias ? fused.slice(1) : fused
  if (more.length > 0) throw unsupported(node, `fused ${more.join(', ')}`)
  if (!activation) return context.add(node, make(bias), [inputs[0]!])
  const linear = context.builder.part(node.name, 'linear', make(bias), [context.ref(node, inputs[0])])
  if (activation === 'Prelu') {
    return context.add(node, { op: 'prelu', alpha: context.known(node, rest.shift(), 'the slope') }, [{ ref: linear }])
  }
  const unary: Record<string, Unary> = {
    Relu: { kind: 'relu', max: null }, Relu6: { kind: 'relu', max: 6 }, Elu: { kind: 'elu', alpha: 1 }, Sigmoid: { kind: 'sigmoid' },
    LeakyRelu: { kind: 'leakyRelu', alpha: numberOf(node, 'leakyrelu_alpha', 0.2) }, Tanh: { kind: 'tanh' },
  }
  if (!unary[activation]) throw unsupported(node, `fused ${activation}`)
  return context.add(node, { op: 'unary', function: unary[activation] }, [{ ref: linear }])
}

const conv2d: NodeImporter = (node, inputs, context) => {
  requireNhwc(node)
  const filter = context.known(node, inputs[1], 'the filter')
  const input = context.shapeOf(inputs[0]!)
  const strides = pair(node, 'strides')
  const dilations = pair(node, 'dilations')
  const padding = paddingOf(node, input, [filter.shape[0]!, filter.shape[1]!], strides, dilations)
  const groups = input[3]! / filter.shape[2]!
  return withFused(node, (bias) => ({ op: 'conv2d', filter, bias, strides, dilations, pads: padding, groups, activation: null }), inputs, context)
}

const depthwiseConv2d: NodeImporter = (node, inputs, context) => {
  requireNhwc(node)
  const filter = context.known(node, inputs[1], 'the filter')
  const strides = pair(node, 'strides')
  const dilations = pair(node, 'dilations')
  const padding = paddingOf(node, context.shapeOf(inputs[0]!), [filter.shape[0]!, filter.shape[1]!], strides, dilations)
  return withFused(node, (bias) => ({ op: 'depthwiseConv2d', filter, bias, strides, dilations, pads: padding, activation: null }), inputs, context)
}

/** Inputs: output shape, filter, dy. */
const conv2dTranspose: NodeImporter = (node, inputs, context) => {
  requireNhwc(node)
  const shape = context.known(node, inputs[0], 'the output shape')
  const filter = context.known(node, inputs[1], 'the filter')
  const strides = pair(node, 'strides')
  if (pair(node, 'dilations').some((d) => d !== 1)) throw unsupported(node, 'dilations')
  const out: Shape = [-1, shape.data[1]!, shape.data[2]!, filter.shape[2]!]
  const padding = paddingOf(node, out, [filter.shape[0]!, filter.shape[1]!], strides, [1, 1])
  return context.add(node, { op: 'conv2dTranspose', filter, bias: null, strides, pads: padding, activation: null }, [inputs[2]!], out)
}

/** With a constant second matrix a dense layer, else a product of two activations. */
const matMul: NodeImporter = (node, inputs, context) => {
  const transposeA = booleanOf(node, 'transpose_a') || booleanOf(node, 'adj_x')
  const transposeB = booleanOf(node, 'transpose_b') || booleanOf(node, 'adj_y')
  const [a, b] = inputs
  if (b && 'known' in b && b.known.shape.length === 2 && !transposeA) {
    const matrix = transposeB ? transposed(b.known) : b.known
    return withFused(node, (bias) => ({ op: 'dense', matrix, bias, activation: null }), inputs, context)
  }
  if (textsOf(node, 'fused_ops').length > 0 || context.shapeOf(a!).length < 3) throw unsupported(node, 'its matrices')
  return context.add(node, { op: 'matmul', transposeA, transposeB }, [a!, b!])
}

function transposed(matrix: Weight): Weight {
  const [rows, columns] = matrix.shape as [number, number]
  return weight([columns, rows], Float32Array.from({ length: rows * columns }, (_, i) => matrix.data[(i % rows) * columns + Math.floor(i / rows)]!))
}

const batchNorm: NodeImporter = (node, inputs, context) => {
  requireNhwc(node)
  if (booleanOf(node, 'is_training', false)) throw unsupported(node, 'in training mode')
  const [gamma, beta, mean, variance] = inputs.slice(1, 5).map((v, i) => context.known(node, v, ['scale', 'offset', 'mean', 'variance'][i]!))
  const channels = context.shapeOf(inputs[0]!).at(-1)!
  return context.add(node, normalisation(channels, mean!, variance!, gamma!, beta!, numberOf(node, 'epsilon', 1e-4)), [inputs[0]!])
}

function pool(kind: 'max' | 'average'): NodeImporter {
  return (node, inputs, context) => {
    requireNhwc(node)
    const size = pair(node, 'ksize')
    const strides = pair(node, 'strides')
    const padding = paddingOf(node, context.shapeOf(inputs[0]!), size, strides, [1, 1])
    return context.add(node, { op: 'pool', kind, size, strides, pads: padding, countPadding: false }, [inputs[0]!])
  }
}

const biasAdd: NodeImporter = (node, inputs, context) => {
  requireNhwc(node)
  return context.add(node, { op: 'binary', function: 'add' }, inputs)
}

export const linearNodes: Record<string, NodeImporter> = {
  Conv2D: conv2d, _FusedConv2D: conv2d, FusedConv2D: conv2d,
  DepthwiseConv2d: depthwiseConv2d, DepthwiseConv2dNative: depthwiseConv2d, FusedDepthwiseConv2dNative: depthwiseConv2d,
  Conv2DBackpropInput: conv2dTranspose,
  MatMul: matMul, _FusedMatMul: matMul, BatchMatMul: matMul, BatchMatMulV2: matMul,
  FusedBatchNorm: batchNorm, FusedBatchNormV2: batchNorm, FusedBatchNormV3: batchNorm,
  BiasAdd: biasAdd, MaxPool: pool('max'), AvgPool: pool('average'),
}

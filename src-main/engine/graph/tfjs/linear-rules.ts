import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { NodeOf, Unary, Weight } from '../graph.ts'
import { noPads } from '../graph.ts'
import type { FusedActivation } from './activation-gradient.ts'
import { activationGradient, fusedAttributes } from './activation-gradient.ts'
import { explicit, run } from './kernels.ts'
import type { BackwardStep, Rule } from './rule.ts'
import type { WeightStore } from './weight-store.ts'

/** The gradient before the activation that rides on a node; `use` must not keep it. */
function throughActivation(step: BackwardStep<'conv2d' | 'depthwiseConv2d' | 'conv2dTranspose' | 'dense'>, use: (dy: Tensor) => Tensor): Tensor {
  const activation = step.node.activation as FusedActivation | null
  if (!activation) return use(step.dy)
  const dy = activationGradient(step.dy, step.output, activation, step.reluRule)
  const dx = use(dy)
  dy.dispose()
  return dx
}

const keepsOutput = (node: { activation: Unary | null }): { output: boolean } => ({ output: node.activation !== null })

function geometry(node: NodeOf<'conv2d'> | NodeOf<'depthwiseConv2d'>): Record<string, unknown> {
  return { strides: [...node.strides], pad: explicit(node.pads), dataFormat: 'NHWC', dilations: [...node.dilations] }
}

/** Convolves; pads that hold something else than zero are put around the image first. */
function slide(kernel: string, node: NodeOf<'conv2d'> | NodeOf<'depthwiseConv2d'>, x: Tensor, weights: WeightStore): Tensor {
  const bias = node.bias ? weights.get(node.bias) : undefined
  // only WASM knows dilation together with strides
  const { filter, dilations } = node.strides.some((n) => n > 1) ? undilated(node, weights) : { filter: weights.filter(node.filter), dilations: [...node.dilations] }
  const attributes = { ...geometry(node), dilations, ...fusedAttributes(node.activation) }
  if (!node.padValue) return run(kernel, { x, filter, bias }, attributes)
  const padded = run('PadV2', { x }, { paddings: explicit(node.pads), constantValue: node.padValue })
  const y = run(kernel, { x: padded, filter, bias }, { ...attributes, pad: explicit(noPads) })
  padded.dispose()
  return y
}

/**
 * The filter for the input gradient. Only our WASM kernels know dilation there; elsewhere the filter is spread out, zeros
 * between its taps.
 */
function undilated(node: NodeOf<'conv2d'> | NodeOf<'depthwiseConv2d'>, weights: WeightStore): { filter: Tensor; dilations: number[] } {
  const [down, across] = node.dilations
  if (!spreads(node)) return { filter: weights.filter(node.filter), dilations: [down, across] }
  return { filter: weights.derived(node.filter, `spread ${down} ${across}`, () => spread(node.filter, down, across)), dilations: [1, 1] }
}

const spreads = (node: NodeOf<'conv2d'> | NodeOf<'depthwiseConv2d'>): boolean => tf.getBackend() !== 'wasm' && node.dilations.some((n) => n > 1)

function spread({ shape, data }: Weight, down: number, across: number): Weight {
  const [height, width, inner, last] = shape as [number, number, number, number]
  const [outHeight, outWidth] = [(height - 1) * down + 1, (width - 1) * across + 1]
  const block = inner * last
  const out = new Float32Array(outHeight * outWidth * block)
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const from = (row * width + column) * block
      out.set(data.subarray(from, from + block), (row * down * outWidth + column * across) * block)
    }
  }
  return { shape: [outHeight, outWidth, inner, last], data: out }
}

export const conv2d: Rule<'conv2d'> = {
  forward({ node, inputs: [x], weights }) {
    if (node.groups > 1) return groupedForward(node, x!, weights)
    return slide('FusedConv2D', node, x!, weights)
  },
  keeps: keepsOutput,
  backward: (step) => [
    throughActivation(step, (dy) => {
      const { node, weights } = step
      const inputShape = [...step.inputShapes[0]!]
      if (node.groups > 1) return groupedBackward(node, dy, weights, inputShape)
      const { filter, dilations } = undilated(node, weights)
      return run('Conv2DBackpropInput', { dy, filter }, { ...geometry(node), dilations, inputShape })
    }),
  ],
}

/** TF.js has no grouped convolution: one convolution per group, side by side. */
function groupedForward(node: NodeOf<'conv2d'>, x: Tensor, weights: WeightStore): Tensor {
  return tf.tidy(() => {
    const { filters, dilations } = groupFilters(node, weights)
    const parts = tf.split(x as tf.Tensor4D, node.groups, 3).map((part, i) => run('Conv2D', { x: part, filter: filters[i]! }, { ...geometry(node), dilations }))
    const linear = tf.concat(parts, 3)
    const biased = node.bias ? tf.add(linear, weights.get(node.bias)) : linear
    return node.activation ? applyFused(biased, node.activation as FusedActivation) : biased
  })
}

function groupedBackward(node: NodeOf<'conv2d'>, dy: Tensor, weights: WeightStore, inputShape: readonly number[]): Tensor {
  return tf.tidy(() => {
    const { filters, dilations } = groupFilters(node, weights)
    const shape = [...inputShape.slice(0, 3), inputShape[3]! / node.groups]
    const attributes = { ...geometry(node), dilations, inputShape: shape }
    const parts = tf.split(dy as tf.Tensor4D, node.groups, 3).map((part, i) => run('Conv2DBackpropInput', { dy: part, filter: filters[i]! }, attributes))
    return tf.concat(parts, 3)
  })
}

/** Every group's filter by itself, cut once. */
function groupFilters(node: NodeOf<'conv2d'>, weights: WeightStore): { filters: Tensor[]; dilations: number[] } {
  const isSpread = spreads(node)
  const filters = Array.from({ length: node.groups }, (_, group) =>
    weights.derived(node.filter, `group ${group}${isSpread ? ` spread ${node.dilations.join(' ')}` : ''}`, () =>
      groupOf(isSpread ? spread(node.filter, ...node.dilations) : node.filter, group, node.groups)))
  return { filters, dilations: isSpread ? [1, 1] : [...node.dilations] }
}

function groupOf({ shape, data }: Weight, group: number, groups: number): Weight {
  const out = shape[3]!
  const own = out / groups
  const cut = new Float32Array(data.length / groups)
  for (let row = 0; row < data.length / out; row++) cut.set(data.subarray(row * out + group * own, row * out + (group + 1) * own), row * own)
  return { shape: [...shape.slice(0, 3), own], data: cut }
}

function applyFused(x: Tensor, activation: FusedActivation): Tensor {
  switch (activation.kind) {
    case 'relu':
      return activation.max === null ? tf.relu(x) : tf.clipByValue(x, 0, activation.max)
    case 'leakyRelu':
      return tf.leakyRelu(x, activation.alpha)
    case 'elu':
      return tf.elu(x)
    case 'sigmoid':
      return tf.sigmoid(x)
  }
}

export const depthwiseConv2d: Rule<'depthwiseConv2d'> = {
  forward: ({ node, inputs: [x], weights }) => slide('FusedDepthwiseConv2D', node, x!, weights),
  keeps: keepsOutput,
  backward: (step) => [
    throughActivation(step, (dy) => {
      const { filter, dilations } = undilated(step.node, step.weights)
      return run('DepthwiseConv2dNativeBackpropInput', { dy, filter }, { ...geometry(step.node), dilations, inputShape: [...step.inputShapes[0]!] })
    }),
  ],
}

export const conv2dTranspose: Rule<'conv2dTranspose'> = {
  forward({ node, inputs: [x], weights, shape }) {
    return tf.tidy(() => {
      const inputShape = [...shape]
      const attributes = { strides: [...node.strides], pad: explicit(node.pads), dataFormat: 'NHWC', inputShape }
      const linear = run('Conv2DBackpropInput', { dy: x!, filter: weights.filter(node.filter) }, attributes)
      const biased = node.bias ? tf.add(linear, weights.get(node.bias)) : linear
      return node.activation ? applyFused(biased, node.activation as FusedActivation) : biased
    })
  },
  keeps: keepsOutput,
  backward: (step) => [
    throughActivation(step, (dy) => {
      const { node } = step
      const attributes = { strides: [...node.strides], pad: explicit(node.pads), dataFormat: 'NHWC', dilations: [1, 1] }
      return run('Conv2D', { x: dy, filter: step.weights.filter(node.filter) }, attributes)
    }),
  ],
}

/** Dense layers are 1×1 convolutions, for which every backend has its fastest code. */
export const dense: Rule<'dense'> = {
  forward({ node, inputs: [x], weights }) {
    const { matrix } = node
    const filter = weights.derived(matrix, '1×1', () => ({ shape: [1, 1, ...matrix.shape], data: matrix.data }))
    const bias = node.bias ? weights.get(node.bias) : undefined
    return pointwise(x!, filter, bias, node.activation)
  },
  keeps: keepsOutput,
  backward: (step) => [
    throughActivation(step, (dy) => {
      const { matrix } = step.node
      return pointwise(dy, step.weights.derived(matrix, '1×1 transposed', () => transposed(matrix)), undefined, null)
    }),
  ],
}

function pointwise(x: Tensor, filter: Tensor, bias: Tensor | undefined, activation: Unary | null): Tensor {
  return tf.tidy(() => {
    const rows = x.size / filter.shape[2]!
    const pixels = run('Reshape', { x }, { shape: [1, rows, 1, filter.shape[2]!] })
    const attributes = { strides: [1, 1], pad: [[0, 0], [0, 0], [0, 0], [0, 0]], dataFormat: 'NHWC', dilations: [1, 1], ...fusedAttributes(activation) }
    const y = run('FusedConv2D', { x: pixels, filter, bias }, attributes)
    return run('Reshape', { x: y }, { shape: [...x.shape.slice(0, -1), filter.shape[3]!] })
  })
}

function transposed(matrix: Weight): Weight {
  const [rows, columns] = matrix.shape as [number, number]
  const data = new Float32Array(rows * columns)
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) data[j * rows + i] = matrix.data[i * columns + j]!
  return { shape: [1, 1, columns, rows], data }
}

import type { Ref } from '../build.ts'
import { weight } from '../build.ts'
import type { Operation, PlainUnary, Unary } from '../graph.ts'
import type { Layer, LayerContext, LayerImporter } from './layer-context.ts'
import { numberOf, unsupported } from './layer-context.ts'

const plain: Record<string, PlainUnary> = {
  sigmoid: 'sigmoid', tanh: 'tanh', softplus: 'softplus', softsign: 'softsign', swish: 'swish', silu: 'swish', selu: 'selu',
  mish: 'mish', exponential: 'exp', exp: 'exp', abs: 'abs', square: 'square', hard_swish: 'hardSwish', hard_silu: 'hardSwish',
}

/** The operation of a named activation, or null for `linear`. */
export function namedActivation(layer: Layer, value: unknown): Operation | null {
  const name = typeof value === 'object' && value !== null ? (value as { class_name?: string }).class_name : value
  if (name === undefined || name === null || name === 'linear') return null
  if (typeof name !== 'string') throw unsupported(layer, 'an activation without a name')
  const unary = (f: Unary): Operation => ({ op: 'unary', function: f })
  const key = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()
  if (plain[key]) return unary({ kind: plain[key] })
  switch (key) {
    case 'relu':
      return unary({ kind: 'relu', max: null })
    case 're_lu':
      return unary({ kind: 'relu', max: null })
    case 'relu6':
      return unary({ kind: 'relu', max: 6 })
    case 'elu':
      return unary({ kind: 'elu', alpha: 1 })
    case 'leaky_relu':
      return unary({ kind: 'leakyRelu', alpha: 0.2 })
    case 'hard_sigmoid':
      return unary({ kind: 'hardSigmoid', slope: 0.2, offset: 0.5 })
    case 'gelu':
      return unary({ kind: 'gelu', approximate: false })
    case 'gelu_new':
      return unary({ kind: 'gelu', approximate: true })
    case 'softmax':
      return { op: 'softmax', log: false }
    case 'log_softmax':
      return { op: 'softmax', log: true }
    default:
      throw unsupported(layer, `activation ${name}`)
  }
}

/**
 * Ends a layer that may carry an `activation`: adds `operation`, and the activation as the node that bears the layer's
 * name where there is one. Simplification puts the two together again where a backend can.
 */
export function withActivation(layer: Layer, operation: Operation, inputs: readonly Ref[], context: LayerContext, shape?: readonly number[]): Ref {
  const activation = namedActivation(layer, layer.config['activation'])
  if (!activation) return context.builder.add(layer.name, operation, inputs, shape)
  const linear = context.builder.part(layer.name, 'linear', operation, inputs, shape)
  return context.builder.add(layer.name, activation, [linear])
}

const relu: LayerImporter = (layer, inputs, { builder }) => {
  const slope = numberOf(layer, 'negative_slope', 0)
  const max = typeof layer.config['max_value'] === 'number' ? layer.config['max_value'] : null
  if (numberOf(layer, 'threshold', 0) !== 0) throw unsupported(layer, 'a threshold')
  if (slope === 0) return builder.add(layer.name, { op: 'unary', function: { kind: 'relu', max } }, inputs)
  if (max !== null) throw unsupported(layer, 'negative_slope with max_value')
  return builder.add(layer.name, { op: 'unary', function: { kind: 'leakyRelu', alpha: slope } }, inputs)
}

const softmax: LayerImporter = (layer, inputs, { builder }) => {
  const rank = builder.shapeOf(inputs[0]!).length
  const axis = numberOf(layer, 'axis', -1)
  if (axis !== -1 && axis !== rank - 1) throw unsupported(layer, `axis ${axis}`)
  return builder.add(layer.name, { op: 'softmax', log: false }, inputs)
}

/** alpha as the file has it, with shared axes already of length one. */
const prelu: LayerImporter = (layer, inputs, context) => {
  const alpha = context.weight(layer, 'alpha')
  return context.builder.add(layer.name, { op: 'prelu', alpha: weight(alpha.shape, alpha.data) }, inputs)
}

export const activationLayers: Record<string, LayerImporter> = {
  Activation(layer, inputs, { builder }) {
    const operation = namedActivation(layer, layer.config['activation'])
    return operation ? builder.add(layer.name, operation, inputs) : builder.alias(layer.name, inputs[0]!)
  },
  ReLU: relu,
  LeakyReLU: (layer, inputs, { builder }) =>
    // Keras 3 calls it negative_slope.
    builder.add(layer.name, { op: 'unary', function: { kind: 'leakyRelu', alpha: numberOf(layer, 'alpha', numberOf(layer, 'negative_slope', 0.3)) } }, inputs),
  ELU: (layer, inputs, { builder }) =>
    builder.add(layer.name, { op: 'unary', function: { kind: 'elu', alpha: numberOf(layer, 'alpha', 1) } }, inputs),
  PReLU: prelu,
  Softmax: softmax,
}

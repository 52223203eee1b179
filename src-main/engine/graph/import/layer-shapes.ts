import type { GraphBuilder, Ref } from '../build.ts'
import { normalisation, weight } from '../build.ts'
import type { Binary, Shape, Weight } from '../graph.ts'
import { sizePerImage } from '../graph.ts'
import type { Layer, LayerImporter } from './layer-context.ts'
import { booleanOf, numberOf, requireChannelsLast, sizeOf2, unsupported } from './layer-context.ts'

const identity: LayerImporter = (layer, inputs, { builder }) => builder.alias(layer.name, inputs[0]!)

const batchNormalization: LayerImporter = (layer, inputs, context) => {
  const shape = context.builder.shapeOf(inputs[0]!)
  const axisGiven = Array.isArray(layer.config['axis']) ? (layer.config['axis'] as number[])[0]! : numberOf(layer, 'axis', -1)
  if (axisGiven !== -1 && axisGiven !== shape.length - 1) throw unsupported(layer, `axis ${axisGiven}`)
  const gamma = booleanOf(layer, 'scale', true) ? context.weight(layer, 'gamma') : null
  const beta = booleanOf(layer, 'center', true) ? context.weight(layer, 'beta') : null
  const mean = context.weight(layer, 'moving_mean')
  const variance = context.weight(layer, 'moving_variance')
  return context.builder.add(layer.name, normalisation(shape[shape.length - 1]!, mean, variance, gamma, beta, numberOf(layer, 'epsilon', 1e-3)), inputs)
}

/** Over the last dimension: (x − mean)/sqrt(variance + epsilon), then gamma and beta. */
const layerNormalization: LayerImporter = (layer, inputs, context) => {
  const { builder } = context
  const shape = builder.shapeOf(inputs[0]!)
  const last = shape.length - 1
  const axis = Array.isArray(layer.config['axis']) ? (layer.config['axis'] as number[])[0]! : numberOf(layer, 'axis', -1)
  if (axis !== -1 && axis !== last) throw unsupported(layer, `axis ${axis}`)
  const channels = shape[last]!
  const mean = builder.part(layer.name, 'mean', { op: 'reduce', function: 'mean', axes: [last], keepDims: true }, inputs)
  const centred = builder.part(layer.name, 'centred', { op: 'binary', function: 'subtract' }, [inputs[0]!, mean])
  const squared = builder.part(layer.name, 'squared', { op: 'unary', function: { kind: 'square' } }, [centred])
  const variance = builder.part(layer.name, 'variance', { op: 'reduce', function: 'mean', axes: [last], keepDims: true }, [squared])
  const shifted = builder.part(layer.name, 'shifted', { op: 'affine', scale: weight([1], [1]), offset: weight([1], [numberOf(layer, 'epsilon', 1e-3)]) }, [variance])
  const factor = builder.part(layer.name, 'factor', { op: 'unary', function: { kind: 'rsqrt' } }, [shifted])
  const normal = builder.part(layer.name, 'normal', { op: 'binary', function: 'multiply' }, [centred, factor])
  const scale = booleanOf(layer, 'scale', true) ? context.weight(layer, 'gamma') : ones(channels)
  const offset = booleanOf(layer, 'center', true) ? context.weight(layer, 'beta') : zeros(channels)
  return builder.add(layer.name, { op: 'affine', scale, offset }, [normal])
}

/** x·scale + offset, numbers or one per channel. */
const rescaling: LayerImporter = (layer, inputs, { builder }) => {
  const channels = builder.shapeOf(inputs[0]!).at(-1)!
  return builder.add(layer.name, { op: 'affine', scale: perChannel(layer, 'scale', 1, channels), offset: perChannel(layer, 'offset', 0, channels) }, inputs)
}

/** Keras: (x − mean)/max(sqrt(variance), 1e-7), statistics from the weights or the config. */
const normalization: LayerImporter = (layer, inputs, context) => {
  const channels = context.builder.shapeOf(inputs[0]!).at(-1)!
  const statistic = (name: string): Weight => {
    const stored = context.optionalWeight(layer, name)
    const config = [layer.config[name]].flat(9)
    if (!stored && config.every((v) => typeof v !== 'number')) return context.weight(layer, name)
    const values = stored ? [...stored.data] : (config as number[])
    if (values.length !== 1 && values.length !== channels) throw unsupported(layer, `${values.length} values of ${name} for ${channels} channels`)
    return weight([channels], Array.from({ length: channels }, (_, c) => values[values.length === 1 ? 0 : c]!))
  }
  if (booleanOf(layer, 'invert', false)) throw unsupported(layer, 'invert')
  const mean = statistic('mean')
  const variance = statistic('variance')
  const scale = variance.data.map((v) => 1 / Math.max(Math.sqrt(v), 1e-7))
  const offset = mean.data.map((m, c) => -m * scale[c]!)
  return context.builder.add(layer.name, { op: 'affine', scale: weight([channels], scale), offset: weight([channels], offset) }, inputs)
}

const reshape: LayerImporter = (layer, inputs, { builder }) => {
  const target = (layer.config['target_shape'] as number[] | undefined) ?? []
  const total = sizePerImage(builder.shapeOf(inputs[0]!))
  const known = target.reduce((product, n) => (n < 0 ? product : product * n), 1)
  const shape: Shape = [-1, ...target.map((n) => (n < 0 ? total / known : n))]
  return builder.add(layer.name, { op: 'reshape' }, inputs, shape)
}

const flatten: LayerImporter = (layer, inputs, { builder }) => {
  requireChannelsLast(layer)
  return builder.add(layer.name, { op: 'reshape' }, inputs, [-1, sizePerImage(builder.shapeOf(inputs[0]!))])
}

const permute: LayerImporter = (layer, inputs, { builder }) =>
  builder.add(layer.name, { op: 'transpose', permutation: [0, ...(layer.config['dims'] as number[])] }, inputs)

type Edges = readonly [readonly [number, number], readonly [number, number]]

/** ((top, bottom), (left, right)), (vertical, horizontal) or one number. */
function edgesOf(layer: Layer, key: string, fallback: number): Edges {
  const value = layer.config[key]
  if (Array.isArray(value) && Array.isArray(value[0])) return value as unknown as Edges
  const [v, h] = sizeOf2(layer, key, [fallback, fallback])
  return [[v, v], [h, h]]
}

const zeroPadding2d: LayerImporter = (layer, inputs, { builder }) => {
  requireChannelsLast(layer)
  const [vertical, horizontal] = edgesOf(layer, 'padding', 1)
  return builder.add(layer.name, { op: 'pad', mode: 'constant', paddings: [[0, 0], vertical, horizontal, [0, 0]], value: 0 }, inputs)
}

const cropping2d: LayerImporter = (layer, inputs, { builder }) => {
  requireChannelsLast(layer)
  const [vertical, horizontal] = edgesOf(layer, 'cropping', 0)
  const [n, height, width, channels] = builder.shapeOf(inputs[0]!)
  const shape: Shape = [n!, height! - vertical[0] - vertical[1], width! - horizontal[0] - horizontal[1], channels!]
  return builder.add(layer.name, { op: 'slice', begin: [0, vertical[0], horizontal[0], 0] }, inputs, shape)
}

/** Two or more inputs, folded from the left; `scale` divides the sum (Average). */
function merge(fn: Binary, average = false): LayerImporter {
  return (layer, inputs, { builder }) => {
    if (inputs.length < 2) return builder.alias(layer.name, inputs[0]!)
    const sum = chain(layer, inputs.slice(0, -1), fn, builder)
    const operation = { op: 'binary', function: fn } as const
    if (!average) return builder.add(layer.name, operation, [sum, inputs[inputs.length - 1]!])
    const total = builder.part(layer.name, 'sum', operation, [sum, inputs[inputs.length - 1]!])
    const channels = builder.shapeOf(total).at(-1)!
    const share = weight([channels], new Float32Array(channels).fill(1 / inputs.length))
    return builder.add(layer.name, { op: 'affine', scale: share, offset: zeros(channels) }, [total])
  }
}

function chain(layer: Layer, inputs: readonly Ref[], fn: Binary, builder: GraphBuilder): Ref {
  return inputs.reduce((left, right, i) => builder.part(layer.name, `${fn}${i}`, { op: 'binary', function: fn }, [left, right]))
}

const concatenate: LayerImporter = (layer, inputs, { builder }) => {
  const rank = builder.shapeOf(inputs[0]!).length
  const axis = numberOf(layer, 'axis', -1)
  return builder.add(layer.name, { op: 'concat', axis: axis < 0 ? axis + rank : axis }, inputs)
}

const zeros = (n: number): Weight => weight([n], new Float32Array(n))
const ones = (n: number): Weight => weight([n], new Float32Array(n).fill(1))

function perChannel(layer: Layer, key: string, fallback: number, channels: number): Weight {
  const value = [layer.config[key] ?? fallback].flat(9) as number[]
  if (value.length !== 1 && value.length !== channels) throw unsupported(layer, `${value.length} values of ${key} for ${channels} channels`)
  return weight([channels], Array.from({ length: channels }, (_, c) => value[value.length === 1 ? 0 : c]!))
}

export const shapeLayers: Record<string, LayerImporter> = {
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  Rescaling: rescaling,
  Normalization: normalization,
  Reshape: reshape,
  Flatten: flatten,
  Permute: permute,
  ZeroPadding2D: zeroPadding2d,
  Cropping2D: cropping2d,
  Add: merge('add'),
  Subtract: merge('subtract'),
  Multiply: merge('multiply'),
  Maximum: merge('maximum'),
  Minimum: merge('minimum'),
  Average: merge('add', true),
  Concatenate: concatenate,
}

// Layers that do nothing in a trained classifier.
for (const name of [
  'Dropout', 'SpatialDropout1D', 'SpatialDropout2D', 'AlphaDropout', 'GaussianDropout', 'GaussianNoise', 'ActivityRegularization',
  'RandomFlip', 'RandomRotation', 'RandomZoom', 'RandomTranslation', 'RandomContrast', 'RandomBrightness',
]) {
  shapeLayers[name] = identity
}

import type { Ref } from '../build.ts'
import { pads } from '../build.ts'
import type { Operation, Pads, Shape, Size2, Weight } from '../graph.ts'
import { noPads, samePads } from '../graph.ts'
import { withActivation } from './layer-activations.ts'
import type { Layer, LayerContext, LayerImporter } from './layer-context.ts'
import { booleanOf, numberOf, requireChannelsLast, sizeOf2, unsupported } from './layer-context.ts'

/** The pads that `padding` means for this input. */
export function paddingOf(layer: Layer, input: Shape, window: Size2, strides: Size2, dilations: Size2): Pads {
  const padding = layer.config['padding'] ?? 'valid'
  if (padding === 'valid') return noPads
  if (padding !== 'same') throw unsupported(layer, `padding ${String(padding)}`)
  return pads(
    samePads(input[1]!, window[0], strides[0], dilations[0]),
    samePads(input[2]!, window[1], strides[1], dilations[1]),
  )
}

function biasOf(layer: Layer, context: LayerContext): Weight | null {
  return booleanOf(layer, 'use_bias', true) ? context.weight(layer, 'bias') : null
}

function windowOf(filter: Weight): Size2 {
  return [filter.shape[0]!, filter.shape[1]!]
}

const conv2d: LayerImporter = (layer, inputs, context) => {
  requireChannelsLast(layer)
  const filter = context.weight(layer, 'kernel')
  const strides = sizeOf2(layer, 'strides', [1, 1])
  const dilations = sizeOf2(layer, 'dilation_rate', [1, 1])
  const padding = paddingOf(layer, context.builder.shapeOf(inputs[0]!), windowOf(filter), strides, dilations)
  const operation: Operation = { op: 'conv2d', filter, bias: biasOf(layer, context), strides, dilations, pads: padding, groups: numberOf(layer, 'groups', 1), activation: null }
  return withActivation(layer, operation, inputs, context)
}

function depthwise(layer: Layer, filter: Weight, bias: Weight | null, input: Shape): Operation {
  const strides = sizeOf2(layer, 'strides', [1, 1])
  const dilations = sizeOf2(layer, 'dilation_rate', [1, 1])
  return { op: 'depthwiseConv2d', filter, bias, strides, dilations, pads: paddingOf(layer, input, windowOf(filter), strides, dilations), activation: null }
}

const depthwiseConv2d: LayerImporter = (layer, inputs, context) => {
  requireChannelsLast(layer)
  const filter = context.optionalWeight(layer, 'depthwise_kernel') ?? context.weight(layer, 'kernel')
  return withActivation(layer, depthwise(layer, filter, biasOf(layer, context), context.builder.shapeOf(inputs[0]!)), inputs, context)
}

const separableConv2d: LayerImporter = (layer, inputs, context) => {
  requireChannelsLast(layer)
  const filter = context.weight(layer, 'depthwise_kernel')
  const first = context.builder.part(layer.name, 'depthwise', depthwise(layer, filter, null, context.builder.shapeOf(inputs[0]!)), inputs)
  const operation: Operation = {
    op: 'conv2d', filter: context.weight(layer, 'pointwise_kernel'), bias: biasOf(layer, context), strides: [1, 1], dilations: [1, 1], pads: noPads, groups: 1, activation: null,
  }
  return withActivation(layer, operation, [first], context)
}

/** The transpose of the convolution that would map the output back to the input. */
const conv2dTranspose: LayerImporter = (layer, inputs, context) => {
  requireChannelsLast(layer)
  const [dilation] = sizeOf2(layer, 'dilation_rate', [1, 1])
  if (dilation !== 1 || layer.config['output_padding'] != null) throw unsupported(layer, 'dilation or output padding')
  const filter = context.weight(layer, 'kernel')
  const strides = sizeOf2(layer, 'strides', [1, 1])
  const window = windowOf(filter)
  const input = context.builder.shapeOf(inputs[0]!)
  const same = layer.config['padding'] === 'same'
  // Keras: stride·in for 'same', stride·in + max(window − stride, 0) for 'valid'.
  const along = (axis: 0 | 1): number => input[axis + 1]! * strides[axis] + (same ? 0 : Math.max(window[axis] - strides[axis], 0))
  const shape: Shape = [input[0]!, along(0), along(1), filter.shape[2]!]
  const padding = paddingOf(layer, shape, window, strides, [1, 1])
  return withActivation(layer, { op: 'conv2dTranspose', filter, bias: biasOf(layer, context), strides, pads: padding, activation: null }, inputs, context, shape)
}

const dense: LayerImporter = (layer, inputs, context) =>
  withActivation(layer, { op: 'dense', matrix: context.weight(layer, 'kernel'), bias: biasOf(layer, context), activation: null }, inputs, context)

function pool(kind: 'max' | 'average'): LayerImporter {
  return (layer, inputs, context) => {
    requireChannelsLast(layer)
    const size = sizeOf2(layer, 'pool_size', [2, 2])
    const strides = sizeOf2(layer, 'strides', size)
    const padding = paddingOf(layer, context.builder.shapeOf(inputs[0]!), size, strides, [1, 1])
    return context.builder.add(layer.name, { op: 'pool', kind, size, strides, pads: padding, countPadding: false }, inputs)
  }
}

function globalPool(kind: 'max' | 'mean'): LayerImporter {
  return (layer, inputs, { builder }): Ref => {
    requireChannelsLast(layer)
    return builder.add(layer.name, { op: 'reduce', function: kind, axes: [1, 2], keepDims: booleanOf(layer, 'keepdims', false) }, inputs)
  }
}

const upSampling2d: LayerImporter = (layer, inputs, { builder }) => {
  requireChannelsLast(layer)
  const size = sizeOf2(layer, 'size', [2, 2])
  const input = builder.shapeOf(inputs[0]!)
  const method = layer.config['interpolation'] === 'bilinear' ? 'bilinear' : 'nearest'
  const shape: Shape = [input[0]!, input[1]! * size[0], input[2]! * size[1], input[3]!]
  return builder.add(layer.name, { op: 'resize', method, alignCorners: false, halfPixelCenters: false }, inputs, shape)
}

export const convolutionLayers: Record<string, LayerImporter> = {
  Conv2D: conv2d,
  Convolution2D: conv2d,
  DepthwiseConv2D: depthwiseConv2d,
  SeparableConv2D: separableConv2d,
  Conv2DTranspose: conv2dTranspose,
  Dense: dense,
  MaxPooling2D: pool('max'),
  AveragePooling2D: pool('average'),
  MaxPool2D: pool('max'),
  AvgPool2D: pool('average'),
  GlobalAveragePooling2D: globalPool('mean'),
  GlobalMaxPooling2D: globalPool('max'),
  UpSampling2D: upSampling2d,
}

import type { Operation, Weight } from '../../graph.ts'
import type { OnnxNode } from '../../onnx-format/schema.ts'
import { int, unsupported } from './attributes.ts'
import type { NodeImporter, OnnxContext } from './context.ts'
import { asImages, imagesOf, padsOfSlides, size2 } from './images.ts'
import type { Known, OnnxValue } from './value.ts'
import { vectorWeight } from './steps.ts'
import { permutedWeight } from './weights.ts'
import { slidesOf } from './windows.ts'

/** Filter [out, in / groups, height, width] or [out, in / groups, length]. */
const conv: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const filter = context.known(node, inputs[1], 'the filter')
  const images = imagesOf(node, x, context)
  const groups = int(node, 'group', 1)
  const [out, inner, ...window] = filter.shape as [number, number, ...number[]]
  if (window.length !== images.sizes.length || inner * groups !== images.channels || out % groups !== 0) {
    throw unsupported(node, `a filter of [${filter.shape.join(', ')}] in ${groups} groups on ${images.channels} channels`)
  }
  const slides = slidesOf(node, images.sizes, window)
  const geometry = {
    strides: size2(slides.map((s) => s.stride)), dilations: size2(slides.map((s) => s.dilation)), pads: padsOfSlides(slides),
    bias: biasOf(node, inputs[2], out, context), activation: null,
  }
  return asImages(node, images, context, (add) => add(node, convolution(filter, groups, geometry), [images.ref]))
}

export function biasOf(node: OnnxNode, value: OnnxValue | undefined, channels: number, context: OnnxContext): Weight | null {
  if (value === undefined) return null
  const bias = context.known(node, value, 'the bias')
  if (bias.data.length !== channels) throw unsupported(node, `a bias of ${bias.data.length} for ${channels} channels`)
  return vectorWeight(bias)
}

type Geometry = Omit<Extract<Operation, { op: 'depthwiseConv2d' }>, 'op' | 'filter'>

/** With one input channel per group it is a depthwise convolution, whose output channels are in the same order. */
function convolution(filter: Known, groups: number, geometry: Geometry): Operation {
  const [out, inner, ...window] = filter.shape as [number, number, ...number[]]
  const order = window.length === 2 ? [2, 3, 1, 0] : [2, 1, 0]
  const taps = size2(window)
  if (groups > 1 && inner === 1) return { op: 'depthwiseConv2d', filter: permutedWeight(filter, order, [...taps, groups, out / groups]), ...geometry }
  return { op: 'conv2d', filter: permutedWeight(filter, order, [...taps, inner, out]), groups, ...geometry }
}

export const convolutionNodes: Record<string, NodeImporter> = { Conv: conv }

import type { NodeOf, Pads, Size2, Unary, Weight } from '../graph.ts'
import { hasPads, noPads } from '../graph.ts'
import { reordered } from './broadcast.ts'
import type { Emitter } from './emitter.ts'
import { emitUnary } from './forward-elementwise.ts'
import type { Stored } from './layout.ts'
import { imagesOrder, naturalOrder, sameOrder } from './layout.ts'
import { aroundImages, emitPad } from './padding.ts'
import type { Forwarded, ForwardRule } from './rule.ts'

/** ONNX's order: all begins, then all ends. */
export function onnxPads({ top, bottom, left, right }: Pads): number[] {
  return [top, left, bottom, right]
}

/** [height, width, in, out] as ONNX has it: [out, in, height, width]. */
export function filterForward(filter: Weight): Weight {
  return reordered(filter, [3, 2, 0, 1])
}

/** [height, width, in, multiplier] as a convolution with one group per channel: [in · multiplier, 1, height, width]. */
export function depthwiseFilter(filter: Weight): Weight {
  const { shape, data } = reordered(filter, [2, 3, 0, 1])
  return { shape: [shape[0]! * shape[1]!, 1, shape[2]!, shape[3]!], data }
}

function activated(name: string, order: readonly number[], node: { activation: Unary | null; shape: readonly number[] }, emitter: Emitter): Forwarded {
  if (!node.activation) return { output: { name, shape: node.shape, order } }
  return { output: { name: emitUnary(node.activation, name, emitter), shape: node.shape, order }, saved: { linear: name } }
}

type Convolution = NodeOf<'conv2d'> | NodeOf<'depthwiseConv2d'>

function convolve(node: Convolution, x: Stored, filter: string, kernel: Size2, groups: number, emitter: Emitter): Forwarded {
  const padded = hasPads(node.pads) && node.padValue !== undefined && node.padValue !== 0
  const image = padded
    ? emitPad(emitter.images(x), aroundImages(node.pads), node.padValue!, emitter)
    : emitter.images(x)
  const linear = emitter.op('Conv', [image, filter, ...(node.bias ? [emitter.weight(node.bias)] : [])], {
    kernel_shape: kernel, strides: node.strides, dilations: node.dilations, pads: onnxPads(padded ? noPads : node.pads), group: groups,
  })
  return activated(linear, imagesOrder, node, emitter)
}

const kernelOf = ({ filter }: { filter: Weight }): Size2 => [filter.shape[0]!, filter.shape[1]!]

export const conv2d: ForwardRule<'conv2d'> = (node, [x], emitter) => {
  const filter = emitter.derived(node.filter, 'forward', () => filterForward(node.filter))
  return convolve(node, x!, filter, kernelOf(node), node.groups, emitter)
}

export const depthwiseConv2d: ForwardRule<'depthwiseConv2d'> = (node, [x], emitter) => {
  const filter = emitter.derived(node.filter, 'forward', () => depthwiseFilter(node.filter))
  return convolve(node, x!, filter, kernelOf(node), node.filter.shape[2]!, emitter)
}

export const conv2dTranspose: ForwardRule<'conv2dTranspose'> = (node, [x], emitter) => {
  const { pads, strides } = node
  const kernel = kernelOf(node)
  const filter = emitter.derived(node.filter, 'forward', () => reordered(node.filter, [3, 2, 0, 1]))
  // rows and columns that no step of the window ends on
  const extra = (axis: 0 | 1, around: number): number => node.shape[axis + 1]! - ((x!.shape[axis + 1]! - 1) * strides[axis] + kernel[axis] - around)
  const linear = emitter.op('ConvTranspose', [emitter.images(x!), filter, ...(node.bias ? [emitter.weight(node.bias)] : [])], {
    kernel_shape: kernel, strides, pads: onnxPads(pads), output_padding: [extra(0, pads.top + pads.bottom), extra(1, pads.left + pads.right)],
  })
  return activated(linear, imagesOrder, node, emitter)
}

export const dense: ForwardRule<'dense'> = (node, [x], emitter) => {
  const { matrix, bias } = node
  if (sameOrder(x!.order, imagesOrder)) {
    const filter = emitter.derived(matrix, '1×1', () => asFilter(matrix))
    const linear = emitter.op('Conv', [x!.name, filter, ...(bias ? [emitter.weight(bias)] : [])], { kernel_shape: [1, 1] })
    return activated(linear, imagesOrder, node, emitter)
  }
  const order = naturalOrder(node.shape.length)
  const rows = emitter.natural(x!)
  if (order.length === 2) return activated(emitter.op('Gemm', [rows, emitter.weight(matrix), ...(bias ? [emitter.weight(bias)] : [])]), order, node, emitter)
  const product = emitter.op('MatMul', [rows, emitter.weight(matrix)])
  return activated(bias ? emitter.op('Add', [product, emitter.weight(bias)]) : product, order, node, emitter)
}

/** [in, out] as the filter of a 1×1 convolution: [out, in, 1, 1]. */
function asFilter(matrix: Weight): Weight {
  const { shape, data } = reordered(matrix, [1, 0])
  return { shape: [...shape, 1, 1], data }
}

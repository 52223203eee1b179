import type { Shape } from '../graph.ts'
import { hasPads, noPads, sizeOf } from '../graph.ts'
import { elementTypes } from '../onnx-format/schema.ts'
import { expandedTo } from './backward-broadcast.ts'
import type { Emitter } from './emitter.ts'
import { enlarged, spreadByZeros } from './enlarge.ts'
import { onnxPads } from './forward-linear.ts'
import { insideShares, padded } from './forward-pool.ts'
import type { Stored } from './layout.ts'
import { imagesOrder, sameOrder, storedAxis } from './layout.ts'
import { aroundImages, emitPad } from './padding.ts'
import type { BackwardRule, BackwardStep } from './rule.ts'

export const pool: BackwardRule<'pool'> = (step) => [
  { name: step.node.kind === 'max' ? maximum(step) : average(step), shape: step.inputs[0]!.shape, order: imagesOrder },
]

/** Each window's gradient goes to the pixel that the forward chose: of equal ones the first, row by row. */
function maximum({ node, dy, inputs, saved, emitter }: BackwardStep<'pool'>): string {
  const x = inputs[0]!
  const { strides, size, pads } = node
  const gradient = emitter.images(dy)
  const kept = saved['indices']
  const geometry = { kernel_shape: size, strides, pads: onnxPads(kept === undefined ? noPads : pads) }
  // where ONNX Runtime refuses the pads, the image is padded before and the gradient cropped after
  const chosen = kept ?? emitter.ops('MaxPool', [padded(node, x, emitter)], 2, geometry)[1]!
  const [batch, height, width, channels] = x.shape as [number, number, number, number]
  const shape = kept === undefined ? [batch, channels, height + pads.top + pads.bottom, width + pads.left + pads.right] : [batch, channels, height, width]
  const found = size[0] <= strides[0] && size[1] <= strides[1]
    // windows that do not overlap choose no pixel twice
    ? emitter.op('MaxUnpool', [gradient, chosen, emitter.shape(shape)], geometry)
    : scattered(gradient, chosen, shape, emitter)
  if (kept !== undefined) return found
  return emitPad(found, aroundImages({ top: -pads.top, bottom: -pads.bottom, left: -pads.left, right: -pads.right }), 0, emitter)
}

function scattered(gradient: string, chosen: string, shape: Shape, emitter: Emitter): string {
  const zeros = emitter.op('ConstantOfShape', [emitter.shape([sizeOf(shape)])])
  const flat = (name: string): string => emitter.op('Reshape', [name, emitter.ints([-1])])
  return emitter.reshape(emitter.op('ScatterElements', [zeros, flat(chosen), flat(gradient)], { axis: 0, reduction: 'add' }), shape)
}

/** Every pixel of a window gets an equal share; where padding does not count, only pixels inside do. */
function average({ node, dy, inputs, emitter }: BackwardStep<'pool'>): string {
  const { shape } = inputs[0]!
  const { size, strides, pads, countPadding } = node
  const [, height, width] = shape as [number, number, number, number]
  const [, outHeight, outWidth] = node.shape as [number, number, number, number]
  const inside = insideShares(node, inputs[0]!)
  const images = emitter.images(dy)
  const cut = !countPadding && inside.some((share) => share !== 1)
  // a window that lies on padding alone has no pixels to share with
  const divisors = inside.map((share) => (share === 0 ? 1 : share))
  const gradient = cut ? emitter.op('Div', [images, emitter.floats([1, 1, outHeight, outWidth], divisors)]) : images
  const whole = !hasPads(pads) && height === outHeight * size[0] && width === outWidth * size[1]
  if (whole && size[0] === strides[0] && size[1] === strides[1]) return enlarged(emitter.op('Mul', [gradient, emitter.scalar(1 / (size[0] * size[1]))]), size, emitter)
  // the transpose of a sliding mean is one
  const [rows, columns] = [around(size[0], pads.top, height - outHeight * strides[0]), around(size[1], pads.left, width - outWidth * strides[1])]
  const spread = spreadByZeros(gradient, [outHeight, outWidth], strides, emitter)
  const outside = emitPad(spread, [[0, 0], [0, 0], rows.outside, columns.outside], 0, emitter)
  return emitter.op('AveragePool', [outside], { kernel_shape: size, pads: [rows.pads[0], columns.pads[0], rows.pads[1], columns.pads[1]], count_include_pad: 1 })
}

/** Zeros around the gradient along one axis: those that the pool can add itself, and the others; crops are negative. */
function around(size: number, before: number, left: number): { pads: [number, number]; outside: [number, number] } {
  const needed = [size - 1 - before, left + before] as const
  const pads = needed.map((n) => Math.min(Math.max(n, 0), size - 1)) as [number, number]
  return { pads, outside: [needed[0] - pads[0], needed[1] - pads[1]] }
}

export const reduce: BackwardRule<'reduce'> = ({ node, dy, inputs, emitter }) => {
  const x = inputs[0]!
  if (node.axes.length === 0) return [dy]
  const kept = x.shape.map((n, i) => (node.axes.includes(i) ? 1 : n))
  const asKept = (value: Stored): string => emitter.stored(node.keepDims ? value : emitter.value(emitter.reshape(emitter.natural(value), kept), kept), x.order)
  const gradient = asKept(dy)
  const overPixels = sameOrder(x.order, imagesOrder) && sameOrder([...node.axes].sort(), [1, 2])
  const spread = (name: string): Stored => {
    // enlarging, unlike expanding, goes on in the inner layout of convolutions
    if (overPixels) return { name: enlarged(name, [x.shape[1]!, x.shape[2]!], emitter), shape: x.shape, order: x.order }
    return expandedTo({ name, shape: kept, order: x.order }, x.shape, emitter)
  }
  switch (node.function) {
    case 'sum':
      return [spread(gradient)]
    case 'mean': {
      const count = node.axes.reduce((product, axis) => product * x.shape[axis]!, 1)
      return [spread(emitter.op('Mul', [gradient, emitter.scalar(1 / count)]))]
    }
    default: {
      // equal extremes share
      const axes = emitter.ints(node.axes.map((axis) => storedAxis(x.order, axis)))
      const extreme = emitter.op(node.function === 'max' ? 'ReduceMax' : 'ReduceMin', [x.name, axes], { keepdims: 1 })
      const mask = emitter.op('Cast', [emitter.op('Equal', [x.name, extreme])], { to: elementTypes.float })
      const share = emitter.op('Div', [gradient, emitter.op('ReduceSum', [mask, axes], { keepdims: 1 })])
      return [{ name: emitter.op('Mul', [mask, share]), shape: x.shape, order: x.order }]
    }
  }
}

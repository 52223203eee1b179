import type { NodeOf, Shape } from '../graph.ts'
import type { Emitter } from './emitter.ts'
import type { Stored } from './layout.ts'
import { imagesOrder, naturalOrder, storedAxis, storedShape } from './layout.ts'
import { nearestIndices } from './nearest.ts'
import { emitPad } from './padding.ts'
import { reshapedOrder } from './reshaped-order.ts'
import type { ForwardRule } from './rule.ts'

export const reshape: ForwardRule<'reshape'> = (node, [x], emitter) => {
  const order = reshapedOrder(x!, node.shape)
  if (order) return { output: { name: emitter.reshape(x!.name, storedShape({ shape: node.shape, order })), shape: node.shape, order } }
  return { output: emitter.value(emitter.reshape(emitter.natural(x!), node.shape), node.shape) }
}

/** Nothing is computed: the value in memory gets another order. */
export const transpose: ForwardRule<'transpose'> = (node, [x]) => ({ output: transposedView(x!, node.permutation) })

/** A value with its axes permuted, where it lies. */
export function transposedView({ name, shape, order }: Stored, permutation: readonly number[]): Stored {
  return { name, shape: permutation.map((axis) => shape[axis]!), order: order.map((axis) => permutation.indexOf(axis)) }
}

export const pad: ForwardRule<'pad'> = (node, [x], emitter) => {
  const axes = naturalOrder(node.shape.length).filter((axis) => node.paddings[axis]!.some((n) => n !== 0))
  if (axes.length === 0) return { output: x! }
  const amounts = x!.order.map((axis) => node.paddings[axis]!)
  switch (node.mode) {
    case 'constant':
      return { output: { name: emitPad(x!.name, amounts, node.value, emitter), shape: node.shape, order: x!.order } }
    case 'reflect':
      return { output: { name: emitPad(x!.name, amounts, 'reflect', emitter), shape: node.shape, order: x!.order } }
    case 'symmetric': {
      const name = axes.reduce((value, axis) => gathered(value, x!.order, axis, symmetricIndices(x!.shape[axis]!, node.paddings[axis]!), emitter), x!.name)
      return { output: { name, shape: node.shape, order: x!.order } }
    }
  }
}

function gathered(value: string, order: readonly number[], axis: number, indices: readonly number[], emitter: Emitter): string {
  return emitter.op('Gather', [value, emitter.ints(indices)], { axis: storedAxis(order, axis) })
}

/** Mirrored at the outer edges of the first and last element. */
function symmetricIndices(size: number, [before, after]: readonly [number, number]): number[] {
  return Array.from({ length: before + size + after }, (_, i) => {
    const at = i - before
    return at < 0 ? -1 - at : at >= size ? 2 * size - 1 - at : at
  })
}

export const slice: ForwardRule<'slice'> = (node, [x], emitter) => {
  const axes = naturalOrder(node.shape.length).filter((axis) => node.shape[axis] !== x!.shape[axis])
  if (axes.length === 0) return { output: x! }
  const { ints } = emitter
  const begins = axes.map((axis) => node.begin[axis]!)
  const ends = axes.map((axis, i) => begins[i]! + node.shape[axis]!)
  const name = emitter.op('Slice', [x!.name, ints(begins), ints(ends), ints(axes.map((axis) => storedAxis(x!.order, axis)))])
  return { output: { name, shape: node.shape, order: x!.order } }
}

export const reverse: ForwardRule<'reverse'> = (node, [x], emitter) => ({ output: { ...x!, name: emitReverse(x!, node.axes, emitter) } })

/** The value with some axes turned round; none may be the batch's. */
export function emitReverse(x: Stored, axes: readonly number[], { op, ints }: Emitter): string {
  const all = (n: number): string => ints(axes.map(() => n))
  // past the beginning: an end of -1 would mean the last element
  const ends = ints(axes.map((axis) => -x.shape[axis]! - 1))
  return op('Slice', [x.name, all(-1), ends, ints(axes.map((axis) => storedAxis(x.order, axis))), all(-1)])
}

export const gather: ForwardRule<'gather'> = (node, [x], emitter) => (
  { output: { name: gathered(x!.name, x!.order, node.axis, node.indices, emitter), shape: node.shape, order: x!.order } }
)

export const expand: ForwardRule<'expand'> = (node, [x], emitter) => {
  const order = x!.shape.length === node.shape.length ? x!.order : naturalOrder(node.shape.length)
  const from = x!.shape.length === node.shape.length ? x!.name : emitter.natural(x!)
  return { output: { name: emitter.op('Expand', [from, emitter.shape(storedShape({ shape: node.shape, order }))]), shape: node.shape, order } }
}

export const concat: ForwardRule<'concat'> = (node, inputs, emitter) => {
  const size = (shape: Shape): number => Math.abs(shape.reduce((a, b) => a * b, 1))
  const { order } = inputs.reduce((a, b) => (size(b.shape) > size(a.shape) ? b : a))
  const name = emitter.op('Concat', inputs.map((x) => emitter.stored(x, order)), { axis: storedAxis(order, node.axis) })
  return { output: { name, shape: node.shape, order } }
}

export const resize: ForwardRule<'resize'> = (node, [x], emitter) => {
  if (node.method === 'nearest') return { output: nearest(node, x!, emitter) }
  const image = emitter.images(x!)
  const mode = node.alignCorners ? 'align_corners' : node.halfPixelCenters ? 'half_pixel' : 'asymmetric'
  const size = emitter.shape(storedShape({ shape: node.shape, order: imagesOrder }))
  const name = emitter.op('Resize', [image, '', '', size], { mode: 'linear', coordinate_transformation_mode: mode })
  return { output: { name, shape: node.shape, order: imagesOrder } }
}

/** By whole multiples as ONNX does it; else by index, since its rounding at the borders between pixels is not ours. */
function nearest(node: NodeOf<'resize'>, x: Stored, emitter: Emitter): Stored {
  const ratios = [1, 2].map((axis) => node.shape[axis]! / x.shape[axis]!)
  if (!node.alignCorners && ratios.every(Number.isInteger)) {
    const scales = emitter.floats([4], [1, 1, ...ratios])
    const attributes = { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' }
    return { name: emitter.op('Resize', [emitter.images(x), '', scales], attributes), shape: node.shape, order: imagesOrder }
  }
  const name = [1, 2].reduce((value, axis) => gathered(value, x.order, axis, nearestIndices(x.shape[axis]!, node.shape[axis]!, node), emitter), x.name)
  return { name, shape: node.shape, order: x.order }
}

import type { NodeOf } from '../graph.ts'
import { noPads, sizePerImage } from '../graph.ts'
import type { Emitter } from './emitter.ts'
import { onnxPads } from './forward-linear.ts'
import { transposedView } from './forward-shape.ts'
import type { Stored } from './layout.ts'
import { imagesOrder, naturalOrder, sameOrder, storedAxis } from './layout.ts'
import { aroundImages, emitPad } from './padding.ts'
import type { ForwardRule } from './rule.ts'

/** ONNX Runtime refuses pads as wide as the window. */
export const padsFit = ({ pads, size }: NodeOf<'pool'>): boolean => Math.max(pads.top, pads.bottom) < size[0] && Math.max(pads.left, pads.right) < size[1]

export const pool: ForwardRule<'pool'> = (node, [x], emitter, keep) => {
  const fits = padsFit(node)
  const image = fits ? emitter.images(x!) : padded(node, x!, emitter)
  const attributes = { kernel_shape: node.size, strides: node.strides, pads: onnxPads(fits ? node.pads : noPads) }
  const value = (name: string): Stored => ({ name, shape: node.shape, order: imagesOrder })
  if (node.kind === 'max') {
    if (!keep || !fits) return { output: value(emitter.op('MaxPool', [image], attributes)) }
    const [output, indices] = emitter.ops('MaxPool', [image], 2, attributes)
    return { output: value(output!), saved: { indices: indices! } }
  }
  const average = emitter.op('AveragePool', [image], { ...attributes, count_include_pad: node.countPadding ? 1 : 0 })
  if (fits || node.countPadding) return { output: value(average) }
  return { output: value(emitter.op('Div', [average, emitter.floats([1, 1, node.shape[1]!, node.shape[2]!], insideShares(node, x!))])) }
}

export function padded(node: NodeOf<'pool'>, x: Stored, emitter: Emitter): string {
  const lowest = -3.4028234663852886e38
  return emitPad(emitter.images(x), aroundImages(node.pads), node.kind === 'max' ? lowest : 0, emitter)
}

/** Which share of each window lies on the image. */
export function insideShares({ size, strides, pads, shape }: NodeOf<'pool'>, x: Pick<Stored, 'shape'>): Float32Array {
  const along = (axis: 0 | 1, before: number): number[] => Array.from({ length: shape[axis + 1]! }, (_, i) => {
    const begin = i * strides[axis] - before
    return Math.max(0, Math.min(begin + size[axis], x.shape[axis + 1]!) - Math.max(begin, 0)) / size[axis]
  })
  const columns = along(1, pads.left)
  return Float32Array.from(along(0, pads.top).flatMap((row) => columns.map((column) => row * column)))
}

const reducers = { mean: 'ReduceMean', sum: 'ReduceSum', max: 'ReduceMax', min: 'ReduceMin' } as const
const globalPools = { mean: 'GlobalAveragePool', max: 'GlobalMaxPool' } as const

export const reduce: ForwardRule<'reduce'> = (node, [x], emitter) => {
  if (node.axes.length === 0) return { output: x! }
  const left = naturalOrder(x!.shape.length).filter((axis) => !node.axes.includes(axis))
  const overPixels = sameOrder(x!.order, imagesOrder) && sameOrder([...node.axes].sort(), [1, 2])
  if (overPixels && (node.function === 'mean' || node.function === 'max')) {
    // as a pool it stays in the convolutions' inner layout
    const pooled = emitter.op(globalPools[node.function], [x!.name])
    const output: Stored = node.keepDims ? { name: pooled, shape: node.shape, order: imagesOrder } : emitter.value(emitter.reshape(pooled, node.shape), node.shape)
    return { output }
  }
  const axes = emitter.ints(node.axes.map((axis) => storedAxis(x!.order, axis)))
  const name = emitter.op(reducers[node.function], [x!.name, axes], { keepdims: node.keepDims ? 1 : 0 })
  const order = node.keepDims ? x!.order : x!.order.filter((axis) => left.includes(axis)).map((axis) => left.indexOf(axis))
  return { output: { name, shape: node.shape, order } }
}

export const normalize: ForwardRule<'normalize'> = (node, [x], emitter, keep) => {
  // the axes must lie last
  const order = [...x!.order.filter((axis) => !node.axes.includes(axis)), ...x!.order.filter((axis) => node.axes.includes(axis))]
  const first = order.length - node.axes.length
  const inner = order.slice(first).map((axis) => x!.shape[axis]!)
  const ones = emitter.floats(inner, new Float32Array(sizePerImage(inner)).fill(1))
  const attributes = { axis: first, epsilon: { float: node.epsilon } }
  const [output, , inverse] = emitter.ops('LayerNormalization', [emitter.stored(x!, order), ones], keep ? 3 : 1, attributes)
  return { output: { name: output!, shape: node.shape, order }, ...(keep && { saved: { inverse: inverse! } }) }
}

export const matmul: ForwardRule<'matmul'> = (node, [a, b], emitter) => {
  const first = emitter.natural(node.transposeA ? lastTwoSwapped(a!) : a!)
  const second = emitter.natural(node.transposeB ? lastTwoSwapped(b!) : b!)
  return { output: emitter.value(emitter.op('MatMul', [first, second]), node.shape) }
}

/** A value with its last two axes swapped, where it lies. */
export function lastTwoSwapped(value: Stored): Stored {
  const rank = value.shape.length
  return transposedView(value, [...naturalOrder(rank - 2), rank - 1, rank - 2])
}

export const lrn: ForwardRule<'lrn'> = (node, [x], emitter) => {
  const size = 2 * node.radius + 1
  // ONNX divides alpha by the number of channels summed
  const attributes = { size, alpha: { float: node.alpha * size }, beta: { float: node.beta }, bias: { float: node.bias } }
  return { output: { name: emitter.op('LRN', [emitter.images(x!)], attributes), shape: node.shape, order: imagesOrder } }
}

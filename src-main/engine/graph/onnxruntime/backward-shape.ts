import type { Shape } from '../graph.ts'
import { resizeMatrix } from '../resize-matrix.ts'
import { summedTo } from './backward-broadcast.ts'
import { reordered } from './broadcast.ts'
import type { Emitter } from './emitter.ts'
import { emitReverse } from './forward-shape.ts'
import type { Stored } from './layout.ts'
import { imagesOrder, storedAxis, storedShape } from './layout.ts'
import { emitPad } from './padding.ts'
import { reshapedOrder } from './reshaped-order.ts'
import type { BackwardRule } from './rule.ts'

export const reshape: BackwardRule<'reshape'> = ({ dy, inputs, emitter }) => {
  const { shape } = inputs[0]!
  const order = reshapedOrder(dy, shape)
  if (order) return [{ name: emitter.reshape(dy.name, storedShape({ shape, order })), shape, order }]
  return [emitter.value(emitter.reshape(emitter.natural(dy), shape), shape)]
}

/** Only the axes get other names. */
export const transpose: BackwardRule<'transpose'> = ({ node, dy, inputs }) => [
  { name: dy.name, shape: inputs[0]!.shape, order: dy.order.map((axis) => node.permutation[axis]!) },
]

/** Pads, or crops where a number is negative; one [before, after] per axis of the graph. */
function padded(value: Stored, paddings: readonly (readonly [number, number])[], shape: Shape, emitter: Emitter): Stored {
  return { name: emitPad(value.name, value.order.map((axis) => paddings[axis]!), 0, emitter), shape, order: value.order }
}

export const slice: BackwardRule<'slice'> = ({ node, dy, inputs, emitter }) => {
  const { shape } = inputs[0]!
  const paddings = shape.map((n, i): [number, number] => [node.begin[i]!, n < 0 ? 0 : n - node.begin[i]! - dy.shape[i]!])
  return [padded(dy, paddings, shape, emitter)]
}

export const pad: BackwardRule<'pad'> = ({ node, dy, inputs, emitter }) => {
  const { shape } = inputs[0]!
  if (node.mode === 'constant') return [padded(dy, node.paddings.map(([before, after]): [number, number] => [-before, -after]), shape, emitter)]
  const skip = node.mode === 'reflect' ? 1 : 0
  return [node.paddings.reduce((gradient, [before, after], axis) => folded(gradient, axis, shape[axis]!, [before, after], skip, emitter), dy)]
}

/** What was mirrored outside along one axis is added back inside. */
function folded(gradient: Stored, axis: number, n: number, [before, after]: readonly [number, number], skip: number, emitter: Emitter): Stored {
  if (before === 0 && after === 0) return gradient
  const shape = gradient.shape.map((m, i) => (i === axis ? n : m))
  const stored = storedAxis(gradient.order, axis)
  const none = shape.map((): [number, number] => [0, 0])
  /** `length` elements, mirrored, at `begin` of the result. */
  const mirrored = (from: number, length: number, begin: number): string => {
    const indices = emitter.ints(Array.from({ length }, (_, i) => from + length - 1 - i))
    const name = emitter.op('Gather', [gradient.name, indices], { axis: stored })
    const room = none.map((nothing, i): [number, number] => (i === axis ? [begin, n - begin - length] : nothing))
    return padded({ ...gradient, name }, room, shape, emitter).name
  }
  const parts = [padded(gradient, none.map((nothing, i) => (i === axis ? [-before, -after] : nothing)), shape, emitter).name]
  if (before > 0) parts.push(mirrored(0, before, skip))
  if (after > 0) parts.push(mirrored(before + n, after, n - skip - after))
  return { name: emitter.op('Sum', parts), shape, order: gradient.order }
}

/** How often one index may come before a matrix is cheaper than a sum of gathers. */
const mostRounds = 16

/**
 * Element i gets the gradients of every place that it went to: the first of each, the second of each, and so on, gathered
 * from dy with a zero at its end for elements that have none (left).
 */
export const gather: BackwardRule<'gather'> = ({ node, dy, inputs, emitter }) => {
  const { shape } = inputs[0]!
  const { axis, indices } = node
  const places = Array.from({ length: shape[axis]! }, (_, i) => indices.flatMap((index, at) => (index === i ? [at] : [])))
  const rounds = Math.max(...places.map((list) => list.length))
  if (rounds === 0) return [null]
  if (rounds > mostRounds) return [gatheredByMatrix(dy, shape, axis, indices, emitter)]
  const room = dy.shape.map((_, i): [number, number] => [0, i === axis ? 1 : 0])
  const source = places.every((list) => list.length === rounds) ? dy : padded(dy, room, dy.shape.map((n, i) => (i === axis ? n + 1 : n)), emitter)
  const parts = Array.from({ length: rounds }, (_, round) => {
    const from = places.map((list) => list[round] ?? indices.length)
    return emitter.op('Gather', [source.name, emitter.ints(from)], { axis: storedAxis(dy.order, axis) })
  })
  return [{ name: parts.length === 1 ? parts[0]! : emitter.op('Sum', parts), shape, order: dy.order }]
}

function gatheredByMatrix(dy: Stored, shape: Shape, axis: number, indices: readonly number[], emitter: Emitter): Stored {
  const count = shape[axis]!
  const matrix = new Float32Array(indices.length * count)
  indices.forEach((index, at) => (matrix[at * count + index] = 1))
  const order = [...dy.order.filter((other) => other !== axis), axis]
  return { name: emitter.op('MatMul', [emitter.stored(dy, order), emitter.floats([indices.length, count], matrix)]), shape, order }
}

export const expand: BackwardRule<'expand'> = ({ dy, inputs, emitter }) => [summedTo(dy, inputs[0]!.shape, emitter)]

export const reverse: BackwardRule<'reverse'> = ({ node, dy, emitter }) => [{ ...dy, name: emitReverse(dy, node.axes, emitter) }]

export const concat: BackwardRule<'concat'> = ({ node, dy, inputs, wanted, emitter }) => {
  const sizes = inputs.map(({ shape }) => shape[node.axis]!)
  const parts = emitter.ops('Split', [dy.name, emitter.ints(sizes)], inputs.length, { axis: storedAxis(dy.order, node.axis) })
  return inputs.map(({ shape }, i) => (wanted[i] ? { name: parts[i]!, shape, order: dy.order } : null))
}

/** The adjoint of both interpolations as constant matrices: exact for every convention. */
export const resize: BackwardRule<'resize'> = ({ node, dy, inputs, emitter }) => {
  const { shape } = inputs[0]!
  const [height, width] = [shape[1]!, shape[2]!]
  const [outHeight, outWidth] = [node.shape[1]!, node.shape[2]!]
  const rows = emitter.weight(resizeMatrix(height, outHeight, node))
  const columns = emitter.weight(reordered(resizeMatrix(width, outWidth, node), [1, 0]))
  const across = emitter.op('MatMul', [emitter.images(dy), columns])
  return [{ name: emitter.op('MatMul', [rows, across]), shape, order: imagesOrder }]
}

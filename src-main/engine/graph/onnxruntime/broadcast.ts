import type { Weight } from '../graph.ts'
import { sizePerImage } from '../graph.ts'
import type { Emitter } from './emitter.ts'
import type { Stored } from './layout.ts'
import { naturalOrder, sameOrder } from './layout.ts'

/**
 * Values that broadcast against each other, brought into one order: that of the largest of full rank, which is then the
 * order of the result.
 */
export function aligned(values: readonly Stored[], emitter: Emitter): { names: string[]; order: readonly number[] } {
  const rank = Math.max(...values.map((v) => v.shape.length))
  const full = values.filter((v) => v.shape.length === rank)
  const order = full.reduce((a, b) => (sizePerImage(b.shape) > sizePerImage(a.shape) ? b : a)).order
  return { names: values.map((value) => inOrder(value, order, emitter)), order }
}

/** The value as an operand of one that is stored in `order`, which may have more dimensions. */
export function inOrder(value: Stored, order: readonly number[], emitter: Emitter): string {
  const { shape } = value
  if (shape.length === order.length) return emitter.stored(value, order)
  const natural = emitter.natural(value)
  if (sameOrder(order, naturalOrder(order.length)) || shape.every((n) => n === 1)) return natural
  const full = [...Array.from({ length: order.length - shape.length }, () => 1), ...shape]
  return emitter.stored({ name: emitter.reshape(natural, full), shape: full, order: naturalOrder(full.length) }, order)
}

/** A weight as an operand of a value that is stored in `order`. */
export function weightInOrder(weight: Weight, order: readonly number[], emitter: Emitter): string {
  if (weight.data.length === 1) return emitter.scalar(weight.data[0]!)
  if (sameOrder(order, naturalOrder(order.length))) return emitter.weight(weight)
  return emitter.derived(weight, `in order ${order.join(' ')}`, () => reordered(weight, order))
}

/** Dimensions of length 1 go in front; then stored axis i holds axis order[i]. */
export function reordered(weight: Weight, order: readonly number[]): Weight {
  const from = [...Array.from({ length: order.length - weight.shape.length }, () => 1), ...weight.shape]
  const strides = from.map((_, i) => from.slice(i + 1).reduce((a, b) => a * b, 1))
  const shape = order.map((axis) => from[axis]!)
  const steps = order.map((axis) => strides[axis]!)
  const data = new Float32Array(weight.data.length)
  const index = shape.map(() => 0)
  let source = 0
  for (let i = 0; i < data.length; i++) {
    data[i] = weight.data[source]!
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      source += steps[axis]!
      if (++index[axis]! < shape[axis]!) break
      source -= steps[axis]! * shape[axis]!
      index[axis] = 0
    }
  }
  return { shape, data }
}

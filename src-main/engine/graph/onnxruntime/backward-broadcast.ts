import type { Shape } from '../graph.ts'
import type { Emitter } from './emitter.ts'
import type { Stored } from './layout.ts'
import { imagesOrder, sameOrder, storedAxis } from './layout.ts'

/** The adjoint of broadcasting: sums a gradient until it has the shape that was broadcast. */
export function summedTo(gradient: Stored, shape: Shape, emitter: Emitter): Stored {
  const extra = gradient.shape.length - shape.length
  const axes = gradient.shape.map((_, i) => i).filter((i) => i < extra || (shape[i - extra] === 1 && gradient.shape[i] !== 1))
  if (axes.length === 0 && extra === 0) return gradient
  const kept = gradient.shape.map((n, i) => (axes.includes(i) ? 1 : n))
  const stored = emitter.ints(axes.map((axis) => storedAxis(gradient.order, axis)))
  const sum = { name: summed(), shape: kept, order: gradient.order }
  return extra === 0 ? sum : emitter.value(emitter.reshape(emitter.natural(sum), shape), shape)

  function summed(): string {
    if (axes.length === 0) return gradient.name
    const overPixels = sameOrder(gradient.order, imagesOrder) && sameOrder(axes, [1, 2])
    if (!overPixels) return emitter.op('ReduceSum', [gradient.name, stored], { keepdims: 1 })
    // a mean over pixels is computed in the inner layout of convolutions
    return emitter.op('Mul', [emitter.op('GlobalAveragePool', [gradient.name]), emitter.scalar(gradient.shape[1]! * gradient.shape[2]!)])
  }
}

/** Broadcasts a value to a shape of as many axes, where it lies. */
export function expandedTo(value: Stored, shape: Shape, emitter: Emitter): Stored {
  if (value.shape.every((n, i) => n === shape[i])) return value
  const target = value.order.map((axis) => (value.shape[axis] === shape[axis] ? 1 : shape[axis]!))
  return { name: emitter.op('Expand', [value.name, emitter.shape(target)]), shape, order: value.order }
}

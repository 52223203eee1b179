import type { OnnxNode } from '../../onnx-format/schema.ts'
import { nameOf } from './attributes.ts'
import type { OnnxContext } from './context.ts'
import { gathered, stridesOf } from './permute.ts'
import type { OnnxValue } from './value.ts'
import { hasBatch, naturalOrder } from './value.ts'

/**
 * The value broadcast to `target`, as NumPy does. Known values are spread at once, except over the batch.
 * @param target sizes in ONNX's order that the value broadcasts to, with BATCH for the batch
 * @param part names a step inside of the node, where this is not what ends it
 */
export function spread(node: OnnxNode, x: OnnxValue, target: readonly number[], context: OnnxContext, part?: string): OnnxValue {
  const missing = target.length - context.shape(x).length
  const wide = [...new Array<number>(missing).fill(1), ...context.shape(x)]
  const same = missing === 0 && target.every((n, i) => n === wide[i])
  if (x.kind === 'known' && !hasBatch(target)) {
    if (same) return x
    context.allow(node, target.reduce((p, n) => p * n, 1))
    const strides = stridesOf(wide).map((stride, i) => (wide[i] === 1 ? 0 : stride))
    return { ...x, shape: [...target], data: gathered(x.data, target, strides, 0) }
  }
  if (x.kind === 'node' && same) return part === undefined ? { ...x, ref: context.builder.alias(nameOf(node), x.ref) } : x
  const [ref, own] = x.kind === 'known' ? [context.constant(x), naturalOrder(x.shape.length)] : [x.ref, x.order]
  const order = [...naturalOrder(missing), ...own.map((axis) => axis + missing)]
  const shape = order.map((axis) => target[axis]!)
  const wider = part === undefined ? context.add(node, { op: 'expand' }, [ref], shape) : context.part(node, part, { op: 'expand' }, [ref], shape)
  return context.value(wider, order, x.type)
}

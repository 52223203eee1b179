import type { Ref } from '../../build.ts'
import type { Weight } from '../../graph.ts'
import type { OnnxNode } from '../../onnx-format/schema.ts'
import type { OnnxContext } from './context.ts'
import type { OnnxValue } from './value.ts'
import { naturalOrder } from './value.ts'

/**
 * A matrix times each line of the value along one axis: any linear resampling or pooling of that axis.
 * @param matrix [in, out]
 * @param part named so where it is a step inside of the node
 */
export function alongAxis(node: OnnxNode, x: OnnxValue, axis: number, matrix: Weight, context: OnnxContext, part?: string): OnnxValue {
  const order = [...(x.kind === 'node' ? x.order : naturalOrder(x.shape.length)).filter((a) => a !== axis), axis]
  const operation = { op: 'dense', matrix, bias: null, activation: null } as const
  const ref = context.stored(x, order)
  return context.value(part === undefined ? context.add(node, operation, [ref]) : context.part(node, part, operation, [ref]), order, x.type)
}

/** Elements of one stored axis of a node, by index. */
export function taken(node: OnnxNode, ref: Ref, axis: number, indices: readonly number[], context: OnnxContext, part: string): Ref {
  const size = context.builder.shapeOf(ref)[axis]
  if (indices.length === size && indices.every((from, to) => from === to)) return ref
  return context.part(node, part, { op: 'gather', axis, indices }, [ref])
}

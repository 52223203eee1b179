import type { OnnxNode } from '../../onnx-format/schema.ts'
import { axisOf, int } from './attributes.ts'
import type { NodeImporter, OnnxContext } from './context.ts'
import { reshaped } from './reshape.ts'
import type { OnnxValue } from './value.ts'
import { naturalOrder } from './value.ts'

/** Over one axis since operator set 13; before, over all axes from `axis` on, as if they were one. */
function softmax(log: boolean): NodeImporter {
  return (node, inputs, context) => {
    const x = context.required(node, inputs[0], 'the data')
    const shape = context.shape(x)
    const axis = axisOf(node, int(node, 'axis', context.opset < 13 ? 1 : -1), shape.length)
    if (context.opset >= 13 || shape.slice(axis + 1).every((n) => n === 1)) return overAxis(node, x, axis, log, context)
    const size = shape.slice(axis).reduce((product, n) => product * n, 1)
    const flat = reshaped(node, x, [...shape.slice(0, axis), size], context, 'flat')
    return reshaped(node, overAxis(node, flat, axis, log, context, 'softmax'), shape, context)
  }
}

/** The graph's softmax is over the last axis: what is stored otherwise is brought there. */
function overAxis(node: OnnxNode, x: OnnxValue, axis: number, log: boolean, context: OnnxContext, part?: string): OnnxValue {
  const order = x.kind === 'node' ? x.order : naturalOrder(x.shape.length)
  const last = [...order.filter((a) => a !== axis), axis]
  const ref = context.stored(x, last)
  const operation = { op: 'softmax', log } as const
  return context.value(part === undefined ? context.add(node, operation, [ref]) : context.part(node, part, operation, [ref]), last, x.type)
}

export const softmaxNodes: Record<string, NodeImporter> = { Softmax: softmax(false), LogSoftmax: softmax(true) }

import type { Binary } from '../../graph.ts'
import { elementTypes } from '../../onnx-format/schema.ts'
import type { NodeImporter } from './context.ts'
import { knownFloats } from './value.ts'

/** Booleans are 0 or 1 in the graph. */
function logical(f: Binary, negated = false): NodeImporter {
  return (node, inputs, context) => {
    const { refs, order } = context.alignment([context.required(node, inputs[0], 'the first value'), context.required(node, inputs[1], 'the second value')])
    const operation = { op: 'binary', function: f } as const
    if (!negated) return context.value(context.add(node, operation, refs), order, elementTypes.bool)
    const opposite = context.part(node, 'opposite', operation, refs)
    return context.value(context.add(node, { op: 'binary', function: 'equal' }, [opposite, zero(context)]), order, elementTypes.bool)
  }
}

function zero(context: Parameters<NodeImporter>[2]): string {
  return context.constant(knownFloats([], Float32Array.of(0)))
}

const not: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const { refs, order } = context.alignment([x])
  return context.value(context.add(node, { op: 'binary', function: 'equal' }, [refs[0]!, zero(context)]), order, elementTypes.bool)
}

const where: NodeImporter = (node, inputs, context) => {
  const values = ['the condition', 'the first value', 'the second value'].map((what, i) => context.required(node, inputs[i], what))
  const { refs, order } = context.alignment(values)
  return context.value(context.add(node, { op: 'where' }, refs), order, values[1]!.type)
}

export const logicNodes: Record<string, NodeImporter> = {
  Equal: logical('equal'), Greater: logical('greater'), Less: logical('less'), GreaterOrEqual: logical('less', true),
  LessOrEqual: logical('greater', true), And: logical('multiply'), Or: logical('maximum'), Xor: logical('equal', true), Not: not, Where: where,
}

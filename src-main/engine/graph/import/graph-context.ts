import type { GraphBuilder, Ref } from '../build.ts'
import type { Operation, Shape } from '../graph.ts'
import type { RawNode } from './graph-nodes.ts'
import { unsupported } from './graph-nodes.ts'
import type { StaticValue } from './static-values.ts'

/** What a node of the TensorFlow graph stands for: a node of ours, or a value known now. */
export type Value = { ref: Ref } | { known: StaticValue }

/** Turns one TensorFlow node into nodes of ours; one value per output. */
export type NodeImporter = (node: RawNode, inputs: readonly Value[], context: GraphContext) => Value | Value[]

export interface GraphContext {
  builder: GraphBuilder
  /** The node that computes a value; a known value becomes a constant. */
  ref(node: RawNode, value: Value | undefined): Ref
  /** A value that must be known at import. */
  known(node: RawNode, value: Value | undefined, what: string): StaticValue
  shapeOf(value: Value): Shape
  add(node: RawNode, operation: Operation, inputs: readonly Value[], shape?: Shape): Value
}

export function createGraphContext(builder: GraphBuilder): GraphContext {
  const constants = new Map<StaticValue, Ref>()
  function ref(node: RawNode, value: Value | undefined): Ref {
    if (!value) throw unsupported(node, 'an input is missing')
    if ('ref' in value) return value.ref
    let found = constants.get(value.known)
    if (!found) {
      found = builder.part(node.name, 'constant', { op: 'constant', value: value.known }, [], value.known.shape)
      constants.set(value.known, found)
    }
    return found
  }
  return {
    builder,
    ref,
    known(node, value, what) {
      if (!value || 'ref' in value) throw unsupported(node, `${what} is not constant`)
      return value.known
    },
    shapeOf: (value) => ('ref' in value ? builder.shapeOf(value.ref) : value.known.shape),
    add: (node, operation, inputs, shape) => ({ ref: builder.add(node.name, operation, inputs.map((v) => ref(node, v)), shape) }),
  }
}

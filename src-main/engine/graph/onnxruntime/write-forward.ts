import type { Graph, GraphNode } from '../graph.ts'
import type { Emitter } from './emitter.ts'
import { forwardRuleOf } from './forward-rules.ts'
import type { Written } from './rule.ts'

/** Names of inputs and outputs of the written model. */
export const ends = { images: 'images', targets: 'targets', logits: 'logits', scores: 'scores', gradient: 'gradient', activations: 'activations' } as const

/**
 * Writes the graph's nodes.
 * @param keep names of the nodes through which a gradient will be taken
 */
export function writeForward(graph: Graph, emitter: Emitter, keep: ReadonlySet<string>): Map<string, Written> {
  const values = new Map<string, Written>()
  for (const node of graph.nodes) {
    emitter.within(node.name)
    values.set(node.name, writeNode(node, emitter, values, keep.has(node.name)))
  }
  return values
}

function writeNode(node: GraphNode, emitter: Emitter, values: ReadonlyMap<string, Written>, keep: boolean): Written {
  if (node.op === 'input') return { output: emitter.value(emitter.input(ends.images, node.shape), node.shape), saved: {} }
  if (node.op === 'constant') return { output: emitter.value(emitter.weight(node.value), node.shape), saved: {} }
  const { output, saved } = forwardRuleOf(node.op)(node as never, node.inputs.map((name) => values.get(name)!.output), emitter, keep)
  return { output, saved: saved ?? {} }
}

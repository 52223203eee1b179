import type { Graph, GraphNode } from '../graph.ts'
import type { Emitter } from './emitter.ts'
import { forwardRuleOf } from './forward-rules.ts'
import type { Written } from './rule.ts'

/** Names of inputs and outputs of the written model. */
export const ends = { images: 'images', targets: 'targets', logits: 'logits', scores: 'scores', gradient: 'gradient', activations: 'activations' } as const

/** A value that one part of a cut graph hands to the other. */
export const handedName = (i: number): string => `handed${i}`

/**
 * Writes nodes.
 * @param keep names of the nodes through which a gradient will be taken
 * @param inputName of an input node, under which it is taken from the caller
 */
export function writeForward(
  { nodes }: Pick<Graph, 'nodes'>, emitter: Emitter, keep: ReadonlySet<string>, inputName: (node: GraphNode) => string = () => ends.images,
): Map<string, Written> {
  const values = new Map<string, Written>()
  for (const node of nodes) {
    emitter.within(node.name)
    if (node.op === 'input') values.set(node.name, { output: emitter.value(emitter.input(inputName(node), node.shape), node.shape), saved: {} })
    else values.set(node.name, writeNode(node, emitter, values, keep.has(node.name)))
  }
  return values
}

function writeNode(node: Exclude<GraphNode, { op: 'input' }>, emitter: Emitter, values: ReadonlyMap<string, Written>, keep: boolean): Written {
  if (node.op === 'constant') return { output: emitter.value(emitter.weight(node.value), node.shape), saved: {} }
  const { output, saved } = forwardRuleOf(node.op)(node as never, node.inputs.map((name) => values.get(name)!.output), emitter, keep)
  return { output, saved: saved ?? {} }
}

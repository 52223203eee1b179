import type { Graph } from './graph.ts'
import { nodeNamed } from './graph.ts'

/** Names of the nodes that depend on a node, itself among them. */
export function dependentOn(graph: Graph, name: string): Set<string> {
  const found = new Set([nodeNamed(graph, name).name])
  for (const node of graph.nodes) if (node.inputs.some((input) => found.has(input))) found.add(node.name)
  return found
}

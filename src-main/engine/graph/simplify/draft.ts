import type { Graph, GraphNode, Operation, Shape } from '../graph.ts'

/** A graph while it is being simplified. */
export interface Draft {
  nodes: GraphNode[]
  input: string
  output: string
  notes: string[]
}

export function draftOf(graph: Graph): Draft {
  return { nodes: [...graph.nodes], input: graph.input, output: graph.output, notes: [...graph.notes] }
}

/** The one node that reads `name`, or null where there are several, none, or it is the output. */
export function onlyConsumer(draft: Draft, name: string): GraphNode | null {
  if (draft.output === name) return null
  const consumers = draft.nodes.filter((n) => n.inputs.includes(name))
  return consumers.length === 1 && consumers[0]!.inputs.filter((i) => i === name).length === 1 ? consumers[0]! : null
}

export function find(draft: Draft, name: string): GraphNode {
  const node = draft.nodes.find((n) => n.name === name)
  if (!node) throw new Error(`the graph has no node ${name}`)
  return node
}

export function replace(draft: Draft, name: string, node: GraphNode): void {
  draft.nodes = draft.nodes.map((n) => (n.name === name ? node : n))
}

/**
 * `first` and its only consumer `second` become one node that does `operation`, reads what `first` read and keeps the name
 * of `second`, so that nothing downstream changes.
 */
export function fuse(draft: Draft, first: GraphNode, second: GraphNode, operation: Operation): void {
  draft.nodes = draft.nodes.filter((n) => n.name !== first.name)
  replace(draft, second.name, { name: second.name, shape: second.shape, inputs: first.inputs, layers: [...first.layers, ...second.layers], ...operation })
}

/** Everything of a node but its name, inputs, shape and layers. */
export function operationOf(node: GraphNode): Operation {
  const { name: _name, inputs: _inputs, shape: _shape, layers: _layers, ...operation } = node
  return operation as Operation
}

/** A new node right after `after`; whoever read `after` reads it instead. */
export function insertAfter(draft: Draft, after: string, name: string, operation: Operation, shape: Shape): void {
  const node: GraphNode = { name, inputs: [after], shape, layers: [], ...operation }
  const at = draft.nodes.findIndex((n) => n.name === after)
  const renamed = draft.nodes.map((n) => ({ ...n, inputs: n.inputs.map((i) => (i === after ? name : i)) }) as GraphNode)
  draft.nodes = [...renamed.slice(0, at + 1), node, ...renamed.slice(at + 1)]
  if (draft.output === after) draft.output = name
}

/** Drops what the output does not need. */
export function removeDead(draft: Draft): void {
  const needed = new Set([draft.input])
  const visit = (name: string): void => {
    if (needed.has(name) && name !== draft.input) return
    needed.add(name)
    for (const input of find(draft, name).inputs) visit(input)
  }
  visit(draft.output)
  draft.nodes = draft.nodes.filter((n) => needed.has(n.name))
}

import type { Graph, GraphNode, Operation, Shape } from '../graph.ts'

/** A graph while it is being simplified. Nodes and their readers are found by name, so that rewriting stays linear in the size of the graph. */
export interface Draft {
  readonly input: string
  output: string
  readonly notes: string[]
  /** All shapes hold 1 where others hold the batch. */
  readonly oneByOne: boolean
  /** Names in topological order; those of removed nodes may linger. */
  order: string[]
  readonly nodes: Map<string, GraphNode>
  /** Who reads a node. */
  readonly readers: Map<string, Set<string>>
}

export function draftOf(graph: Graph): Draft {
  const draft: Draft = {
    input: graph.input, output: graph.output, notes: [...graph.notes], oneByOne: graph.oneByOne ?? false,
    order: graph.nodes.map((n) => n.name), nodes: new Map(), readers: new Map(),
  }
  for (const node of graph.nodes) put(draft, node)
  return draft
}

export function graphOf(draft: Draft): Graph {
  const nodes = draft.order.flatMap((name) => draft.nodes.get(name) ?? [])
  return { nodes, input: draft.input, output: draft.output, notes: draft.notes, ...(draft.oneByOne ? { oneByOne: true } : {}) }
}

function put(draft: Draft, node: GraphNode): void {
  unlink(draft, node.name)
  draft.nodes.set(node.name, node)
  for (const input of node.inputs) {
    const readers = draft.readers.get(input)
    if (readers) readers.add(node.name)
    else draft.readers.set(input, new Set([node.name]))
  }
}

function unlink(draft: Draft, name: string): void {
  for (const input of draft.nodes.get(name)?.inputs ?? []) draft.readers.get(input)?.delete(name)
}

/** The nodes that read `name`. */
export function consumersOf(draft: Draft, name: string): GraphNode[] {
  return [...(draft.readers.get(name) ?? [])].map((reader) => find(draft, reader))
}

/** The one node that reads `name`, and once, or null where there are several, none, or it is the output. */
export function onlyConsumer(draft: Draft, name: string): GraphNode | null {
  const readers = draft.readers.get(name)
  if (draft.output === name || readers?.size !== 1) return null
  const [consumer] = consumersOf(draft, name)
  return consumer!.inputs.filter((i) => i === name).length === 1 ? consumer! : null
}

export function find(draft: Draft, name: string): GraphNode {
  const node = draft.nodes.get(name)
  if (!node) throw new Error(`the graph has no node ${name}`)
  return node
}

/** The node that a node with one input reads. */
export function inputOf(draft: Draft, node: GraphNode): GraphNode {
  return find(draft, node.inputs[0]!)
}

/** Puts `node` in the place of the one that has its name; what it reads must come earlier. */
export function replace(draft: Draft, node: GraphNode): void {
  if (!draft.nodes.has(node.name)) throw new Error(`the graph has no node ${node.name}`)
  put(draft, node)
}

/** Drops a node that nobody reads any more. */
export function remove(draft: Draft, name: string): void {
  unlink(draft, name)
  draft.nodes.delete(name)
}

/** Drops a node where nobody reads it any more, then likewise what it read; returns the layers of what is gone, in order. */
function prune(draft: Draft, name: string): string[] {
  const node = draft.nodes.get(name)
  if (!node || name === draft.input || name === draft.output || draft.readers.get(name)?.size) return []
  remove(draft, name)
  return [...node.inputs.flatMap((input) => prune(draft, input)), ...node.layers]
}

/** `node` computes the same by another operation on other inputs; what only it needed before goes, and its layers are told of here. */
export function supplant(draft: Draft, node: GraphNode, operation: Operation, inputs: readonly string[]): void {
  const base = { name: node.name, shape: node.shape, inputs }
  replace(draft, { ...base, layers: node.layers, ...operation })
  const gone = node.inputs.filter((input) => !inputs.includes(input)).flatMap((input) => prune(draft, input))
  if (gone.length > 0) replace(draft, { ...base, layers: [...gone, ...node.layers], ...operation })
}

/** Drops a node that hands on what it reads: its readers read that instead, and its layers are told of there. */
export function bypass(draft: Draft, node: GraphNode): void {
  const source = inputOf(draft, node)
  if (node.layers.length > 0) put(draft, { ...source, layers: [...source.layers, ...node.layers] })
  for (const reader of consumersOf(draft, node.name)) put(draft, renamed(reader, node.name, source.name))
  if (draft.output === node.name) draft.output = source.name
  remove(draft, node.name)
}

function renamed(node: GraphNode, from: string, to: string): GraphNode {
  return { ...node, inputs: node.inputs.map((i) => (i === from ? to : i)) }
}

/**
 * `first` and its only consumer `second` become one node that does `operation`, reads what `first` read and keeps the name
 * of `second`, so that nothing downstream changes.
 */
export function fuse(draft: Draft, first: GraphNode, second: GraphNode, operation: Operation): void {
  replace(draft, { name: second.name, shape: second.shape, inputs: first.inputs, layers: [...first.layers, ...second.layers], ...operation })
  remove(draft, first.name)
}

/** Everything of a node but its name, inputs, shape and layers. */
export function operationOf(node: GraphNode): Operation {
  const { name: _name, inputs: _inputs, shape: _shape, layers: _layers, ...operation } = node
  return operation as Operation
}

/** A new node right after `after`; whoever read `after` reads it instead. */
export function insertAfter(draft: Draft, after: string, name: string, operation: Operation, shape: Shape): void {
  for (const reader of consumersOf(draft, after)) put(draft, renamed(reader, after, name))
  draft.order.splice(draft.order.indexOf(after) + 1, 0, name)
  put(draft, { name, inputs: [after], shape, layers: [], ...operation })
  if (draft.output === after) draft.output = name
}

/** A new node right before `before`, for it to read; the name is made unique. */
export function insertBefore(draft: Draft, before: string, node: GraphNode): GraphNode {
  let { name } = node
  for (let i = 1; draft.nodes.has(name); i++) name = `${node.name}_${i}`
  const unique = { ...node, name }
  draft.order.splice(draft.order.indexOf(before), 0, name)
  put(draft, unique)
  return unique
}

/** Drops what the output does not need. */
export function removeDead(draft: Draft): void {
  const needed = new Set([draft.input])
  const open = [draft.output]
  while (open.length > 0) {
    const name = open.pop()!
    needed.add(name)
    for (const input of find(draft, name).inputs) if (!needed.has(input)) open.push(input)
  }
  for (const name of draft.order) if (!needed.has(name)) remove(draft, name)
  draft.order = draft.order.filter((name) => needed.has(name))
}

/** Whether two shapes are the same. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i])
}

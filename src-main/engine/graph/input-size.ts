import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Graph, GraphNode, NodeOf, Shape } from './graph.ts'
import { hasPads, nodeNamed } from './graph.ts'
import { broadcast, inferShape } from './shapes.ts'

/**
 * The same graph for images of another size, with all shapes worked out anew. Pads stay as they are; a pool over all places stays one.
 * @throws MaskscopeError 'unavailable' naming the layer that fits one size only, e.g. where places become features without being pooled.
 */
export function withInputSize(graph: Graph, height: number, width: number): Graph {
  const old = nodeNamed(graph, graph.input)
  const nodes = new Map<string, GraphNode>()
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => ({ before: nodeNamed(graph, name).shape, now: nodes.get(name)!.shape }))
    nodes.set(node.name, node.name === old.name ? { ...node, shape: [old.shape[0]!, height, width, old.shape[3]!] } : resized(node, inputs))
  }
  const output = nodes.get(graph.output)!
  if (!same(output.shape, nodeNamed(graph, graph.output).shape)) throw unfit(output, 'the class scores would become a map of class scores')
  return { ...graph, nodes: [...nodes.values()] }
}

interface Sizes {
  before: Shape
  now: Shape
}

function resized(node: GraphNode, inputs: readonly Sizes[]): GraphNode {
  // also what has places of its own, such as constants
  if (inputs.every(({ before, now }) => same(before, now))) return node
  const now = inputs.map((input) => input.now)
  switch (node.op) {
    case 'reshape':
    case 'expand':
    case 'slice':
    case 'resize':
    case 'conv2dTranspose':
    case 'input':
    case 'constant':
      throw unfit(node, `it turns ${text(inputs[0]!.before)} into ${text(node.shape)} and nothing else`)
    case 'gather':
      return gathered(node, inputs[0]!)
    case 'pool':
      return pooled(node, inputs[0]!)
    case 'conv2d':
    case 'depthwiseConv2d':
      if (node.shape[1] === 1 && node.shape[2] === 1 && !hasPads(node.pads) && (inputs[0]!.before[1]! > 1 || inputs[0]!.before[2]! > 1)) throw unfit(node, 'its window covers all places')
      return { ...node, shape: inferred(node, now) }
    case 'prelu':
      if (!same(broadcast(now[0]!, node.alpha.shape), now[0]!)) throw unfit(node, 'it has a slope per place')
      return { ...node, shape: now[0]! }
    default:
      return { ...node, shape: inferred(node, now) } as GraphNode
  }
}

/** A window over all places covers all of the new ones. */
function pooled(node: NodeOf<'pool'>, { before, now }: Sizes): GraphNode {
  const all = !hasPads(node.pads) && node.size[0] === before[1] && node.size[1] === before[2]
  const own: NodeOf<'pool'> = all ? { ...node, size: [now[1]!, now[2]!] } : node
  return { ...own, shape: inferred(own, [now]) }
}

/** Every k-th place, as in shortcuts with a stride, goes on in that step; other choices of places mean one size. */
function gathered(node: NodeOf<'gather'>, { before, now }: Sizes): GraphNode {
  const [from, to] = [before[node.axis]!, now[node.axis]!]
  const [first, second] = node.indices as [number, number?]
  const step = (second ?? 0) - first
  const upTo = (size: number): number[] => Array.from({ length: Math.floor((size - 1 - first) / step) + 1 }, (_, i) => first + i * step)
  if (from === to) return { ...node, shape: inferred(node, [now]) }
  if (!(step > 1) || !same(upTo(from), node.indices)) throw unfit(node, 'it picks single places')
  const own = { ...node, indices: upTo(to) }
  return { ...own, shape: inferred(own, [now]) }
}

function inferred(node: GraphNode, inputs: readonly Shape[]): Shape {
  try {
    return inferShape(node, inputs)
  } catch (error) {
    throw unfit(node, (error as Error).message)
  }
}

function same(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i])
}

function text(shape: Shape): string {
  return shape.filter((n) => n !== -1).join('×')
}

function unfit({ name }: GraphNode, why: string): MaskscopeError {
  return new MaskscopeError(
    'unavailable', `The model takes images of one size only: at its layer ${name} ${why}. Choose a model that ends in pooling over all places, or keep to its own size.`,
    { subject: name },
  )
}

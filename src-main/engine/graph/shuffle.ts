import { createRandom } from '#shared/random/random.ts'
import type { Graph, GraphNode, Op, Weight } from './graph.ts'

/** Operations with weights that can be put out of order; constants among the values of the graph are no weights of a layer. */
export const weightedOps: readonly Op[] = ['conv2d', 'depthwiseConv2d', 'conv2dTranspose', 'dense', 'affine', 'prelu']

/**
 * The graph with the weights of some nodes out of order, each array within itself, so that their distribution stays (batch
 * normalisation is folded: weights drawn anew would lose the scale).
 */
export function shuffleWeights(graph: Graph, layers: ReadonlySet<string>, seed: number): Graph {
  return { ...graph, nodes: graph.nodes.map((node) => (layers.has(node.name) ? shuffled(node, seed) : node)) }
}

function shuffled(node: GraphNode, seed: number): GraphNode {
  const random = createRandom(seed, 'shuffled weights', node.name)
  const mix = ({ shape, data }: Weight): Weight => ({ shape, data: Float32Array.from(random.shuffle([...data])) })
  switch (node.op) {
    case 'conv2d':
    case 'depthwiseConv2d':
    case 'conv2dTranspose':
      return { ...node, filter: mix(node.filter), bias: node.bias && mix(node.bias) }
    case 'dense':
      return { ...node, matrix: mix(node.matrix), bias: node.bias && mix(node.bias) }
    case 'affine':
      return { ...node, scale: mix(node.scale), offset: mix(node.offset) }
    case 'prelu':
      return { ...node, alpha: mix(node.alpha) }
    default:
      return node
  }
}

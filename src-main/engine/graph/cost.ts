import type { Graph, GraphNode } from './graph.ts'
import { nodeNamed, sizeOf, sizePerImage, weightsOf } from './graph.ts'

/** Multiply-adds of one image through a node; elementwise work is not counted. */
export function multiplyAddsOf(graph: Graph, node: GraphNode): number {
  const out = sizePerImage(node.shape)
  switch (node.op) {
    case 'conv2d':
      return out * sizeOf(node.filter.shape.slice(0, 3))
    case 'depthwiseConv2d':
      return out * sizeOf(node.filter.shape.slice(0, 2))
    case 'conv2dTranspose':
      return sizePerImage(nodeNamed(graph, node.inputs[0]!).shape) * sizeOf(node.filter.shape.slice(0, 3))
    case 'dense':
      return out * node.matrix.shape[0]!
    case 'matmul': {
      const a = nodeNamed(graph, node.inputs[0]!).shape
      return out * (node.transposeA ? a[a.length - 2]! : a[a.length - 1]!)
    }
    default:
      return 0
  }
}

export function multiplyAdds(graph: Graph): number {
  return graph.nodes.reduce((sum, node) => sum + multiplyAddsOf(graph, node), 0)
}

/** Numbers in the frozen graph, after folding; a weight that two nodes share counts once. */
export function parameterCount(graph: Graph): number {
  const weights = new Set(graph.nodes.flatMap(weightsOf))
  return [...weights].reduce((sum, weight) => sum + weight.data.length, 0)
}

import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Graph, Shape } from './graph.ts'

/**
 * The shape of a node's activation for one image.
 * @throws MaskscopeError 'usage' where the graph has no such node, or its values do not come image by image.
 */
export function shapeOfLayer(graph: Graph, name: string): Shape {
  const node = graph.nodes.find((n) => n.name === name)
  if (!node) throw new MaskscopeError('usage', `The model has no layer ${name}. Choose one from the list of its layers.`, { subject: name })
  const [batch, ...shape] = node.shape
  if (batch !== (graph.oneByOne ? 1 : -1) || shape.some((n) => n < 0)) {
    throw new MaskscopeError('usage', `The layer ${name} does not keep images apart. Choose another layer.`, { subject: name })
  }
  return shape
}

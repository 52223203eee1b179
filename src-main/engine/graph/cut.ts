import { dependentOn } from './dependence.ts'
import type { Graph, GraphNode } from './graph.ts'
import { nodeNamed } from './graph.ts'
import { shapeOfLayer } from './layer-shape.ts'

/** A graph in two parts, so that what comes before a layer is computed once and what comes after many times. */
export interface Cut {
  /** What does not depend on the layer, and the layer itself. */
  readonly before: readonly GraphNode[]
  /** Names of the values that the part behind reads, the layer's first. */
  readonly handed: readonly string[]
  /** The rest, with `input` nodes in place of what is handed. */
  readonly behind: readonly GraphNode[]
  /** The layer's channels, its last dimension. */
  readonly channels: number
  /** Images can go through the part behind side by side: every value handed has them in its first dimension, or none in it. */
  readonly apart: boolean
}

/** @throws MaskscopeError 'usage' where the graph has no such layer, or its values do not come image by image. */
export function cutBehind(graph: Graph, layer: string): Cut {
  const shape = shapeOfLayer(graph, layer)
  const after = dependentOn(graph, layer)
  const isBefore = (name: string): boolean => name === layer || !after.has(name)
  const read = new Set([layer])
  for (const node of graph.nodes) {
    if (!isBefore(node.name)) for (const name of node.inputs) if (isBefore(name)) read.add(name)
  }
  if (isBefore(graph.output)) read.add(graph.output)
  const constants = graph.nodes.filter((node) => node.op === 'constant' && read.has(node.name))
  const handed = [...read].filter((name) => nodeNamed(graph, name).op !== 'constant')
  return {
    before: graph.nodes.filter(({ name }) => isBefore(name)),
    handed,
    behind: [
      ...constants,
      ...handed.map((name): GraphNode => ({ op: 'input', name, inputs: [], shape: nodeNamed(graph, name).shape, layers: [] })),
      ...graph.nodes.filter(({ name }) => !isBefore(name)),
    ],
    channels: shape[shape.length - 1]!,
    apart: !graph.oneByOne && handed.every((name) => nodeNamed(graph, name).shape.every((n, i) => n > 0 || (i === 0 && n === -1))),
  }
}

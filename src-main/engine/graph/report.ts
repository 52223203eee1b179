import type { GraphReport, LayerInfo } from '#shared/domain/layers.ts'
import { multiplyAddsOf } from './cost.ts'
import type { Graph, GraphNode, Shape } from './graph.ts'
import { nodeNamed, weightsOf } from './graph.ts'
import { operationText } from './operation-text.ts'
import type { Field } from './receptive-field.ts'
import { receptiveFields } from './receptive-field.ts'

/** The fewest places along height and width that a map for CAM methods needs. */
const leastPlaces = 4

const convolutions: readonly string[] = ['conv2d', 'depthwiseConv2d', 'conv2dTranspose']
/** What a network puts together from convolutions: where branches meet, what stands behind the sum is what it goes on with. */
const joins: readonly string[] = ['binary', 'concat', 'unary', 'prelu', 'affine', 'normalize', 'lrn', 'pool']

/** What lies between a convolution that gives the class scores at every place and the model's output. */
const poolsAndShapes: readonly string[] = ['pool', 'reduce', 'reshape', 'transpose', 'unary', 'softmax', 'affine']

/** The frozen graph for people: what each node computes and costs, what it sees of the picture, and which layers CAM methods can take. */
export function graphReport(graph: Graph): GraphReport {
  const fields = receptiveFields(graph)
  const layers = graph.nodes.map((node): LayerInfo => ({
    name: node.name,
    op: node.op,
    operation: operationText(node),
    inputs: node.inputs,
    shape: shapePerImage(node.shape, graph.oneByOne ?? false),
    parameters: weightsOf(node).reduce((sum, { data }) => sum + data.length, 0),
    multiplyAdds: multiplyAddsOf(graph, node),
    receptiveField: square(fields.get(node.name)!),
    computes: node.layers,
    cam: isCandidate(node) || (joins.includes(node.op) && hasPlaces(node) && fields.get(node.name)?.size.every((side) => side <= 1) !== true),
  }))
  return { layers, camLayer: defaultLayer(graph), notes: graph.notes }
}

/** What CAM methods take by themselves. */
function isCandidate(node: GraphNode): boolean {
  return convolutions.includes(node.op) && hasPlaces(node)
}

function hasPlaces({ shape }: GraphNode): boolean {
  return shape.length === 4 && shape[1]! >= leastPlaces && shape[2]! >= leastPlaces
}

/** The last candidate, but not the one whose channels are the class scores themselves. */
function defaultLayer(graph: Graph): string | null {
  const logits = logitsConvolution(graph)
  return graph.nodes.findLast((node) => isCandidate(node) && node.name !== logits)?.name ?? null
}

function logitsConvolution(graph: Graph): string | null {
  let node = nodeNamed(graph, graph.output)
  while (poolsAndShapes.includes(node.op)) node = nodeNamed(graph, node.inputs[0]!)
  return node.op === 'conv2d' && node.filter.shape[0] === 1 && node.filter.shape[1] === 1 ? node.name : null
}

/** The batch counts as one image and is left out. */
function shapePerImage(shape: Shape, oneByOne: boolean): number[] {
  if (oneByOne && shape.length > 1 && shape[0] === 1) return shape.slice(1)
  return shape.filter((n) => n !== -1).map(Math.abs)
}

function square(field: Field | null): LayerInfo['receptiveField'] {
  return field && { size: Math.max(...field.size), stride: Math.max(...field.stride) }
}

import type { LrpRule } from '../classifier/classifier.ts'
import type { Graph, GraphNode, Op, Unary } from './graph.ts'

/** What layer-wise relevance propagation needs to know of a graph beside its values. */
export interface RelevancePlan {
  /** Nodes whose values are nowhere below zero, for images in [0, 1]. */
  readonly nonNegative: ReadonlySet<string>
  /** Nodes whose values are shares or switches, such as attention weights: constants, as far as relevance is concerned. */
  readonly gates: ReadonlySet<string>
  /** Layers with weights that see the image itself, at most moved or scaled. */
  readonly first: ReadonlySet<string>
  /** Nodes at or below the last layer that takes γ. */
  lower(rule: Pick<LrpRule, 'lower'>): ReadonlySet<string>
}

const withWeights: readonly Op[] = ['conv2d', 'depthwiseConv2d', 'conv2dTranspose', 'dense']
/** Values go through, elsewhere or as they are. */
const moving: readonly Op[] = ['reshape', 'transpose', 'slice', 'gather', 'expand', 'reverse']

export function planRelevance(graph: Graph): RelevancePlan {
  const linear = graph.nodes.filter(({ op }) => withWeights.includes(op))
  return {
    nonNegative: found(graph, isNonNegative),
    gates: found(graph, isGate),
    first: firstLayers(graph),
    lower({ lower }) {
      const last = linear[Math.round(lower * linear.length) - 1]
      return new Set(last ? graph.nodes.slice(0, graph.nodes.indexOf(last) + 1).map(({ name }) => name) : [])
    },
  }
}

/** Names of the nodes that a property holds for, which may follow from its inputs. */
function found(graph: Graph, holds: (node: GraphNode, inputs: readonly boolean[]) => boolean): ReadonlySet<string> {
  const names = new Set<string>()
  for (const node of graph.nodes) if (holds(node, node.inputs.map((name) => names.has(name)))) names.add(node.name)
  return names
}

function isNonNegative(node: GraphNode, inputs: readonly boolean[]): boolean {
  switch (node.op) {
    case 'input':
    case 'softmax':
      return node.op === 'input' || !node.log
    case 'constant':
      return node.value.data.every((v) => v >= 0)
    case 'conv2d':
    case 'depthwiseConv2d':
    case 'conv2dTranspose':
    case 'dense':
      return node.activation !== null && rectifies(node.activation)
    case 'unary':
      return rectifies(node.function)
    case 'pad':
      return inputs[0]! && (node.mode !== 'constant' || node.value >= 0)
    case 'binary':
      if (node.function === 'maximum') return inputs.includes(true)
      return ['add', 'multiply', 'divide', 'minimum'].includes(node.function) && !inputs.includes(false)
    default:
      return (moving.includes(node.op) || ['pool', 'reduce', 'resize', 'concat', 'matmul', 'lrn'].includes(node.op)) && !inputs.includes(false)
  }
}

function rectifies(f: Unary): boolean {
  return ['relu', 'sigmoid', 'hardSigmoid', 'softplus', 'exp', 'square', 'abs', 'sqrt', 'rsqrt'].includes(f.kind) || (f.kind === 'clip' && f.min >= 0)
}

function isGate(node: GraphNode, inputs: readonly boolean[]): boolean {
  if (moving.includes(node.op)) return inputs[0]!
  if (node.op === 'softmax') return !node.log
  if (node.op === 'unary') return switches(node.function)
  return 'activation' in node && node.activation !== null && switches(node.activation)
}

function switches(f: Unary): boolean {
  return f.kind === 'sigmoid' || f.kind === 'hardSigmoid'
}

function firstLayers(graph: Graph): ReadonlySet<string> {
  const seen = new Set([graph.input])
  const first = new Set<string>()
  for (const node of graph.nodes) {
    if (node.inputs.length !== 1 || !seen.has(node.inputs[0]!)) continue
    if (withWeights.includes(node.op)) first.add(node.name)
    else if (moving.includes(node.op) || node.op === 'affine' || node.op === 'pad') seen.add(node.name)
  }
  return first
}

import type { Graph, GraphNode, Pads, Unary, Weight } from './graph.ts'
import { hasPads } from './graph.ts'
import { multiplyAddsOf, parameterCount } from './cost.ts'

/** The graph as text: one line per node, then totals and notes. */
export function printGraph(graph: Graph): string {
  const lines = graph.nodes.map((node) => {
    const from = node.inputs.length > 0 ? ` <- ${node.inputs.join(', ')}` : ''
    const merged = node.layers.length > 1 ? `  {${node.layers.join(' + ')}}` : ''
    return `${node.name}: ${node.op}${attributes(node)} [${node.shape.map((n) => (n < 0 ? 'n' : n)).join(', ')}]${from}${merged}`
  })
  const multiplyAdds = graph.nodes.reduce((sum, node) => sum + multiplyAddsOf(graph, node), 0)
  return [
    ...lines,
    `output ${graph.output}; ${parameterCount(graph)} parameters, ${multiplyAdds} multiply-adds`,
    ...graph.notes.map((note) => `note: ${note}`),
  ].join('\n')
}

function attributes(node: GraphNode): string {
  switch (node.op) {
    case 'conv2d':
      return text(weight(node.filter), stride(node.strides), dilation(node.dilations), pads(node.pads), padValue(node), node.groups > 1 && `groups ${node.groups}`, activation(node.activation))
    case 'depthwiseConv2d':
      return text(weight(node.filter), stride(node.strides), dilation(node.dilations), pads(node.pads), padValue(node), activation(node.activation))
    case 'conv2dTranspose':
      return text(weight(node.filter), stride(node.strides), pads(node.pads), activation(node.activation))
    case 'dense':
      return text(weight(node.matrix), activation(node.activation))
    case 'constant':
      return text(weight(node.value))
    case 'unary':
      return text(activation(node.function))
    case 'binary':
      return text(node.function)
    case 'reduce':
      return text(node.function, `over ${node.axes.join(', ')}`)
    case 'pool':
      return text(node.kind, node.size.join('×'), stride(node.strides), pads(node.pads))
    case 'pad':
      return text(node.mode, node.paddings.map((p) => p.join('+')).join(' '), node.value !== 0 && `value ${node.value}`)
    case 'transpose':
      return text(node.permutation.join(' '))
    case 'slice':
      return text(`from ${node.begin.join(' ')}`)
    case 'concat':
      return text(`axis ${node.axis}`)
    case 'resize':
      return text(node.method)
    case 'softmax':
      return node.log ? text('log') : ''
    default:
      return ''
  }
}

function text(...parts: (string | false)[]): string {
  const said = parts.filter((p) => p !== false && p !== '')
  return said.length > 0 ? ` (${said.join(', ')})` : ''
}

const weight = (w: Weight): string => w.shape.join('×')
const stride = (s: readonly number[]): string => (s.every((n) => n === 1) ? '' : `stride ${s.join('×')}`)
const dilation = (d: readonly number[]): string => (d.every((n) => n === 1) ? '' : `dilation ${d.join('×')}`)
const pads = (p: Pads): string => (hasPads(p) ? `pads ${p.top} ${p.bottom} ${p.left} ${p.right}` : '')

const padValue = (node: { readonly padValue?: number }): string => (node.padValue ? `padded with ${node.padValue}` : '')

function activation(a: Unary | null): string {
  if (!a) return ''
  const { kind, ...rest } = a
  const values = Object.values(rest).filter((v) => v !== null)
  return values.length > 0 ? `${kind} ${values.join(' ')}` : kind
}

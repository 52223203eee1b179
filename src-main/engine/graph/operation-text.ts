import type { GraphNode, Size2, Unary } from './graph.ts'

const plain: Partial<Record<string, string>> = {
  relu: 'ReLU', elu: 'ELU', selu: 'SELU', gelu: 'GELU', leakyRelu: 'leaky ReLU', hardSigmoid: 'hard sigmoid', hardSwish: 'hard swish', mish: 'Mish',
  sigmoid: 'sigmoid', tanh: 'tanh', swish: 'swish', sqrt: 'square root', rsqrt: 'reciprocal square root', abs: 'absolute value',
  squaredDifference: 'squared difference',
}

/** What a node computes, for people, e.g. "conv 3×3, stride 2, ReLU". */
export function operationText(node: GraphNode): string {
  switch (node.op) {
    case 'conv2d':
      return list(`conv ${times(node.filter.shape)}`, stride(node.strides), dilation(node.dilations), node.groups > 1 && `${node.groups} groups`, activation(node.activation))
    case 'depthwiseConv2d':
      return list(`depthwise conv ${times(node.filter.shape)}`, stride(node.strides), dilation(node.dilations), activation(node.activation))
    case 'conv2dTranspose':
      return list(`transposed conv ${times(node.filter.shape)}`, stride(node.strides), activation(node.activation))
    case 'dense':
      return list('dense', activation(node.activation))
    case 'affine':
      return 'scale and offset'
    case 'unary':
      return activation(node.function)
    case 'prelu':
      return 'PReLU'
    case 'binary':
      return plain[node.function] ?? node.function
    case 'normalize':
      return `normalize over ${axesText(node.axes, node.shape.length)}`
    case 'matmul':
      return list('matrix product', node.transposeA && 'first transposed', node.transposeB && 'second transposed')
    case 'softmax':
      return node.log ? 'log softmax' : 'softmax'
    case 'pool':
      return list(`${node.kind} pool ${times(node.size)}`, stride(node.strides))
    case 'reduce':
      return `${node.function} over ${axesText(node.axes, node.keepDims ? node.shape.length : node.shape.length + node.axes.length)}`
    case 'pad':
      return list('pad', node.mode !== 'constant' && node.mode)
    case 'gather':
      return node.indices.length === 1 ? `element ${node.indices[0]} of axis ${node.axis}` : `gather along axis ${node.axis}`
    case 'concat':
      return `concat of ${axesText([node.axis], node.shape.length)}`
    case 'reverse':
      return `reverse ${axesText(node.axes, node.shape.length)}`
    case 'resize':
      return `resize, ${node.method === 'nearest' ? 'nearest' : 'bilinear'}`
    case 'lrn':
      return `local response normalization, ${2 * node.radius + 1} channels`
    default:
      return node.op
  }
}

function list(...parts: (string | false)[]): string {
  return parts.filter((part) => part !== false && part !== '').join(', ')
}

const times = ([height, width]: readonly number[]): string => `${height}×${width}`
const stride = (s: Size2): string => (s[0] === s[1] ? (s[0] === 1 ? '' : `stride ${s[0]}`) : `stride ${times(s)}`)
const dilation = (d: Size2): string => (d[0] === d[1] ? (d[0] === 1 ? '' : `dilation ${d[0]}`) : `dilation ${times(d)}`)

/** The axes of images by name, others by number. */
function axesText(axes: readonly number[], rank: number): string {
  const names = axes.map((axis) => (rank === 4 ? ['images', 'height', 'width', 'channels'][axis] : undefined) ?? (axis === rank - 1 ? 'the last axis' : `axis ${axis}`))
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)!}`
}

function activation(a: Unary | null): string {
  if (!a) return ''
  switch (a.kind) {
    case 'relu':
      return a.max === null ? 'ReLU' : `ReLU${a.max}`
    case 'leakyRelu':
    case 'elu':
      return `${plain[a.kind]!} ${number(a.alpha)}`
    case 'clip':
      return `clip to ${number(a.min)} … ${number(a.max)}`
    default:
      return plain[a.kind] ?? a.kind
  }
}

const number = (value: number): string => String(Number(value.toPrecision(4)))

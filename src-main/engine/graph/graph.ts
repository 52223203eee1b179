/**
 * The frozen graph: what every model format is imported into and what every executor runs. Nodes come in topological
 * order; images are NHWC; weights are plain arrays; pads are always explicit. In a shape, -1 stands for the batch and -k
 * for k times the batch; it is the first dimension of images and usually elsewhere, but attention blocks move it.
 */
export type Shape = readonly number[]

export interface Weight {
  readonly shape: Shape
  readonly data: Float32Array
}

/** Zero padding around an image, in pixels. */
export interface Pads {
  readonly top: number
  readonly bottom: number
  readonly left: number
  readonly right: number
}

export type Size2 = readonly [height: number, width: number]

/** Elementwise functions. The kinds of `fusedKinds` can also ride on a convolution or dense node. */
export type Unary =
  | { readonly kind: 'relu'; /** Values above are cut; null = no limit. */ readonly max: number | null }
  | { readonly kind: 'leakyRelu' | 'elu'; readonly alpha: number }
  | { readonly kind: 'clip'; readonly min: number; readonly max: number }
  | { readonly kind: 'hardSigmoid'; /** clip(slope·x + offset, 0, 1) */ readonly slope: number; readonly offset: number }
  | { readonly kind: 'gelu'; /** The tanh form. */ readonly approximate: boolean }
  | { readonly kind: PlainUnary }

export const plainUnaries = [
  'sigmoid', 'tanh', 'softplus', 'softsign', 'swish', 'hardSwish', 'mish', 'selu', 'exp', 'log', 'sqrt', 'rsqrt', 'square',
  'abs', 'negate', 'reciprocal', 'erf',
] as const
export type PlainUnary = (typeof plainUnaries)[number]

/** `equal`, `greater` and `less` give 1 or 0 and have no gradient. */
export const binaries = [
  'add', 'subtract', 'multiply', 'divide', 'maximum', 'minimum', 'power', 'squaredDifference', 'equal', 'greater', 'less',
] as const
export type Binary = (typeof binaries)[number]

interface NodeBase {
  readonly name: string
  /** Names of earlier nodes. */
  readonly inputs: readonly string[]
  readonly shape: Shape
  /** The file's layers or nodes that this node computes, in order; the last one's output is this node's. */
  readonly layers: readonly string[]
}

/** A window sliding over height and width. */
interface Sliding {
  readonly strides: Size2
  readonly pads: Pads
}

interface Padding {
  /** What the pads hold, where that is not 0: an input scaling was folded that takes this value to 0. */
  readonly padValue?: number
}

interface Linear {
  readonly bias: Weight | null
  readonly activation: Unary | null
}

export type Operation =
  | { readonly op: 'input' }
  | { readonly op: 'constant'; readonly value: Weight }
  /** filter [height, width, in / groups, out] */
  | ({ readonly op: 'conv2d'; readonly filter: Weight; readonly dilations: Size2; readonly groups: number } & Sliding & Padding & Linear)
  /** filter [height, width, in, multiplier]; out = in · multiplier, the multiplier varying fastest */
  | ({ readonly op: 'depthwiseConv2d'; readonly filter: Weight; readonly dilations: Size2 } & Sliding & Padding & Linear)
  /** filter [height, width, out, in]; `pads` are those of the convolution it is the transpose of */
  | ({ readonly op: 'conv2dTranspose'; readonly filter: Weight } & Sliding & Linear)
  /** matrix [in, out], over the last dimension */
  | ({ readonly op: 'dense'; readonly matrix: Weight } & Linear)
  /** x·scale + offset; both [channels], over the last dimension (batch normalisation, scaling, constant operands) */
  | { readonly op: 'affine'; readonly scale: Weight; readonly offset: Weight }
  | { readonly op: 'unary'; readonly function: Unary }
  /** max(x, 0) + alpha·min(x, 0); alpha broadcasts to one image */
  | { readonly op: 'prelu'; readonly alpha: Weight }
  /** Two inputs, broadcast as in NumPy. */
  | { readonly op: 'binary'; readonly function: Binary }
  /** Three inputs, broadcast: the second where the first is not 0, else the third. */
  | { readonly op: 'where' }
  /** (x − mean) / sqrt(variance + epsilon), both over the axes, which are kept (layer, instance and group normalisation). */
  | { readonly op: 'normalize'; readonly axes: readonly number[]; readonly epsilon: number }
  | { readonly op: 'matmul'; readonly transposeA: boolean; readonly transposeB: boolean }
  /** Over the last dimension. */
  | { readonly op: 'softmax'; readonly log: boolean }
  | ({ readonly op: 'pool'; readonly kind: 'max' | 'average'; readonly size: Size2; /** Averages divide by the whole window. */ readonly countPadding: boolean } & Sliding)
  | { readonly op: 'reduce'; readonly function: 'mean' | 'sum' | 'max' | 'min'; readonly axes: readonly number[]; readonly keepDims: boolean }
  /** To `shape`. */
  | { readonly op: 'reshape' }
  | { readonly op: 'transpose'; readonly permutation: readonly number[] }
  /** One [before, after] per dimension. */
  | { readonly op: 'pad'; readonly mode: 'constant' | 'reflect' | 'symmetric'; readonly paddings: readonly (readonly [number, number])[]; readonly value: number }
  /** From `begin`, as large as `shape`. */
  | { readonly op: 'slice'; readonly begin: readonly number[] }
  /** Elements of one axis, by index; an index may come again, or not at all. */
  | { readonly op: 'gather'; readonly axis: number; readonly indices: readonly number[] }
  /** Broadcast to `shape`, as in NumPy. */
  | { readonly op: 'expand' }
  | { readonly op: 'reverse'; readonly axes: readonly number[] }
  | { readonly op: 'concat'; readonly axis: number }
  /** To the height and width of `shape`. */
  | { readonly op: 'resize'; readonly method: 'bilinear' | 'nearest'; readonly alignCorners: boolean; readonly halfPixelCenters: boolean }
  /** Local response normalisation over channels: x / (bias + alpha·Σx²)^beta, the sum over 2·radius + 1 channels. */
  | { readonly op: 'lrn'; readonly radius: number; readonly bias: number; readonly alpha: number; readonly beta: number }

export type Op = Operation['op']
export type GraphNode = NodeBase & Operation
export type NodeOf<O extends Op> = GraphNode & { readonly op: O }

export interface Graph {
  readonly nodes: readonly GraphNode[]
  /** Name of the one input node, shape [-1, height, width, channels]. */
  readonly input: string
  readonly output: string
  /** What import did or assumed, one sentence each. */
  readonly notes: readonly string[]
  /** The file fixes the batch at one image in a way that cannot be undone: all shapes hold 1 in its place. */
  readonly oneByOne?: boolean
}

/** @throws Error when no node has the name: graphs are built by our importers, so that is a bug. */
export function nodeNamed(graph: Graph, name: string): GraphNode {
  const node = graph.nodes.find((n) => n.name === name)
  if (!node) throw new Error(`the graph has no node ${name}`)
  return node
}

export function sizeOf(shape: Shape): number {
  return shape.reduce((product, n) => product * n, 1)
}

/** Elements of one image's activation: the batch counts as one. */
export function sizePerImage(shape: Shape): number {
  return Math.abs(sizeOf(shape))
}

/** The shape for a batch of so many images. */
export function batched(shape: Shape, count: number): number[] {
  return shape.map((n) => (n < 0 ? -n * count : n))
}

export function weightsOf(node: GraphNode): Weight[] {
  switch (node.op) {
    case 'constant':
      return [node.value]
    case 'conv2d':
    case 'depthwiseConv2d':
    case 'conv2dTranspose':
      return node.bias ? [node.filter, node.bias] : [node.filter]
    case 'dense':
      return node.bias ? [node.matrix, node.bias] : [node.matrix]
    case 'affine':
      return [node.scale, node.offset]
    case 'prelu':
      return [node.alpha]
    default:
      return []
  }
}

export const noPads: Pads = { top: 0, bottom: 0, left: 0, right: 0 }

export function hasPads(pads: Pads): boolean {
  return pads.top !== 0 || pads.bottom !== 0 || pads.left !== 0 || pads.right !== 0
}

/** Explicit pads of TensorFlow's 'SAME' along one axis: the odd pixel goes to the end. */
export function samePads(size: number, window: number, stride: number, dilation: number): [number, number] {
  const effective = (window - 1) * dilation + 1
  const out = Math.ceil(size / stride)
  const total = Math.max(0, (out - 1) * stride + effective - size)
  const before = Math.floor(total / 2)
  return [before, total - before]
}

import type { NodeOf, Weight } from '../graph.ts'

/** Nodes that an affine map per channel can be folded into. */
export type LinearNode = NodeOf<'conv2d'> | NodeOf<'depthwiseConv2d'> | NodeOf<'dense'>

export function isLinear(node: { op: string }): node is LinearNode {
  return node.op === 'conv2d' || node.op === 'depthwiseConv2d' || node.op === 'dense'
}

export function weightOf(node: LinearNode): Weight {
  return node.op === 'dense' ? node.matrix : node.filter
}

export function withWeight<N extends LinearNode>(node: N, weight: Weight, bias: Weight | null): N {
  return (node.op === 'dense' ? { ...node, matrix: weight, bias } : { ...node, filter: weight, bias }) as N
}

export function outputChannels(node: LinearNode): number {
  const { shape } = weightOf(node)
  return node.op === 'depthwiseConv2d' ? shape[2]! * shape[3]! : shape[shape.length - 1]!
}

/** Elements of the weight lie in rows of one per output channel; the input channels that a row belongs to. */
function inputChannels(node: LinearNode): { rows: number; channelOf: (row: number, output: number) => number } {
  const { shape } = weightOf(node)
  if (node.op === 'dense') return { rows: shape[0]!, channelOf: (row) => row }
  const [height, width, inner, last] = shape as [number, number, number, number]
  if (node.op === 'depthwiseConv2d') return { rows: height * width, channelOf: (_row, output) => Math.floor(output / last) }
  const perGroup = last / node.groups
  return { rows: height * width * inner, channelOf: (row, output) => Math.floor(output / perGroup) * inner + (row % inner) }
}

/** node(x)·scale + offset as one node. */
export function scaleOutput<N extends LinearNode>(node: N, scale: Weight, offset: Weight): N {
  const before = weightOf(node)
  const outputs = outputChannels(node)
  const factors = Float32Array.from({ length: outputs }, (_, c) => at(scale, c))
  const data = new Float32Array(before.data.length)
  for (let start = 0; start < data.length; start += outputs) {
    for (let c = 0; c < outputs; c++) data[start + c] = before.data[start + c]! * factors[c]!
  }
  const bias = factors.map((factor, c) => (node.bias ? node.bias.data[c]! : 0) * factor + at(offset, c))
  return withWeight(node, { shape: before.shape, data }, { shape: [bias.length], data: bias })
}

/** node(x·scale + offset) as one node; exact only where no padding is between, or the offset is zero. */
export function scaleInput<N extends LinearNode>(node: N, scale: Weight, offset: Weight): N {
  const before = weightOf(node)
  const outputs = outputChannels(node)
  const { rows, channelOf } = inputChannels(node)
  const data = new Float32Array(before.data.length)
  const sums = Float64Array.from({ length: outputs }, (_, c) => (node.bias ? node.bias.data[c]! : 0))
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < outputs; c++) {
      const channel = channelOf(row, c)
      const w = before.data[row * outputs + c]!
      data[row * outputs + c] = w * at(scale, channel)
      sums[c]! += w * at(offset, channel)
    }
  }
  return withWeight(node, { shape: before.shape, data }, { shape: [outputs], data: Float32Array.from(sums) })
}

/** node(x with its channels in reverse order) as one node. */
export function reverseInput<N extends LinearNode>(node: N, channels: number): N {
  const before = weightOf(node)
  const data = new Float32Array(before.data.length)
  const block = node.op === 'dense' ? before.shape[1]! : before.shape[3]!
  for (let row = 0; row < data.length / block; row++) {
    const channel = row % channels
    const source = row - channel + (channels - 1 - channel)
    data.set(before.data.subarray(source * block, (source + 1) * block), row * block)
  }
  return withWeight(node, { shape: before.shape, data }, node.bias)
}

/**
 * A dense node that reads its inputs in another order.
 * @param order where input i now stands
 */
export function permuteInput(node: NodeOf<'dense'>, order: Int32Array): NodeOf<'dense'> {
  const { shape, data } = node.matrix
  const columns = shape[1]!
  const permuted = new Float32Array(data.length)
  order.forEach((to, from) => permuted.set(data.subarray(from * columns, (from + 1) * columns), to * columns))
  return { ...node, matrix: { shape, data: permuted } }
}

/** Vectors of one element stand for all channels. */
export function at(vector: Weight, channel: number): number {
  return vector.data[vector.data.length === 1 ? 0 : channel]!
}

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

/** The input channel of each element of the weight, in order. */
export function inputChannelOf(node: LinearNode): (index: number) => number {
  const { shape } = weightOf(node)
  if (node.op === 'dense') return (i) => Math.floor(i / shape[1]!)
  const [, , inner, last] = shape as [number, number, number, number]
  if (node.op === 'depthwiseConv2d') return (i) => Math.floor(i / last) % inner
  const perGroup = last / node.groups
  return (i) => Math.floor((i % last) / perGroup) * inner + (Math.floor(i / last) % inner)
}

/** The output channel of each element of the weight: the last dimension, or for depthwise the last two. */
export function outputChannelOf(node: LinearNode): (index: number) => number {
  const channels = outputChannels(node)
  return (i) => i % channels
}

/** node(x)·scale + offset as one node. */
export function scaleOutput<N extends LinearNode>(node: N, scale: Weight, offset: Weight): N {
  const before = weightOf(node)
  const channel = outputChannelOf(node)
  const data = before.data.map((w, i) => w * at(scale, channel(i)))
  const bias = new Float32Array(outputChannels(node)).map((_, c) => (node.bias ? node.bias.data[c]! : 0) * at(scale, c) + at(offset, c))
  return withWeight(node, { shape: before.shape, data }, { shape: [bias.length], data: bias })
}

/** node(x·scale + offset) as one node; exact only where no padding is between, or the offset is zero. */
export function scaleInput<N extends LinearNode>(node: N, scale: Weight, offset: Weight): N {
  const before = weightOf(node)
  const from = inputChannelOf(node)
  const to = outputChannelOf(node)
  const data = before.data.map((w, i) => w * at(scale, from(i)))
  const sums = Float64Array.from({ length: outputChannels(node) }, (_, c) => (node.bias ? node.bias.data[c]! : 0))
  before.data.forEach((w, i) => (sums[to(i)]! += w * at(offset, from(i))))
  return withWeight(node, { shape: before.shape, data }, { shape: [sums.length], data: Float32Array.from(sums) })
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

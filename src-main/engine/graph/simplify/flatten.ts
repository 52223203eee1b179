import { weight } from '../build.ts'
import type { GraphNode, NodeOf, Weight } from '../graph.ts'
import { sizePerImage } from '../graph.ts'
import type { Draft } from './draft.ts'
import { bypass, fuse, onlyConsumer, operationOf, remove, replace } from './draft.ts'
import { at, permuteInput, reverseInput } from './linear.ts'
import type { Rewrite } from './rewrite.ts'

/** Channels in reverse order, into what comes next; also past the flattening of an image. */
export const foldReverse: Rewrite = (draft, node) => {
  if (node.op !== 'reverse' || node.axes.length !== 1 || node.axes[0] !== node.shape.length - 1) return false
  const next = onlyConsumer(draft, node.name)
  const channels = node.shape[node.shape.length - 1]!
  const flattened = next?.op === 'reshape' && next.shape.length === 2 ? onlyConsumer(draft, next.name) : null
  if (flattened?.op === 'dense') {
    replace(draft, reverseInput(flattened, channels))
    bypass(draft, node)
    return true
  }
  if (next?.op !== 'dense' && (next?.op !== 'conv2d' || next.groups !== 1)) return false
  fuse(draft, node, next, operationOf(reverseInput(next, channels)))
  return true
}

/** An affine map moves past the flattening of an image, so that the dense node behind can take it. */
export const affinePastFlatten: Rewrite = (draft, node) => {
  if (node.op !== 'affine') return false
  const next = onlyConsumer(draft, node.name)
  if (next?.op !== 'reshape' || next.shape.length !== 2 || onlyConsumer(draft, next.name)?.op !== 'dense') return false
  const size = sizePerImage(next.shape)
  const channels = node.shape[node.shape.length - 1]!
  const spread = (vector: Weight): Weight => weight([size], Float32Array.from({ length: size }, (_, i) => at(vector, i % channels)))
  replace(draft, { ...next, name: node.name, inputs: node.inputs, layers: [] })
  replace(draft, { op: 'affine', name: next.name, inputs: [node.name], shape: next.shape, layers: [...node.layers, ...next.layers], scale: spread(node.scale), offset: spread(node.offset) })
  return true
}

/**
 * The file flattens an image channels first and ours is channels last: the rows of the matrix behind are put in our order
 * instead of the image in the file's. Activations and affine maps may stand between.
 */
export const permuteFlattened: Rewrite = (draft, node) => {
  if (node.op !== 'transpose') return false
  const flat = onlyConsumer(draft, node.name)
  if (flat?.op !== 'reshape' || flat.shape.length !== 2) return false
  // one image alone may have its axis of one element anywhere
  const alone = flat.shape[0] === 1 && node.shape.every((n) => n > 0)
  if (!alone && (node.permutation[0] !== 0 || flat.shape[0] !== node.shape[0])) return false
  const between = elementwiseAfter(draft, flat)
  const dense = onlyConsumer(draft, (between.at(-1) ?? flat).name)
  if (dense?.op !== 'dense') return false
  const order = sourceOrder(node, alone ? 0 : 1)
  for (const step of between) {
    if (step.op === 'affine') replace(draft, { ...step, scale: reordered(step.scale, order), offset: reordered(step.offset, order) })
  }
  replace(draft, permuteInput(dense, order))
  replace(draft, { ...flat, inputs: node.inputs })
  remove(draft, node.name)
  return true
}

function elementwiseAfter(draft: Draft, start: GraphNode): GraphNode[] {
  const found: GraphNode[] = []
  for (let next = onlyConsumer(draft, start.name); next?.op === 'unary' || next?.op === 'affine'; next = onlyConsumer(draft, next.name)) found.push(next)
  return found
}

/** Where each element of one transposed image, in order, stood before. @param first axis that belongs to an image */
function sourceOrder(node: NodeOf<'transpose'>, first: number): Int32Array {
  const before: number[] = []
  node.permutation.forEach((from, to) => (before[from] = node.shape[to]!))
  let order = Int32Array.of(0)
  node.permutation.slice(first).forEach((from) => {
    const n = before[from]!
    const stride = before.slice(from + 1).reduce((product, m) => product * m, 1)
    const grown = new Int32Array(order.length * n)
    order.forEach((base, i) => {
      for (let k = 0; k < n; k++) grown[i * n + k] = base + k * stride
    })
    order = grown
  })
  return order
}

function reordered(vector: Weight, order: Int32Array): Weight {
  if (vector.data.length === 1) return vector
  const data = new Float32Array(vector.data.length)
  order.forEach((to, from) => (data[to] = vector.data[from]!))
  return { shape: vector.shape, data }
}

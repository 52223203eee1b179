import { weight } from '../build.ts'
import type { GraphNode, NodeOf, Operation, Weight } from '../graph.ts'
import { hasPads, sizePerImage } from '../graph.ts'
import { isFusable } from '../tfjs/activation-gradient.ts'
import type { Draft } from './draft.ts'
import { find, fuse, onlyConsumer, operationOf, replace } from './draft.ts'
import { at, isLinear, reverseInput, scaleInput, scaleOutput } from './linear.ts'

/** One rewrite of two neighbours; returns whether it did anything. */
type Rewrite = (draft: Draft, node: GraphNode) => boolean

/** Applies the rewrites until none does anything more; returns how often each did. */
export function rewriteAll(draft: Draft, rewrites: readonly Rewrite[]): number[] {
  const counts = rewrites.map(() => 0)
  for (let again = true; again; ) {
    again = false
    for (const { name } of draft.nodes) {
      const node = draft.nodes.find((n) => n.name === name)
      if (!node) continue
      const done = rewrites.findIndex((rewrite) => rewrite(draft, node))
      if (done >= 0) {
        counts[done]!++
        again = true
      }
    }
  }
  return counts
}

/** An explicit zero padding becomes the pads of the convolution after it. */
export const mergePads: Rewrite = (draft, node) => {
  if (node.op !== 'pad' || node.mode !== 'constant' || node.value !== 0) return false
  const next = onlyConsumer(draft, node.name)
  if (!next || (next.op !== 'conv2d' && next.op !== 'depthwiseConv2d') || next.padValue) return false
  const [batch, vertical, horizontal, channels] = node.paddings
  if (node.paddings.flat().some((n) => n < 0) || [...batch!, ...channels!].some((n) => n !== 0)) return false
  const pads = {
    top: next.pads.top + vertical![0], bottom: next.pads.bottom + vertical![1],
    left: next.pads.left + horizontal![0], right: next.pads.right + horizontal![1],
  }
  fuse(draft, node, next, { ...operationOf(next), pads } as Operation)
  return true
}

/** Arithmetic with a constant per channel is an affine map; bounds by constants are clips. */
export const constantOperand: Rewrite = (draft, node) => {
  if (node.op !== 'binary') return false
  const [a, b] = node.inputs.map((name) => find(draft, name))
  const constant = b!.op === 'constant' ? b : a!.op === 'constant' ? a : null
  const other = constant === b ? a! : b!
  if (constant?.op !== 'constant' || other.op === 'constant') return false
  if (other.shape.length !== node.shape.length || other.shape.some((n, i) => n !== node.shape[i])) return false
  const channels = node.shape[node.shape.length - 1]!
  const { shape, data } = constant.value
  const scalar = data.length === 1
  if (!scalar && !(data.length === channels && shape[shape.length - 1] === channels)) return false
  const vector = (f: (v: number) => number): Weight => weight([channels], Array.from({ length: channels }, (_, c) => f(at(constant.value, c))))
  const constantFirst = constant === a
  const become = (scale: Weight, offset: Weight): boolean => {
    replace(draft, node.name, { name: node.name, shape: node.shape, layers: node.layers, inputs: [other.name], op: 'affine', scale, offset })
    return true
  }
  switch (node.function) {
    case 'add':
      return become(vector(() => 1), vector((v) => v))
    case 'subtract':
      return constantFirst ? become(vector(() => -1), vector((v) => v)) : become(vector(() => 1), vector((v) => -v))
    case 'multiply':
      return become(vector((v) => v), vector(() => 0))
    case 'divide':
      return !constantFirst && become(vector((v) => 1 / v), vector(() => 0))
    case 'maximum':
      return scalar && clipWith(draft, node, other, data[0]!, Infinity)
    case 'minimum':
      return scalar && clipWith(draft, node, other, -Infinity, data[0]!)
    default:
      return false
  }
}

/** max(x, 0) is a ReLU, min(ReLU(x), c) a ReLU with a limit. */
function clipWith(draft: Draft, node: GraphNode, x: GraphNode, min: number, max: number): boolean {
  const base = { name: node.name, shape: node.shape, layers: node.layers, op: 'unary' } as const
  const isRelu = x.op === 'unary' && x.function.kind === 'relu' && x.function.max === null
  if (min === 0 && max === Infinity) replace(draft, node.name, { ...base, inputs: [x.name], function: { kind: 'relu', max: null } })
  else if (isRelu && min === -Infinity && max > 0 && onlyConsumer(draft, x.name)) {
    replace(draft, node.name, { ...base, inputs: x.inputs, layers: [...x.layers, ...node.layers], function: { kind: 'relu', max } })
    draft.nodes = draft.nodes.filter((n) => n.name !== x.name)
  } else replace(draft, node.name, { ...base, inputs: [x.name], function: { kind: 'clip', min, max } })
  return true
}

/** A clip from zero is a ReLU with a limit. */
export const clipIsRelu: Rewrite = (draft, node) => {
  if (node.op !== 'unary' || node.function.kind !== 'clip' || node.function.min !== 0) return false
  const { max } = node.function
  replace(draft, node.name, { ...node, function: { kind: 'relu', max: Number.isFinite(max) ? max : null } })
  return true
}

/** Batch normalisation and the like, into the convolution or dense node before it. */
export const foldIntoPrevious: Rewrite = (draft, node) => {
  if (!isLinear(node) || node.activation) return false
  const next = onlyConsumer(draft, node.name)
  if (next?.op !== 'affine') return false
  fuse(draft, node, next, operationOf(scaleOutput(node, next.scale, next.offset)))
  return true
}

/** Two affine maps in a row are one. */
export const composeAffines: Rewrite = (draft, node) => {
  if (node.op !== 'affine') return false
  const next = onlyConsumer(draft, node.name)
  if (next?.op !== 'affine') return false
  const channels = next.shape[next.shape.length - 1]!
  const scale = Float32Array.from({ length: channels }, (_, c) => at(node.scale, c) * at(next.scale, c))
  const offset = Float32Array.from({ length: channels }, (_, c) => at(node.offset, c) * at(next.scale, c) + at(next.offset, c))
  fuse(draft, node, next, { op: 'affine', scale: weight([channels], scale), offset: weight([channels], offset) })
  return true
}

/** An affine map into the convolution or dense node after it, where zeros of padding do not come between. */
export const foldIntoNext: Rewrite = (draft, node) => {
  if (node.op !== 'affine') return false
  const next = onlyConsumer(draft, node.name)
  if (!next || !isLinear(next)) return false
  if (next.op !== 'dense' && hasPads(next.pads) && node.offset.data.some((v) => v !== 0)) return false
  fuse(draft, node, next, operationOf(scaleInput(next, node.scale, node.offset)))
  return true
}

/** Channels in reverse order, likewise; also past the flattening of an image. */
export const foldReverse: Rewrite = (draft, node) => {
  if (node.op !== 'reverse' || node.axes.length !== 1 || node.axes[0] !== node.shape.length - 1) return false
  const next = onlyConsumer(draft, node.name)
  const channels = node.shape[node.shape.length - 1]!
  const flattened = next?.op === 'reshape' && next.shape.length === 2 ? onlyConsumer(draft, next.name) : null
  if (flattened?.op === 'dense') {
    replace(draft, flattened.name, reverseInput(flattened, channels))
    replace(draft, next!.name, { ...next!, inputs: node.inputs })
    draft.nodes = draft.nodes.filter((n) => n !== node)
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
  const flat: GraphNode = { ...next, name: node.name, inputs: node.inputs, layers: [] }
  const scaled: NodeOf<'affine'> = { op: 'affine', name: next.name, inputs: [node.name], shape: next.shape, layers: [...node.layers, ...next.layers], scale: spread(node.scale), offset: spread(node.offset) }
  replace(draft, node.name, flat)
  replace(draft, next.name, scaled)
  return true
}

/** Activations that the backends' fused kernels know ride on the convolution or dense node before them. */
export const fuseActivation: Rewrite = (draft, node) => {
  if ((!isLinear(node) && node.op !== 'conv2dTranspose') || node.activation) return false
  const next = onlyConsumer(draft, node.name)
  if (next?.op !== 'unary' || !isFusable(next.function)) return false
  fuse(draft, node, next, { ...operationOf(node), activation: next.function } as Operation)
  return true
}

/** Reshapes to the shape that is there already, and all but the last of several in a row. */
export const dropReshapes: Rewrite = (draft, node) => {
  if (node.op !== 'reshape') return false
  const before = find(draft, node.inputs[0]!)
  if (before.op === 'reshape') {
    replace(draft, node.name, { ...node, inputs: before.inputs })
    if (!draft.nodes.some((n) => n.inputs.includes(before.name)) && draft.output !== before.name) draft.nodes = draft.nodes.filter((n) => n !== before)
    return true
  }
  if (before.op === 'input' || before.shape.length !== node.shape.length || before.shape.some((n, i) => n !== node.shape[i])) return false
  draft.nodes = draft.nodes
    .filter((n) => n !== node)
    .map((n) => ({ ...n, inputs: n.inputs.map((i) => (i === node.name ? before.name : i)) }) as GraphNode)
  if (draft.output === node.name) draft.output = before.name
  return true
}

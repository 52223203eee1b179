import { weight } from '../build.ts'
import type { GraphNode, NodeOf, Weight } from '../graph.ts'
import { hasPads } from '../graph.ts'
import type { Draft } from './draft.ts'
import { bypass, find, fuse, onlyConsumer, operationOf, replace, sameShape, supplant } from './draft.ts'
import { at, isLinear, scaleInput, scaleOutput } from './linear.ts'
import type { Rewrite } from './rewrite.ts'

/** Elements of an affine map's vectors: beyond it a single number is not worth being repeated. */
const LARGEST_VECTOR = 2 ** 20

/** Arithmetic with a constant per channel is an affine map; bounds by constants are clips. */
export const constantOperand: Rewrite = (draft, node) => {
  if (node.op !== 'binary') return false
  const [a, b] = node.inputs.map((name) => find(draft, name))
  const constant = b!.op === 'constant' ? b : a!.op === 'constant' ? a : null
  const other = constant === b ? a! : b!
  if (constant?.op !== 'constant' || other.op === 'constant' || !sameShape(other.shape, node.shape)) return false
  const channels = node.shape[node.shape.length - 1] ?? 0
  const { shape, data } = constant.value
  const scalar = data.length === 1
  if (channels < 1 || channels > LARGEST_VECTOR || (!scalar && !(data.length === channels && shape[shape.length - 1] === channels))) return false
  const vector = (f: (v: number) => number): Weight => weight([channels], Array.from({ length: channels }, (_, c) => f(at(constant.value, c))))
  const constantFirst = constant === a
  const become = (scale: Weight, offset: Weight): boolean => {
    supplant(draft, node, { op: 'affine', scale, offset }, [other.name])
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
  const isRelu = x.op === 'unary' && x.function.kind === 'relu' && x.function.max === null
  if (min === 0 && max === Infinity) supplant(draft, node, { op: 'unary', function: { kind: 'relu', max: null } }, [x.name])
  else if (isRelu && min === -Infinity && max > 0 && onlyConsumer(draft, x.name)) supplant(draft, node, { op: 'unary', function: { kind: 'relu', max } }, x.inputs)
  else supplant(draft, node, { op: 'unary', function: { kind: 'clip', min, max } }, [x.name])
  return true
}

/** A clip from zero is a ReLU with a limit. */
export const clipIsRelu: Rewrite = (draft, node) => {
  if (node.op !== 'unary' || node.function.kind !== 'clip' || node.function.min !== 0) return false
  const { max } = node.function
  if (max <= 0) return false
  replace(draft, { ...node, function: { kind: 'relu', max: Number.isFinite(max) ? max : null } })
  return true
}

/**
 * Batch normalisation and the like, into the convolution or dense node before it. Several in a row become one first, so that large
 * weights are scaled once.
 */
export const foldIntoPrevious: Rewrite = (draft, node) => {
  if (!isLinear(node) || node.activation) return false
  const next = onlyConsumer(draft, node.name)
  if (next?.op !== 'affine') return false
  const after = onlyConsumer(draft, next.name)
  if (after?.op === 'affine') {
    composed(draft, next, after)
    return true
  }
  fuse(draft, node, next, operationOf(scaleOutput(node, next.scale, next.offset)))
  return true
}

/** Two affine maps in a row are one. */
export const composeAffines: Rewrite = (draft, node) => {
  if (node.op !== 'affine') return false
  const next = onlyConsumer(draft, node.name)
  if (next?.op !== 'affine') return false
  composed(draft, node, next)
  return true
}

function composed(draft: Draft, first: NodeOf<'affine'>, second: NodeOf<'affine'>): void {
  const channels = second.shape[second.shape.length - 1]!
  const scale = Float32Array.from({ length: channels }, (_, c) => at(first.scale, c) * at(second.scale, c))
  const offset = Float32Array.from({ length: channels }, (_, c) => at(first.offset, c) * at(second.scale, c) + at(second.offset, c))
  fuse(draft, first, second, { op: 'affine', scale: weight([channels], scale), offset: weight([channels], offset) })
}

/** An affine map that changes nothing. */
export const dropIdentityAffine: Rewrite = (draft, node) => {
  if (node.op !== 'affine' || node.scale.data.some((v) => v !== 1) || node.offset.data.some((v) => v !== 0)) return false
  bypass(draft, node)
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

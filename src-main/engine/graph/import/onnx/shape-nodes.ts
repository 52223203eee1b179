import type { OnnxNode } from '../../onnx-format/schema.ts'
import { axisOf, hasAttribute, int, ints, nameOf, text, unsupported } from './attributes.ts'
import type { NodeImporter, OnnxContext } from './context.ts'
import { permuted } from './permute.ts'
import { reshaped, resolveTarget } from './reshape.ts'
import type { OnnxValue } from './value.ts'
import { hasBatch, knownVector, naturalOrder } from './value.ts'

const reshape: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const target = [...context.known(node, inputs[1], 'the shape').data]
  return reshaped(node, x, resolveTarget(node, x, target, int(node, 'allowzero', 0) === 1, context), context)
}

const flatten: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const shape = context.shape(x)
  const stated = int(node, 'axis', 1)
  const axis = stated < 0 ? stated + shape.length : stated
  if (axis < 0 || axis > shape.length) throw unsupported(node, `axis ${stated} of ${shape.length}`)
  const product = (sizes: readonly number[]): number => sizes.reduce((p, n) => p * n, 1)
  return reshaped(node, x, [product(shape.slice(0, axis)), product(shape.slice(axis))], context)
}

/** An attribute in older operator sets, an input in newer ones. */
function axesOf(node: OnnxNode, input: OnnxValue | undefined, context: OnnxContext): readonly number[] | null {
  if (input !== undefined) return [...context.known(node, input, 'the axes').data]
  return hasAttribute(node, 'axes') ? ints(node, 'axes') : null
}

const squeeze: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const shape = context.shape(x)
  const stated = axesOf(node, inputs[1], context)
  if (stated === null && context.fixedBatch === 1 && hasBatch(shape)) throw unsupported(node, 'of all axes of one element, the batch among them')
  const axes = stated?.map((a) => axisOf(node, a, shape.length)) ?? shape.flatMap((n, i) => (n === 1 ? [i] : []))
  if (axes.some((a) => shape[a] !== 1)) throw unsupported(node, 'of an axis with more than one element')
  return reshaped(node, x, shape.filter((_, i) => !axes.includes(i)), context)
}

const unsqueeze: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const shape = context.shape(x)
  const stated = axesOf(node, inputs[1], context)
  if (stated === null) throw unsupported(node, 'the axes are missing')
  const rank = shape.length + stated.length
  const axes = stated.map((a) => axisOf(node, a, rank))
  if (new Set(axes).size !== axes.length) throw unsupported(node, 'an axis comes twice')
  const rest = [...shape]
  return reshaped(node, x, naturalOrder(rank).map((axis) => (axes.includes(axis) ? 1 : rest.shift()!)), context)
}

/** Only says anew which axis is which; data moves where another node needs it to. */
export function transposed(node: OnnxNode, x: OnnxValue, permutation: readonly number[], context: OnnxContext): OnnxValue {
  const rank = context.shape(x).length
  const axes = new Set(permutation.map((a) => axisOf(node, a, rank)))
  if (permutation.length !== rank || axes.size !== rank) throw unsupported(node, `permutation [${permutation.join(', ')}] of ${rank} axes`)
  if (x.kind === 'known') {
    const shape = permutation.map((axis) => x.shape[axis]!)
    return { ...x, shape, data: permuted(x.data, x.shape, permutation) }
  }
  return { ...x, order: x.order.map((axis) => permutation.indexOf(axis)) }
}

const transpose: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const rank = context.shape(x).length
  const result = transposed(node, x, ints(node, 'perm', naturalOrder(rank).reverse()), context)
  if (result.kind === 'node') context.builder.alias(nameOf(node), result.ref)
  return result
}

const shape: NodeImporter = (node, inputs, context) => {
  const sizes = context.shape(context.required(node, inputs[0], 'the data'))
  const bound = (name: string, fallback: number): number => {
    const stated = int(node, name, fallback)
    return Math.min(sizes.length, Math.max(0, stated < 0 ? stated + sizes.length : stated))
  }
  return knownVector(sizes.slice(bound('start', 0), bound('end', sizes.length)))
}

const size: NodeImporter = (node, inputs, context) => {
  const sizes = context.shape(context.required(node, inputs[0], 'the data'))
  return { ...knownVector([sizes.reduce((p, n) => p * n, 1)]), shape: [] }
}

/** Splits axes, swaps the parts, joins axes. */
function rearranged(node: OnnxNode, x: OnnxValue, split: readonly number[], permutation: readonly number[], joined: readonly number[], context: OnnxContext): OnnxValue {
  return reshaped(node, transposed(node, reshaped(node, x, split, context, 'split'), permutation, context), joined, context)
}

function blockOf(node: OnnxNode, value: OnnxValue, context: OnnxContext): { sizes: readonly [number, number, number, number]; block: number } {
  const sizes = context.shape(value)
  const block = int(node, 'blocksize', 0)
  if (sizes.length !== 4 || block < 1) throw unsupported(node, `blocks of ${block} in ${sizes.length} axes`)
  return { sizes: sizes as [number, number, number, number], block }
}

const depthToSpace: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const { sizes: [n, c, h, w], block } = blockOf(node, x, context)
  const out = c / (block * block)
  if (!Number.isInteger(out)) throw unsupported(node, `blocks of ${block} in ${c} channels`)
  const columnRow = text(node, 'mode', 'DCR') === 'CRD'
  const split = columnRow ? [n, out, block, block, h, w] : [n, block, block, out, h, w]
  return rearranged(node, x, split, columnRow ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2], [n, out, h * block, w * block], context)
}

const spaceToDepth: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const { sizes: [n, c, h, w], block } = blockOf(node, x, context)
  if (h % block !== 0 || w % block !== 0) throw unsupported(node, `blocks of ${block} in ${h}×${w}`)
  const split = [n, c, h / block, block, w / block, block]
  return rearranged(node, x, split, [0, 3, 5, 1, 2, 4], [n, c * block * block, h / block, w / block], context)
}

export const shapeNodes: Record<string, NodeImporter> = {
  Reshape: reshape, Flatten: flatten, Squeeze: squeeze, Unsqueeze: unsqueeze, Transpose: transpose, Shape: shape, Size: size,
  DepthToSpace: depthToSpace, SpaceToDepth: spaceToDepth,
}

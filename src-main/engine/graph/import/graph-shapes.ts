import type { Shape } from '../graph.ts'
import { sizePerImage } from '../graph.ts'
import type { GraphContext, NodeImporter, Value } from './graph-context.ts'
import type { RawNode } from './graph-nodes.ts'
import { booleanOf, numberOf, numbersOf, textOf, unsupported } from './graph-nodes.ts'
import { vector } from './static-values.ts'

function axis(value: number, rank: number): number {
  return value < 0 ? value + rank : value
}

function reshapeTo(node: RawNode, x: Value, rest: readonly number[], context: GraphContext): Value {
  return context.add(node, { op: 'reshape' }, [x], [-1, ...rest])
}

/** Images stay apart: the first dimension of the target is the batch, and the others hold one image. */
const reshape: NodeImporter = (node, inputs, context) => {
  const target = [...context.known(node, inputs[1], 'the shape').data]
  const size = sizePerImage(context.shapeOf(inputs[0]!))
  const [first, ...rest] = target
  const known = rest.reduce((product, n) => (n < 0 ? product : product * n), 1)
  const resolved = rest.map((n) => (n < 0 ? size / known : n))
  const fits = resolved.reduce((product, n) => product * n, 1) === size && resolved.every((n) => Number.isInteger(n) && n > 0)
  if (!fits || (first! > 1)) throw unsupported(node, `to [${target.join(', ')}]`)
  return reshapeTo(node, inputs[0]!, resolved, context)
}

const squeeze: NodeImporter = (node, inputs, context) => {
  const shape = context.shapeOf(inputs[0]!)
  const stated = [...numbersOf(node, 'squeeze_dims'), ...numbersOf(node, 'axis')].map((a) => axis(a, shape.length))
  const dropped = stated.length > 0 ? stated : shape.map((_, i) => i).filter((i) => shape[i] === 1)
  if (dropped.includes(0)) throw unsupported(node, 'of the batch')
  return reshapeTo(node, inputs[0]!, shape.slice(1).filter((_, i) => !dropped.includes(i + 1)), context)
}

const expandDims: NodeImporter = (node, inputs, context) => {
  const shape = context.shapeOf(inputs[0]!)
  const at = axis(context.known(node, inputs[1], 'the axis').data[0]!, shape.length + 1)
  if (at === 0) throw unsupported(node, 'before the batch')
  return reshapeTo(node, inputs[0]!, [...shape.slice(1, at), 1, ...shape.slice(at)], context)
}

function reduce(fn: 'mean' | 'sum' | 'max' | 'min'): NodeImporter {
  return (node, inputs, context) => {
    const rank = context.shapeOf(inputs[0]!).length
    const axes = [...context.known(node, inputs[1], 'the axes').data].map((a) => axis(a, rank)).sort((a, b) => a - b)
    if (axes.includes(0)) throw unsupported(node, 'over the batch')
    return context.add(node, { op: 'reduce', function: fn, axes, keepDims: booleanOf(node, 'keep_dims') }, [inputs[0]!])
  }
}

const concat: NodeImporter = (node, inputs, context) => {
  const parts = inputs.slice(0, -1)
  const rank = context.shapeOf(parts[0]!).length
  const at = axis(context.known(node, inputs[inputs.length - 1], 'the axis').data[0]!, rank)
  if (at === 0 || parts.some((p) => 'known' in p)) throw unsupported(node, 'its axis or a constant part')
  return context.add(node, { op: 'concat', axis: at }, parts)
}

function pad(mode: (node: RawNode) => 'constant' | 'reflect' | 'symmetric'): NodeImporter {
  return (node, inputs, context) => {
    const { data } = context.known(node, inputs[1], 'the paddings')
    const paddings = Array.from({ length: data.length / 2 }, (_, i): [number, number] => [data[2 * i]!, data[2 * i + 1]!])
    if (paddings[0]!.some((n) => n !== 0)) throw unsupported(node, 'of the batch')
    const value = node.op === 'PadV2' ? context.known(node, inputs[2], 'the value').data[0]! : 0
    return context.add(node, { op: 'pad', mode: mode(node), paddings, value }, [inputs[0]!])
  }
}

const transpose: NodeImporter = (node, inputs, context) => {
  const permutation = [...context.known(node, inputs[1], 'the permutation').data]
  if (permutation[0] !== 0) throw unsupported(node, 'of the batch')
  return context.add(node, { op: 'transpose', permutation }, [inputs[0]!])
}

function resize(method: 'bilinear' | 'nearest'): NodeImporter {
  return (node, inputs, context) => {
    const size = context.known(node, inputs[1], 'the size').data
    const [n, , , channels] = context.shapeOf(inputs[0]!)
    const operation = { op: 'resize', method, alignCorners: booleanOf(node, 'align_corners'), halfPixelCenters: booleanOf(node, 'half_pixel_centers') } as const
    return context.add(node, operation, [inputs[0]!], [n!, size[0]!, size[1]!, channels!])
  }
}

function sliceOf(node: RawNode, x: Value, begin: readonly number[], shape: Shape, context: GraphContext): Value {
  return context.add(node, { op: 'slice', begin }, [x], shape)
}

const slice: NodeImporter = (node, inputs, context) => {
  const shape = context.shapeOf(inputs[0]!)
  const begin = [...context.known(node, inputs[1], 'begin').data]
  const size = context.known(node, inputs[2], 'size').data
  if (begin[0] !== 0 || size[0]! >= 0) throw unsupported(node, 'of the batch')
  return sliceOf(node, inputs[0]!, begin, shape.map((n, i) => (i === 0 ? -1 : size[i]! < 0 ? n - begin[i]! : size[i]!)), context)
}

const stridedSlice: NodeImporter = (node, inputs, context) => {
  const shape = context.shapeOf(inputs[0]!)
  const [begin, end, strides] = inputs.slice(1, 4).map((v) => [...context.known(node, v, 'its bounds').data])
  const bit = (key: string, i: number): boolean => (numberOf(node, key, 0) & (1 << i)) !== 0
  if (numberOf(node, 'ellipsis_mask', 0) || numberOf(node, 'new_axis_mask', 0) || strides!.some((s) => s !== 1)) throw unsupported(node, 'its masks or strides')
  const from = shape.map((n, i) => (i >= begin!.length || bit('begin_mask', i) ? 0 : axis(begin![i]!, n)))
  const to = shape.map((n, i) => {
    if (bit('shrink_axis_mask', i)) return from[i]! + 1
    return i >= end!.length || bit('end_mask', i) ? n : Math.min(n, axis(end![i]!, n))
  })
  const wholeBatch = (begin!.length === 0 || bit('begin_mask', 0) || begin![0] === 0) && (end!.length === 0 || bit('end_mask', 0)) && !bit('shrink_axis_mask', 0)
  if (!wholeBatch) throw unsupported(node, 'of the batch')
  const size = shape.map((_, i) => (i === 0 ? -1 : to[i]! - from[i]!))
  const shrunk = size.filter((_, i) => !bit('shrink_axis_mask', i))
  if (shrunk.length === size.length) return sliceOf(node, inputs[0]!, from, size, context)
  const part = context.builder.part(node.name, 'slice', { op: 'slice', begin: from }, [context.ref(node, inputs[0])], size)
  return reshapeTo(node, { ref: part }, shrunk.slice(1), context)
}

/** Split: axis, value. */
const split: NodeImporter = (node, inputs, context) => {
  const shape = context.shapeOf(inputs[1]!)
  const at = axis(context.known(node, inputs[0], 'the axis').data[0]!, shape.length)
  const count = numberOf(node, 'num_split', 1)
  if (at === 0) throw unsupported(node, 'of the batch')
  const size = shape[at]! / count
  return Array.from({ length: count }, (_, k) => {
    const begin = shape.map((_, i) => (i === at ? k * size : 0))
    const part = shape.map((n, i) => (i === at ? size : n))
    return { ref: context.builder.part(node.name, String(k), { op: 'slice', begin }, [context.ref(node, inputs[1])], part) }
  })
}

const reverse: NodeImporter = (node, inputs, context) => {
  const rank = context.shapeOf(inputs[0]!).length
  const axes = [...context.known(node, inputs[1], 'the axes').data].map((a) => axis(a, rank))
  if (axes.includes(0)) throw unsupported(node, 'of the batch')
  return context.add(node, { op: 'reverse', axes }, [inputs[0]!])
}

export const shapeNodes: Record<string, NodeImporter> = {
  Reshape: reshape, Squeeze: squeeze, ExpandDims: expandDims, Mean: reduce('mean'), Sum: reduce('sum'), Max: reduce('max'), Min: reduce('min'),
  ConcatV2: concat, Pad: pad(() => 'constant'), PadV2: pad(() => 'constant'),
  MirrorPad: pad((node) => (textOf(node, 'mode', 'REFLECT') === 'SYMMETRIC' ? 'symmetric' : 'reflect')),
  Transpose: transpose, ResizeBilinear: resize('bilinear'), ResizeNearestNeighbor: resize('nearest'), Slice: slice, StridedSlice: stridedSlice,
  Split: split, ReverseV2: reverse,
  Shape: (_node, inputs, context) => ({ known: vector(context.shapeOf(inputs[0]!)) }),
}

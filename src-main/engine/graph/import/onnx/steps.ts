import type { Ref } from '../../build.ts'
import type { Binary, Unary, Weight } from '../../graph.ts'
import { weight } from '../../build.ts'
import type { OnnxNode } from '../../onnx-format/schema.ts'
import { unsupported } from './attributes.ts'
import type { OnnxContext } from './context.ts'
import type { Known, OnnxValue } from './value.ts'
import { knownFloats } from './value.ts'
import { floatsOf } from './weights.ts'

/** The steps of one ONNX node that takes several of ours: the last bears its name, those before are parts of it. */
export interface Steps {
  unary(f: Unary, x: Ref, last?: boolean): Ref
  binary(f: Binary, a: Ref, b: Ref, last?: boolean): Ref
  /** x·scale + offset, the same for all elements. */
  scaled(x: Ref, scale: number, offset: number, last?: boolean): Ref
  reduce(f: 'mean' | 'sum' | 'max' | 'min', x: Ref, axes: readonly number[], keepDims: boolean, last?: boolean): Ref
  number(value: number): Ref
}

export function stepsOf(node: OnnxNode, context: OnnxContext): Steps {
  const put = (part: string, operation: Parameters<OnnxContext['add']>[1], refs: readonly Ref[], last: boolean): Ref =>
    last ? context.add(node, operation, refs) : context.part(node, part, operation, refs)
  const number = (value: number): Ref => context.constant(knownFloats([], Float32Array.of(value)))
  return {
    number,
    unary: (f, x, last = false) => put(f.kind, { op: 'unary', function: f }, [x], last),
    binary: (f, a, b, last = false) => put(f, { op: 'binary', function: f }, [a, b], last),
    reduce: (f, x, axes, keepDims, last = false) => put(f, { op: 'reduce', function: f, axes, keepDims }, [x], last),
    scaled(x, scale, offset, last = false) {
      const channels = context.builder.shapeOf(x).at(-1) ?? 0
      if (channels > 0 && channels <= LARGEST_VECTOR) return put('scaled', { op: 'affine', scale: repeated(scale, channels), offset: repeated(offset, channels) }, [x], last)
      // along the batch there is no vector of channels, and a huge one is not worth its memory
      const product = offset === 0 ? x : put('scaled', { op: 'binary', function: 'multiply' }, [x, number(scale)], false)
      return put('shifted', { op: 'binary', function: offset === 0 ? 'multiply' : 'add' }, [product, number(offset === 0 ? scale : offset)], last)
    },
  }
}

/** Elements of an affine map's vectors. */
const LARGEST_VECTOR = 2 ** 20

export function repeated(value: number, count: number): Weight {
  return weight([count], new Float32Array(count).fill(value))
}

/** The value as it lies. */
export function asStored(value: OnnxValue, context: OnnxContext): { ref: Ref; order: readonly number[] } {
  const { refs, order } = context.alignment([value])
  return { ref: refs[0]!, order }
}

/**
 * x·scale + offset with one number each per element of an axis: an affine map where that axis is stored last, else a product and a sum.
 * @param part named so where the result is a step inside of the node
 */
export function scaledAlong(node: OnnxNode, x: OnnxValue, axis: number, scale: Weight, offset: Weight | null, context: OnnxContext, part?: string): OnnxValue {
  const { ref, order } = asStored(x, context)
  const put = (operation: Parameters<OnnxContext['add']>[1], refs: readonly Ref[], inner?: string): Ref =>
    inner !== undefined || part !== undefined ? context.part(node, inner ?? part!, operation, refs) : context.add(node, operation, refs)
  const count = context.shape(x)[axis]!
  if (scale.data.length !== count || (offset && offset.data.length !== count)) throw unsupported(node, `${offset?.data.length ?? scale.data.length} numbers for ${count} channels`)
  if (order[order.length - 1] === axis) {
    return context.value(put({ op: 'affine', scale, offset: offset ?? repeated(0, count) }, [ref]), order)
  }
  const rank = order.length
  const spread = ({ data }: Weight): Known => knownFloats(Array.from({ length: rank - axis }, (_, i) => (i === 0 ? count : 1)), data)
  const times = context.alignment([context.value(ref, order), spread(scale)])
  const product = put({ op: 'binary', function: 'multiply' }, times.refs, offset ? 'scaled' : undefined)
  if (!offset) return context.value(product, times.order)
  const plus = context.alignment([context.value(product, times.order), spread(offset)])
  return context.value(put({ op: 'binary', function: 'add' }, plus.refs), plus.order)
}

/** A known vector as a weight. */
export function vectorWeight(known: Known): Weight {
  return { shape: [known.data.length], data: floatsOf(known) }
}

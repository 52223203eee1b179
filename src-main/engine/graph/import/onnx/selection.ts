import type { Ref } from '../../build.ts'
import type { Operation, Shape } from '../../graph.ts'
import type { OnnxNode } from '../../onnx-format/schema.ts'
import { nameOf, unsupported } from './attributes.ts'
import type { OnnxContext } from './context.ts'
import { gathered, stridesOf } from './permute.ts'
import type { Dynamic, Known, OnnxValue } from './value.ts'
import { BATCH } from './value.ts'

/** The elements of one axis that are taken: `count` of them from `start`, `step` apart. */
export interface Walk {
  readonly start: number
  readonly step: number
  readonly count: number
}

interface Step {
  readonly what: string
  readonly operation: Operation
  readonly shape: Shape
}

/**
 * Some elements of each axis, evenly spaced.
 * @param part names a step inside of the node, where this is not what ends it
 */
export function windowed(node: OnnxNode, x: OnnxValue, walks: readonly Walk[], context: OnnxContext, part?: string): OnnxValue {
  const shape = context.shape(x)
  if (x.kind === 'known') {
    const strides = stridesOf(x.shape)
    const sizes = walks.map((w) => w.count)
    context.allow(node, sizes.reduce((p, n) => p * n, 1))
    const offset = walks.reduce((sum, w, i) => sum + (w.count > 0 ? w.start : 0) * strides[i]!, 0)
    return { ...x, shape: sizes, data: gathered(x.data, sizes, walks.map((w, i) => w.step * strides[i]!), offset) }
  }
  for (const [i, w] of walks.entries()) {
    if (isBatch(shape[i]!) && (w.start !== 0 || w.step !== 1 || w.count !== shape[i])) throw unsupported(node, 'of a part of the batch')
  }
  const near = walks.map((w, i) => (Math.abs(w.step) === 1 ? w : { start: 0, step: 1, count: shape[i]! }))
  const steps: Step[] = []
  const sizes = near.map((w) => w.count)
  if (near.some((w, i) => w.count !== shape[i])) {
    const begin = near.map((w) => (w.count === 0 || w.step === 1 ? w.start : w.start - w.count + 1))
    steps.push({ what: 'slice', operation: { op: 'slice', begin: x.order.map((a) => begin[a]!) }, shape: x.order.map((a) => sizes[a]!) })
  }
  const backward = near.flatMap((w, axis) => (w.step === -1 && w.count > 1 ? [x.order.indexOf(axis)] : []))
  if (backward.length > 0) steps.push({ what: 'reverse', operation: { op: 'reverse', axes: backward }, shape: x.order.map((a) => sizes[a]!) })
  for (const [axis, w] of walks.entries()) {
    if (Math.abs(w.step) === 1) continue
    context.allow(node, 128 * w.count)
    steps.push(take(x, axis, Array.from({ length: w.count }, (_, k) => w.start + k * w.step), sizes))
  }
  return inSteps(node, x, steps, context, part)
}

/** Elements of each axis by index; null takes an axis as it is. */
export function picked(node: OnnxNode, x: OnnxValue, indices: readonly (readonly number[] | null)[], context: OnnxContext, part?: string): OnnxValue {
  if (x.kind === 'known') return indices.reduce<Known>((value, list, axis) => (list === null ? value : pickedKnown(node, value, axis, list, context)), x)
  const sizes = context.shape(x)
  const steps = indices.flatMap((list, axis) => {
    if (list === null) return []
    if (isBatch(sizes[axis]!)) throw unsupported(node, 'of a part of the batch')
    return [take(x, axis, list, sizes)]
  })
  return inSteps(node, x, steps, context, part)
}

/** Elements of one axis by index, as a slice where they lie side by side. */
export function selected(node: OnnxNode, x: OnnxValue, axis: number, indices: readonly number[], context: OnnxContext, part?: string): OnnxValue {
  const shape = context.shape(x)
  const adjoining = indices.length > 0 && indices.every((n, i) => n === indices[0]! + i)
  if (adjoining) {
    const walks = shape.map((size, i) => (i === axis ? { start: indices[0]!, step: 1, count: indices.length } : { start: 0, step: 1, count: size }))
    return windowed(node, x, walks, context, part)
  }
  return picked(node, x, shape.map((_, i) => (i === axis ? indices : null)), context, part)
}

function take(x: Dynamic, axis: number, indices: readonly number[], sizes: number[]): Step {
  sizes[axis] = indices.length
  const operation = { op: 'gather', axis: x.order.indexOf(axis), indices } as const
  return { what: `elements-${axis}`, operation, shape: x.order.map((a) => sizes[a]!) }
}

/** One node after the other; the last one ends the file's node unless `part` says that it is a step. */
function inSteps(node: OnnxNode, x: Dynamic, steps: readonly Step[], context: OnnxContext, part: string | undefined): OnnxValue {
  if (steps.length === 0 && part === undefined) context.builder.alias(nameOf(node), x.ref)
  let ref: Ref = x.ref
  for (const [i, { what, operation, shape }] of steps.entries()) {
    const last = i === steps.length - 1
    if (last && part === undefined) ref = context.add(node, operation, [ref], shape)
    else ref = context.part(node, last ? part! : part === undefined ? what : `${part}-${what}`, operation, [ref], shape)
  }
  return { ...x, ref }
}

function pickedKnown(node: OnnxNode, x: Known, axis: number, indices: readonly number[], context: OnnxContext): Known {
  const shape = x.shape.map((n, i) => (i === axis ? indices.length : n))
  const size = shape.reduce((p, n) => p * n, 1)
  context.allow(node, size)
  const inner = x.shape.slice(axis + 1).reduce((p, n) => p * n, 1)
  const runs = x.shape.slice(0, axis).reduce((p, n) => p * n, 1)
  const data = x.data instanceof Float32Array ? new Float32Array(size) : new Float64Array(size)
  let at = 0
  for (let run = 0; run < runs; run++) {
    for (const index of indices) {
      const from = (run * x.shape[axis]! + index) * inner
      data.set(x.data.subarray(from, from + inner), at)
      at += inner
    }
  }
  return { ...x, shape, data }
}

function isBatch(size: number): boolean {
  return size > 0 && size % BATCH === 0
}

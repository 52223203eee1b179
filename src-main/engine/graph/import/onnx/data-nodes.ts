import type { OnnxNode } from '../../onnx-format/schema.ts'
import { axisOf, hasAttribute, int, ints, unsupported } from './attributes.ts'
import type { NodeImporter, OnnxContext } from './context.ts'
import { picked, selected, windowed } from './selection.ts'
import type { Known } from './value.ts'
import { BATCH, hasBatch, naturalOrder } from './value.ts'
import { spread } from './spread.ts'
import { reshaped } from './reshape.ts'

const slice: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const shape = context.shape(x)
  const list = (index: number, what: string, attribute: string): readonly number[] | null => {
    if (inputs[index] !== undefined) return [...context.known(node, inputs[index], what).data]
    return hasAttribute(node, attribute) ? ints(node, attribute) : null
  }
  const starts = list(1, 'the start', 'starts')
  const ends = list(2, 'the end', 'ends')
  if (starts === null || ends === null) throw unsupported(node, 'its bounds are missing')
  const axes = list(3, 'the axes', 'axes') ?? naturalOrder(starts.length)
  const steps = list(4, 'the steps', 'steps') ?? starts.map(() => 1)
  if (ends.length !== starts.length || axes.length !== starts.length || steps.length !== starts.length) throw unsupported(node, 'with bounds of different lengths')
  const walks = shape.map((size) => ({ start: 0, step: 1, count: size }))
  for (const [i, stated] of axes.entries()) {
    const axis = axisOf(node, stated, shape.length)
    walks[axis] = walkOf(node, shape[axis]!, starts[i]!, ends[i]!, steps[i]!, context.fixedBatch)
  }
  return windowed(node, x, walks, context)
}

/** Which elements of an axis a slice takes. */
function walkOf(node: OnnxNode, size: number, start: number, end: number, step: number, fixedBatch: number | null): { start: number; step: number; count: number } {
  if (!Number.isInteger(step) || step === 0) throw unsupported(node, `step ${step}`)
  if (fixedBatch !== null && size === BATCH && start === 0 && step === 1 && end >= fixedBatch) return { start: 0, step: 1, count: size }
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1]
  const within = (value: number): number => Math.min(high, Math.max(low, value < 0 ? value + size : value))
  const from = within(start)
  return { start: from, step, count: Math.max(0, Math.ceil((within(end) - from) / step)) }
}

const gather: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const shape = context.shape(x)
  const axis = axisOf(node, int(node, 'axis', 0), shape.length)
  const { data, shape: as } = context.known(node, inputs[1], 'the indices')
  const size = shape[axis] ?? 0
  const indices = Array.from(data, (i) => {
    const index = i < 0 ? i + size : i
    if (!Number.isInteger(index) || index < 0 || index >= size) throw unsupported(node, `index ${i} of ${size} elements`)
    return index
  })
  const taken = selected(node, x, axis, indices, context, as.length === 1 ? undefined : 'elements')
  return as.length === 1 ? taken : reshaped(node, taken, [...shape.slice(0, axis), ...as, ...shape.slice(axis + 1)], context)
}

const split: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const shape = context.shape(x)
  const axis = axisOf(node, int(node, 'axis', 0), shape.length)
  const total = shape[axis] ?? 0
  const sizes = inputs[1] !== undefined ? [...context.known(node, inputs[1], 'the sizes').data] : hasAttribute(node, 'split') ? ints(node, 'split') : evenly(node, total)
  if (sizes.reduce((sum, n) => sum + n, 0) !== total || sizes.some((n) => !Number.isInteger(n) || n < 0) || sizes.length < node.outputs.length) {
    throw unsupported(node, `of ${total} elements into [${sizes.join(', ')}]`)
  }
  let start = 0
  return sizes.map((count, k) => {
    const part = { start, step: 1, count }
    start += count
    if (!node.outputs[k]) return undefined
    return windowed(node, x, shape.map((size, i) => (i === axis ? part : { start: 0, step: 1, count: size })), context, sizes.length === 1 ? undefined : `output-${k}`)
  })
}

/** Equal parts; where that does not come out even, the last is smaller. */
function evenly(node: OnnxNode, total: number): number[] {
  const count = int(node, 'num_outputs', node.outputs.length)
  if (count < 1 || count !== node.outputs.length) throw unsupported(node, `into ${count} outputs`)
  const size = Math.ceil(total / count)
  return Array.from({ length: count }, (_, k) => Math.max(0, Math.min(size, total - k * size)))
}

const concat: NodeImporter = (node, inputs, context) => {
  const values = inputs.map((v) => context.required(node, v, 'an input'))
  if (values.length === 0) throw unsupported(node, 'of nothing')
  const shapes = values.map((v) => context.shape(v))
  const rank = shapes[0]!.length
  const axis = axisOf(node, int(node, 'axis', 1), rank)
  const batch = shapes.some(hasBatch)
  const largest = naturalOrder(rank).map((i) => Math.max(...shapes.map((s) => s[i] ?? 0)))
  const fits = (s: readonly number[]): boolean => s.length === rank && s.every((n, i) => i === axis || n === largest[i] || (n === 1 && largest[i] === BATCH))
  if (!shapes.every(fits)) throw unsupported(node, `of ${shapes.map((s) => `[${s.join(', ')}]`).join(' and ')}`)
  if (values.length === 1) return values[0]!
  if (values.every((v) => v.kind === 'known') && !batch) return joined(node, values, axis, context)
  if (shapes.some((s) => s[axis]! > 0 && s[axis]! % BATCH === 0)) throw unsupported(node, 'of the batch')
  const same = values.map((v, i) => {
    const target = largest.map((n, k) => (k === axis ? shapes[i]![k]! : n))
    return target.every((n, k) => n === shapes[i]![k]) ? v : spread(node, v, target, context, `input-${i}`)
  })
  const { order } = context.alignment(same.filter((v) => v.kind === 'node'))
  const parts = same.map((v) => context.stored(v, order))
  return context.value(context.add(node, { op: 'concat', axis: order.indexOf(axis) }, parts), order, values[0]!.type)
}

function joined(node: OnnxNode, values: readonly Known[], axis: number, context: OnnxContext): Known {
  const [a] = values
  const shape = a!.shape.map((n, i) => (i === axis ? values.reduce((sum, v) => sum + v.shape[i]!, 0) : n))
  const size = shape.reduce((p, n) => p * n, 1)
  context.allow(node, size)
  const data = a!.data instanceof Float32Array ? new Float32Array(size) : new Float64Array(size)
  const runs = shape.slice(0, axis).reduce((p, n) => p * n, 1)
  const inner = shape.slice(axis + 1).reduce((p, n) => p * n, 1)
  let at = 0
  for (let run = 0; run < runs; run++) {
    for (const v of values) {
      const length = v.shape[axis]! * inner
      data.set(v.data.subarray(run * length, (run + 1) * length), at)
      at += length
    }
  }
  return { kind: 'known', shape, type: a!.type, data }
}

const expand: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const shape = context.shape(x)
  const stated = [...context.known(node, inputs[1], 'the shape').data]
  const rank = Math.max(shape.length, stated.length)
  const target = naturalOrder(rank).map((axis) => {
    const own = shape[axis - rank + shape.length] ?? 1
    const wanted = stated[axis - rank + stated.length] ?? 1
    if (wanted === 1 || wanted === own || (own === BATCH && wanted === context.fixedBatch)) return own
    if (own !== 1 || !Number.isSafeInteger(wanted) || wanted < 0) throw unsupported(node, `from [${shape.join(', ')}] to [${stated.join(', ')}]`)
    return wanted
  })
  return spread(node, x, target, context)
}

const tile: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const shape = context.shape(x)
  const repeats = [...context.known(node, inputs[1], 'the repeats').data]
  if (repeats.length !== shape.length || repeats.some((n) => !Number.isSafeInteger(n) || n < 0)) throw unsupported(node, `[${repeats.join(', ')}] times`)
  if (x.kind === 'known' && !hasBatch(repeats)) context.allow(node, shape.reduce((product, n, i) => product * n * repeats[i]!, 1))
  const once = repeats.map((n, i) => (shape[i] === 1 ? 1 : n))
  const indices = once.map((n, axis) => (n === 1 ? null : repeated(node, shape[axis]!, n, context)))
  const several = picked(node, x, indices, context, 'repeats')
  const target = context.shape(several).map((n, i) => (shape[i] === 1 ? repeats[i]! : n))
  return spread(node, several, target, context)
}

function repeated(node: OnnxNode, size: number, times: number, context: OnnxContext): number[] {
  if (size % BATCH === 0 && size > 0) throw unsupported(node, 'of the batch')
  context.allow(node, 128 * size * times)
  return Array.from({ length: size * times }, (_, i) => i % size)
}

export const dataNodes: Record<string, NodeImporter> = {
  Slice: slice, Gather: gather, Split: split, Concat: concat, Expand: expand, Tile: tile,
}

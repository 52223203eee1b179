import type { OnnxNode } from '../../onnx-format/schema.ts'
import { axisOf, float, hasAttribute, ints, text, unsupported } from './attributes.ts'
import type { NodeImporter, OnnxContext } from './context.ts'
import { picked, windowed } from './selection.ts'
import type { OnnxValue } from './value.ts'
import { BATCH } from './value.ts'

/** Elements put before and after each axis; less than 0 takes away. */
type Paddings = readonly (readonly [before: number, after: number])[]

const pad: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const rank = context.shape(x).length
  const paddings = paddingsOf(node, inputs, rank, context)
  const mode = text(node, 'mode', 'constant')
  const value = inputs[2] !== undefined ? context.known(node, inputs[2], 'the value').data[0] ?? 0 : float(node, 'value', 0)
  const cut = cropped(node, x, paddings, context)
  const added = paddings.map(([before, after]) => [Math.max(0, before), Math.max(0, after)] as const)
  const shape = context.shape(cut)
  if (shape.some((n, i) => n % BATCH === 0 && n > 0 && (added[i]![0] !== 0 || added[i]![1] !== 0))) throw unsupported(node, 'of the batch')
  context.allow(node, cut.kind === 'known' ? shape.reduce((p, n, i) => p * (n + added[i]![0] + added[i]![1]), 1) : 0)
  if (mode !== 'constant' || cut.kind === 'known') return byIndex(node, cut, added, mode, value, context)
  return context.value(context.add(node, { op: 'pad', mode: 'constant', paddings: cut.order.map((axis) => added[axis]!), value }, [cut.ref]), cut.order, cut.type)
}

function paddingsOf(node: OnnxNode, inputs: readonly (OnnxValue | undefined)[], rank: number, context: OnnxContext): Paddings {
  const stated = inputs[1] !== undefined ? [...context.known(node, inputs[1], 'the pads').data] : hasAttribute(node, 'pads') ? ints(node, 'pads') : null
  if (stated === null) throw unsupported(node, 'its pads are missing')
  const axes = inputs[3] !== undefined ? [...context.known(node, inputs[3], 'the axes').data].map((a) => axisOf(node, a, rank)) : Array.from({ length: rank }, (_, i) => i)
  if (stated.length !== 2 * axes.length || !stated.every(Number.isSafeInteger)) throw unsupported(node, `pads [${stated.join(', ')}] of ${axes.length} axes`)
  return Array.from({ length: rank }, (_, axis) => {
    const at = axes.indexOf(axis)
    return at < 0 ? [0, 0] : [stated[at]!, stated[at + axes.length]!]
  })
}

function cropped(node: OnnxNode, x: OnnxValue, paddings: Paddings, context: OnnxContext): OnnxValue {
  if (paddings.every(([before, after]) => before >= 0 && after >= 0)) return x
  const walks = context.shape(x).map((size, i) => {
    const start = Math.max(0, -paddings[i]![0])
    const count = size - start - Math.max(0, -paddings[i]![1])
    if (count < 0) throw unsupported(node, `pads ${paddings[i]!.join(' and ')} of ${size} elements`)
    return { start, step: 1, count }
  })
  const grows = paddings.some(([before, after]) => before > 0 || after > 0)
  return windowed(node, x, walks, context, grows ? 'crop' : undefined)
}

/** Each axis of the result takes elements of the same axis by index. */
function byIndex(node: OnnxNode, x: OnnxValue, added: Paddings, mode: string, value: number, context: OnnxContext): OnnxValue {
  if (added.every(([before, after]) => before === 0 && after === 0)) return x
  const shape = context.shape(x)
  if (x.kind === 'node' && mode === 'reflect' && fitsReflection(shape, added)) {
    return context.value(context.add(node, { op: 'pad', mode: 'reflect', paddings: x.order.map((axis) => added[axis]!), value: 0 }, [x.ref]), x.order, x.type)
  }
  const indexOf = { constant: inside, reflect: mirrored, edge: clamped, wrap: wrapped }[mode]
  if (!indexOf) throw unsupported(node, `mode ${mode}`)
  const indices = shape.map((size, axis) => {
    const [before, after] = added[axis]!
    if (before === 0 && after === 0) return null
    if (size === 0 && mode !== 'constant') throw unsupported(node, `mode ${mode} of nothing`)
    context.allow(node, 128 * (size + before + after))
    return Array.from({ length: size + before + after }, (_, i) => indexOf(i - before, size))
  })
  if (mode !== 'constant' || x.kind === 'node') return picked(node, x, indices, context)
  return constantPadded(x, indices, value)
}

function fitsReflection(shape: readonly number[], added: Paddings): boolean {
  return shape.length <= 4 && shape.every((size, i) => added[i]![0] < size && added[i]![1] < size)
}

function inside(i: number, size: number): number {
  return i < 0 || i >= size ? -1 : i
}

function clamped(i: number, size: number): number {
  return Math.min(size - 1, Math.max(0, i))
}

function wrapped(i: number, size: number): number {
  return ((i % size) + size) % size
}

function mirrored(i: number, size: number): number {
  if (size === 1) return 0
  const period = 2 * (size - 1)
  const at = ((i % period) + period) % period
  return at < size ? at : period - at
}

function constantPadded(x: OnnxValue & { kind: 'known' }, indices: readonly (readonly number[] | null)[], value: number): OnnxValue {
  const shape = x.shape.map((n, i) => indices[i]?.length ?? n)
  const size = shape.reduce((p, n) => p * n, 1)
  const data = (x.data instanceof Float32Array ? new Float32Array(size) : new Float64Array(size)).fill(value)
  for (let to = 0; to < size; to++) {
    let rest = to
    let from = 0
    let stride = 1
    for (let axis = shape.length - 1; axis >= 0 && from >= 0; axis--) {
      const at = rest % shape[axis]!
      rest = Math.floor(rest / shape[axis]!)
      const index = indices[axis]?.[at] ?? at
      from = index < 0 ? -1 : from + index * stride
      stride *= x.shape[axis]!
    }
    if (from >= 0) data[to] = x.data[from]!
  }
  return { ...x, shape, data }
}

export const padNodes: Record<string, NodeImporter> = { Pad: pad }

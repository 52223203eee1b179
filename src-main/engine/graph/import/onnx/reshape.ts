import type { OnnxNode } from '../../onnx-format/schema.ts'
import { nameOf, unsupported } from './attributes.ts'
import type { OnnxContext } from './context.ts'
import type { OnnxValue } from './value.ts'
import { BATCH, encodeShape, naturalOrder } from './value.ts'

/**
 * The value with its elements in `target`'s shape. Where the stored order allows it, as with channels split into groups or height
 * joined with width, the elements stay where they are; else the fewest axes are brought together first.
 * @param target sizes in ONNX's order, with BATCH for the batch; as many elements as the value has
 * @param part names a step inside of the node
 */
export function reshaped(node: OnnxNode, value: OnnxValue, target: readonly number[], context: OnnxContext, part?: string): OnnxValue {
  const shape = context.shape(value)
  if (product(shape) !== product(target) || !Number.isSafeInteger(product(shape))) throw unsupported(node, `from [${said(shape)}] to [${said(target)}]`)
  if (value.kind === 'known') return { ...value, shape: [...target] }
  const { before, after } = plan(shape, value.order, target)
  const moved = before.filter((axis) => shape[axis] !== 1)
  const stays = value.order.filter((axis) => shape[axis] !== 1).every((axis, i) => axis === moved[i])
  const from = stays ? value.ref : context.stored(value, before)
  
  const sizes = encodeShape(after.map((axis) => target[axis]!))
  const now = context.builder.shapeOf(from)
  if (sizes.length === now.length && sizes.every((n, i) => n === now[i])) {
    return context.value(part === undefined ? context.builder.alias(nameOf(node), from) : from, after, value.type)
  }
  const ref = part === undefined ? context.add(node, { op: 'reshape' }, [from], sizes) : context.part(node, part, { op: 'reshape' }, [from], sizes)
  return context.value(ref, after, value.type)
}

interface Plan {
  /** The stored order that the value must have. */
  before: readonly number[]
  /** The stored order of the result. */
  after: readonly number[]
}

/** Axes of one element are left out of account: they lie anywhere. */
function plan(shape: readonly number[], order: readonly number[], target: readonly number[]): Plan {
  if (shape.includes(0)) return { before: naturalOrder(shape.length), after: naturalOrder(target.length) }
  const segments = segmentsOf(shape, target)
  const stored = order.filter((axis) => shape[axis] !== 1)
  const sequence = [...segments].sort((a, b) => first(stored, a.from) - first(stored, b.from))
  const before = [...sequence.flatMap((s) => s.from), ...naturalOrder(shape.length).filter((axis) => shape[axis] === 1)]
  return { before, after: withUnitAxes(sequence.flatMap((s) => s.to), target) }
}

function first(stored: readonly number[], axes: readonly number[]): number {
  return Math.min(...axes.map((axis) => stored.indexOf(axis)))
}

/** The smallest runs of axes, before and after, that hold the same elements. */
function segmentsOf(shape: readonly number[], target: readonly number[]): { from: number[]; to: number[] }[] {
  const segments: { from: number[]; to: number[] }[] = []
  const own = naturalOrder(shape.length).filter((axis) => shape[axis] !== 1)
  const wanted = naturalOrder(target.length).filter((axis) => target[axis] !== 1)
  let i = 0
  let j = 0
  while (i < own.length && j < wanted.length) {
    const segment = { from: [own[i]!], to: [wanted[j]!] }
    let a = shape[own[i++]!]!
    let b = target[wanted[j++]!]!
    while (a !== b) {
      if (a < b) {
        a *= shape[own[i]!]!
        segment.from.push(own[i++]!)
      } else {
        b *= target[wanted[j]!]!
        segment.to.push(wanted[j++]!)
      }
    }
    segments.push(segment)
  }
  return segments
}

/** Each axis of one element after the axis before it, so that a natural order stays natural. */
function withUnitAxes(order: readonly number[], target: readonly number[]): number[] {
  const result = [...order]
  for (const [axis, size] of target.entries()) if (size === 1) result.splice(axis === 0 ? 0 : result.indexOf(axis - 1) + 1, 0, axis)
  return result
}

/**
 * Sizes that a Reshape asks for, with 0 (as the input's) and -1 (what is left) resolved.
 * @throws UnsupportedNode where they do not fit, or where it cannot be told which of them is to hold the batch
 */
export function resolveTarget(node: OnnxNode, value: OnnxValue, stated: readonly number[], allowZero: boolean, context: OnnxContext): number[] {
  const shape = context.shape(value)
  const target = stated.map((n, i) => (n === 0 && !allowZero ? (shape[i] ?? 0) : n))
  const wrong = (): Error => unsupported(node, `from [${said(shape)}] to [${said(stated)}]`)
  if (target.some((n) => !Number.isSafeInteger(n) || n < -1) || target.filter((n) => n === -1).length > 1) throw wrong()
  const total = product(shape)
  const batches = shape.filter((n) => n > 0 && n % BATCH === 0).length
  const literal = !target.some((n) => n > 0 && n % BATCH === 0)
  if (batches === 1 && literal && (context.fixedBatch !== null || !target.includes(-1))) {
    const fixed = context.fixedBatch ?? 1
    return withBatch(shape, context.slower(value), fill(target, (total / BATCH) * fixed, wrong), fixed, wrong)
  }
  return fill(target, total, wrong)
}

function fill(target: readonly number[], total: number, wrong: () => Error): number[] {
  const known = target.reduce((p, n) => (n === -1 ? p : p * n), 1)
  const rest = known === 0 ? 0 : total / known
  const filled = target.map((n) => (n === -1 ? rest : n))
  if (!Number.isInteger(rest) || product(filled) !== total) throw wrong()
  return filled
}

/**
 * A target that spells out the file's fixed batch, with BATCH in its place. As many elements must vary more slowly than the image as
 * before, so it goes where the sizes before come to that number: into a size that is the batch itself, else into one of the
 * neighbours. The last size holds features, so it is the last choice.
 */
function withBatch(shape: readonly number[], within: number | null, target: readonly number[], fixed: number, wrong: () => Error): number[] {
  if (within === null) throw wrong()
  const slower = product(shape.slice(0, shape.findIndex((n) => n > 0 && n % BATCH === 0))) * within
  const axes = naturalOrder(target.length).filter((i) => target[i]! % fixed === 0)
  const starting = axes.filter((i) => product(target.slice(0, i)) === slower)
  const ending = fixed === 1 ? axes.filter((i) => product(target.slice(0, i + 1)) === slower) : []
  const last = target.length - 1
  const chosen = starting.find((i) => target[i] === fixed) ?? [...starting, ...ending].find((i) => i !== last) ?? starting[0]
  if (chosen === undefined) throw wrong()
  return target.map((n, i) => (i === chosen ? (n / fixed) * BATCH : n))
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((p, n) => p * n, 1)
}

/** Sizes for people. */
export function said(shape: readonly number[]): string {
  return shape.map((n) => (n > 0 && n % BATCH === 0 ? (n === BATCH ? 'batch' : `${n / BATCH}·batch`) : n)).join(', ')
}

import { MaskscopeError } from '#shared/domain/errors.ts'
import type { GraphBuilder, Ref } from '../../build.ts'
import { UnsupportedNode } from '../../build.ts'
import type { Operation, Shape } from '../../graph.ts'
import type { OnnxNode } from '../../onnx-format/schema.ts'
import { elementTypes } from '../../onnx-format/schema.ts'
import { nameOf, unsupported } from './attributes.ts'
import { trackBatch } from './batch-axis.ts'
import { permuted } from './permute.ts'
import type { ElementType, Known, OnnxValue } from './value.ts'
import { decodeShape, encodeShape, naturalOrder } from './value.ts'

/** Turns one ONNX node into nodes of ours; one value per output, or the only one. */
export type NodeImporter = (node: OnnxNode, inputs: readonly (OnnxValue | undefined)[], context: OnnxContext) => OnnxValue | (OnnxValue | undefined)[]

/** Several values brought to one stored order, so that an elementwise operation broadcasts them as NumPy does. */
export interface Alignment {
  readonly refs: readonly Ref[]
  /** Of the result. */
  readonly order: readonly number[]
  /** Of the result, in ONNX's order. */
  readonly shape: readonly number[]
}

export interface OnnxContext {
  /** Version of the default operator set. */
  readonly opset: number
  /** What the file says the batch is; null where it leaves that open, or where there is no batch. */
  readonly fixedBatch: number | null
  readonly builder: GraphBuilder
  /** In ONNX's order, with BATCH for the batch. */
  shape(value: OnnxValue): number[]
  /** In the axis with the batch, the elements that vary more slowly than the image; null where that is not known. */
  slower(value: OnnxValue): number | null
  /** The node whose axis i holds the value's axis order[i]; adds a transposition only where one is needed. */
  stored(value: OnnxValue, order: readonly number[]): Ref
  /** In ONNX's order. */
  natural(value: OnnxValue): Ref
  /** NCHW as NHWC. */
  images(value: OnnxValue): Ref
  /** @throws NeedsKnown where the value is computed from the model's input */
  known(node: OnnxNode, value: OnnxValue | undefined, what: string): Known
  /** An input that must be there. @throws UnsupportedNode */
  required(node: OnnxNode, value: OnnxValue | undefined, what: string): OnnxValue
  constant(known: Known, order?: readonly number[]): Ref
  /** The node that ends `node`. @param shape as stored, where the operation does not tell it; BATCH stands for the batch */
  add(node: OnnxNode, operation: Operation, refs: readonly Ref[], shape?: Shape): Ref
  /** A step inside of `node`. */
  part(node: OnnxNode, part: string, operation: Operation, refs: readonly Ref[], shape?: Shape): Ref
  /** @param order ONNX's where left out @param type float where left out */
  value(ref: Ref, order?: readonly number[], type?: ElementType): OnnxValue
  alignment(values: readonly OnnxValue[]): Alignment
  note(text: string): void
  /** Says that the node needs memory for so many elements at import. @throws MaskscopeError where a file asks for too much */
  allow(node: OnnxNode, elements: number): void
  /** Contents of the files that the model names, by location. */
  readonly external: Readonly<Record<string, Uint8Array>>
}

/** An input of a node that has to be known at import and is computed from what the model is given. */
export class NeedsKnown extends UnsupportedNode {
  /** The model's inputs that it is computed from. */
  readonly sources: readonly string[]

  constructor(node: string, operation: string, detail: string, sources: readonly string[]) {
    super(node, operation, detail)
    this.sources = sources
  }
}

export interface ContextOptions {
  opset: number
  fixedBatch: number | null
  /** Calls the node that is being imported; new constants and transpositions are named after it. */
  current: () => string
  /** Elements that may be computed at import, all nodes together. */
  elements: number
  external: Readonly<Record<string, Uint8Array>>
}

export function createOnnxContext(inner: GraphBuilder, { opset, fixedBatch, current, elements, external }: ContextOptions): OnnxContext {
  const { builder, slower } = trackBatch(inner)
  const constants = new Map<Known, Map<string, Ref>>()
  const reordered = new Map<string, Ref>()
  let left = elements

  function storedShape(ref: Ref): number[] {
    return decodeShape(builder.shapeOf(ref))
  }

  function shape(value: OnnxValue): number[] {
    if (value.kind === 'known') return [...value.shape]
    const as = storedShape(value.ref)
    return value.order.map((_, axis) => as[value.order.indexOf(axis)]!)
  }

  /** @param sizes the shape of the constant, where axes of one element are left out or put in: no data moves for that */
  function constant(known: Known, order: readonly number[] = naturalOrder(known.shape.length), sizes?: readonly number[]): Ref {
    const byOrder = constants.get(known) ?? new Map<string, Ref>()
    constants.set(known, byOrder)
    const as = sizes ?? order.map((axis) => known.shape[axis]!)
    const key = `${order.join()}|${as.join()}`
    const found = byOrder.get(key)
    if (found !== undefined) return found
    const data = permuted(known.data, known.shape, order)
    const floats = data instanceof Float32Array ? data : Float32Array.from(data)
    const ref = builder.part(current(), 'constant', { op: 'constant', value: { shape: as, data: floats } }, [], as)
    byOrder.set(key, ref)
    return ref
  }

  function stored(value: OnnxValue, order: readonly number[]): Ref {
    if (value.kind === 'known') return constant(value, order)
    const sizes = shape(value)
    const key = `${value.ref}|${value.order.join()}|${order.join()}`
    const found = reordered.get(key)
    if (found !== undefined) return found
    const ref = reorder(value.ref, value.order, order, sizes)
    reordered.set(key, ref)
    return ref
  }

  /** Axes of one element go anywhere without moving data. */
  function reorder(ref: Ref, from: readonly number[], to: readonly number[], sizes: readonly number[]): Ref {
    const target = to.map((axis) => sizes[axis]!)
    if (sameList(from.filter((axis) => sizes[axis] !== 1), to.filter((axis) => sizes[axis] !== 1))) {
      return sameList(target, storedShape(ref)) ? ref : builder.part(current(), 'reshape', { op: 'reshape' }, [ref], encodeShape(target))
    }
    return builder.part(current(), 'transpose', { op: 'transpose', permutation: to.map((axis) => from.indexOf(axis)) }, [ref])
  }

  function alignment(values: readonly OnnxValue[]): Alignment {
    const shapes = values.map(shape)
    const rank = Math.max(...shapes.map((s) => s.length))
    const order = commonOrder(values, shapes, rank)
    const result = naturalOrder(rank).map((axis) => shapes.reduce((size, s) => (s[axis - rank + s.length] ?? 1) === 1 ? size : s[axis - rank + s.length]!, 1))
    const refs = values.map((value, i) => aligned(value, shapes[i]!, order))
    return { order, shape: result, refs: refs.every((ref) => builder.shapeOf(ref).length < rank) ? [ofRank(refs[0]!, rank), ...refs.slice(1)] : refs }
  }

  /** Leading axes were left out of all: with those of one operand the result has them. */
  function ofRank(ref: Ref, rank: number): Ref {
    const sizes = builder.shapeOf(ref)
    return builder.part(current(), 'reshape', { op: 'reshape' }, [ref], [...new Array<number>(rank - sizes.length).fill(1), ...sizes])
  }

  /** The node with the value's axes where `order` has them, counted from the last; axes the value does not have hold one element. */
  function aligned(value: OnnxValue, sizes: readonly number[], order: readonly number[]): Ref {
    const missing = order.length - sizes.length
    const own = order.filter((axis) => axis >= missing).map((axis) => axis - missing)
    const spread = order.map((axis) => (axis < missing ? 1 : sizes[axis - missing]!))
    const lead = spread.findIndex((_, i) => order[i]! >= missing)
    const needed = lead < 0 ? [] : spread.slice(lead)
    if (value.kind === 'known') {
      const first = needed.findIndex((n) => n !== 1)
      return constant(value, own, first < 0 ? [] : needed.slice(first))
    }
    const ref = stored(value, own)
    return sameList(needed, own.map((axis) => sizes[axis]!)) ? ref : builder.part(current(), 'reshape', { op: 'reshape' }, [ref], encodeShape(needed))
  }

  /** The model's inputs that a node depends on. */
  function sourcesOf(ref: Ref): string[] {
    const seen = new Set<Ref>()
    const open = [ref]
    while (open.length > 0) {
      const name = open.pop()!
      if (seen.has(name)) continue
      seen.add(name)
      open.push(...builder.node(name).inputs)
    }
    return [...seen].filter((name) => builder.node(name).op === 'input')
  }

  return {
    opset,
    fixedBatch,
    builder,
    shape,
    slower: (value) => (value.kind === 'known' ? null : slower(value.ref)),
    stored,
    natural: (value) => stored(value, naturalOrder(shape(value).length)),
    images: (value) => stored(value, [0, 2, 3, 1]),
    known(node, value, what) {
      if (value === undefined) throw unsupported(node, `${what} is missing`)
      if (value.kind === 'node') throw new NeedsKnown(nameOf(node), node.opType, `${what} is not constant`, sourcesOf(value.ref))
      return value
    },
    required(node, value, what) {
      if (value === undefined) throw unsupported(node, `${what} is missing`)
      return value
    },
    constant: (known, order) => constant(known, order),
    add: (node, operation, refs, as) => builder.add(nameOf(node), operation, refs, as && encodeShape(as)),
    part: (node, part, operation, refs, as) => builder.part(nameOf(node), part, operation, refs, as && encodeShape(as)),
    value: (ref, order, type) => ({ kind: 'node', ref, order: order ?? naturalOrder(builder.shapeOf(ref).length), type: type ?? elementTypes.float }),
    alignment,
    note: (text) => builder.note(text),
    allow(node, count) {
      left -= count
      if (left >= 0) return
      const name = nameOf(node)
      throw new MaskscopeError('input', `Node ${name} (${node.opType}) of the model makes a tensor of ${count} elements while the model is read, which is more than a classifier needs. Export the model again.`, { subject: name })
    },
    external,
  }
}

/** The order of the largest computed value of full rank: it is the one that is dear to move. */
function commonOrder(values: readonly OnnxValue[], shapes: readonly (readonly number[])[], rank: number): readonly number[] {
  let best: { order: readonly number[]; size: number } | null = null
  for (const [i, value] of values.entries()) {
    if (value.kind === 'known') continue
    const missing = rank - value.order.length
    const order = [...naturalOrder(missing), ...value.order.map((axis) => axis + missing)]
    const size = shapes[i]!.reduce((product, n) => product * n, 1)
    if (best === null || size > best.size) best = { order, size }
  }
  return best?.order ?? naturalOrder(rank)
}

function sameList(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i])
}

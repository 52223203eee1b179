import type { Ref } from '../../build.ts'
import type { Weight } from '../../graph.ts'
import { weight } from '../../build.ts'
import type { OnnxNode } from '../../onnx-format/schema.ts'
import { float, int, unsupported } from './attributes.ts'
import type { NodeImporter, OnnxContext } from './context.ts'
import { convolutionNodes } from './convolution-nodes.ts'
import { reshaped } from './reshape.ts'
import { transposed } from './shape-nodes.ts'
import { stepsOf } from './steps.ts'
import { transposedConvolutionNodes } from './transposed-convolution-nodes.ts'
import type { Known, OnnxValue } from './value.ts'
import { BATCH, naturalOrder } from './value.ts'
import { floatsOf, permutedWeight, weightOf } from './weights.ts'

/** alpha·A·B + beta·C; with a constant B a dense node. */
const gemm: NodeImporter = (node, inputs, context) => {
  const alpha = float(node, 'alpha', 1)
  const beta = float(node, 'beta', 1)
  const turned = (index: number, attribute: string, what: string): OnnxValue => {
    const x = context.required(node, inputs[index], what)
    if (context.shape(x).length !== 2) throw unsupported(node, `${what} has ${context.shape(x).length} axes`)
    return int(node, attribute, 0) !== 0 ? transposedView(node, x, context) : x
  }
  const a = turned(0, 'transA', 'the first matrix')
  const b = context.required(node, inputs[1], 'the second matrix')
  const c = beta === 0 ? undefined : inputs[2]
  if (b.kind === 'known') {
    const matrix = matrixOf(node, b, int(node, 'transB', 0) !== 0, alpha)
    const bias = c?.kind === 'known' ? biasVector(c, matrix.shape[1]!, beta) : null
    const last = c === undefined || bias !== null
    const product = dense(node, a, matrix, bias, context, last ? undefined : 'product')
    return last ? product : plus(node, product, c, beta, context)
  }
  const steps = stepsOf(node, context)
  const parts = c !== undefined || alpha !== 1
  const product = productOf(node, a, turned(1, 'transB', 'the second matrix'), context, parts ? 'product' : undefined)
  if (!parts || product.kind === 'known') return product
  const scaled = alpha === 1 ? product : context.value(steps.scaled(product.ref, alpha, 0, c === undefined), product.order)
  return c === undefined ? scaled : plus(node, scaled, c, beta, context)
}

function transposedView(node: OnnxNode, x: OnnxValue, context: OnnxContext): OnnxValue {
  return transposed(node, x, [1, 0], context)
}

/** [in, out], times a factor. */
function matrixOf(node: OnnxNode, b: Known, turned: boolean, factor: number): Weight {
  if (b.shape.length !== 2) throw unsupported(node, `the second matrix has ${b.shape.length} axes`)
  const [rows, columns] = b.shape as [number, number]
  const matrix = turned ? permutedWeight(b, [1, 0], [columns, rows]) : weightOf(b, 'matrix', () => ({ shape: [rows, columns], data: floatsOf(b) }))
  return factor === 1 ? matrix : { shape: matrix.shape, data: matrix.data.map((v) => v * factor) }
}

/** The third matrix as a bias, where it is the same for all rows. */
function biasVector(c: Known, columns: number, beta: number): Weight | null {
  const rows = c.shape.length > 1 ? c.shape[c.shape.length - 2] : 1
  if (rows !== 1 || (c.data.length !== 1 && c.data.length !== columns)) return null
  return weight([columns], Float32Array.from({ length: columns }, (_, i) => beta * c.data[c.data.length === 1 ? 0 : i]!))
}

/** product + beta·c */
function plus(node: OnnxNode, product: OnnxValue, c: OnnxValue, beta: number, context: OnnxContext): OnnxValue {
  const known = c.kind === 'known' ? { ...c, data: floatsOf(c).map((v) => v * beta) } : c
  const { refs, order } = context.alignment([product, known])
  const steps = stepsOf(node, context)
  const second = c.kind === 'known' || beta === 1 ? refs[1]! : steps.scaled(refs[1]!, beta, 0)
  return context.value(steps.binary('add', refs[0]!, second, true), order)
}

/** As in NumPy: vectors are rows on the left and columns on the right, leading axes broadcast. */
const matMul: NodeImporter = (node, inputs, context) => {
  const a = context.required(node, inputs[0], 'the first matrix')
  const b = context.required(node, inputs[1], 'the second matrix')
  const [left, right] = [context.shape(a), context.shape(b)]
  if (left.length === 0 || right.length === 0) throw unsupported(node, 'of single numbers')
  if (left.length > 1 && right.length > 1) return matrixProduct(node, a, b, context)
  const rows = left.length === 1 ? reshaped(node, a, [1, left[0]!], context, 'row') : a
  const columns = right.length === 1 ? reshaped(node, b, [right[0]!, 1], context, 'column') : b
  const product = matrixProduct(node, rows, columns, context, 'product')
  const whole = context.shape(product)
  const kept = [...whole.slice(0, -2), ...(left.length === 1 ? [] : [whole.at(-2)!]), ...(right.length === 1 ? [] : [whole.at(-1)!])]
  return reshaped(node, product, kept, context)
}

export function matrixProduct(node: OnnxNode, a: OnnxValue, b: OnnxValue, context: OnnxContext, part?: string): OnnxValue {
  if (b.kind === 'known' && b.shape.length === 2) return dense(node, a, matrixOf(node, b, false, 1), null, context, part)
  if (a.kind === 'known' && a.shape.length === 2 && b.kind === 'node') {
    // (A·B)ᵀ = Bᵀ·Aᵀ
    const rank = b.order.length
    const swap = [...naturalOrder(rank - 2), rank - 1, rank - 2]
    return transposed(node, dense(node, transposed(node, b, swap, context), matrixOf(node, a, true, 1), null, context, part), swap, context)
  }
  return productOf(node, a, b, context, part)
}

/** Over the last axis; the others stay where they are stored. */
export function dense(node: OnnxNode, x: OnnxValue, matrix: Weight, bias: Weight | null, context: OnnxContext, part?: string): OnnxValue {
  const shape = context.shape(x)
  const last = shape.length - 1
  if (shape[last] !== matrix.shape[0]) throw unsupported(node, `[${shape.join(', ')}] with [${matrix.shape.join(', ')}]`)
  const order = [...(x.kind === 'node' ? x.order : naturalOrder(shape.length)).filter((axis) => axis !== last), last]
  const operation = { op: 'dense', matrix, bias, activation: null } as const
  const ref = context.stored(x, order)
  return context.value(part === undefined ? context.add(node, operation, [ref]) : context.part(node, part, operation, [ref]), order)
}

/** Of two computed matrices, or stacks of them. */
function productOf(node: OnnxNode, a: OnnxValue, b: OnnxValue, context: OnnxContext, part?: string): OnnxValue {
  const [left, right] = [context.shape(a), context.shape(b)]
  const inner = left[left.length - 1]!
  if (inner !== right[right.length - 2] || inner % BATCH === 0) throw unsupported(node, `[${left.join(', ')}] with [${right.join(', ')}]`)
  const stack = stackOf(left.slice(0, -2), right.slice(0, -2))
  const [first, second] = [operand(node, a, stack, context), operand(node, b, stack, context)]
  const operation = { op: 'matmul', transposeA: first.turned, transposeB: second.turned } as const
  const refs = [first.ref, second.ref]
  return context.value(part === undefined ? context.add(node, operation, refs) : context.part(node, part, operation, refs))
}

function stackOf(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length)
  return naturalOrder(rank).map((i) => {
    const [m, n] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1]
    return m === 1 ? n : m
  })
}

/** Stored in ONNX's order or with its rows as columns, whichever it is nearer to; a stack is spread to the other's where it is not one matrix. */
function operand(node: OnnxNode, x: OnnxValue, stack: readonly number[], context: OnnxContext): { ref: Ref; turned: boolean } {
  const shape = context.shape(x)
  const rank = shape.length
  const natural = naturalOrder(rank)
  const swapped = [...natural.slice(0, -2), rank - 1, rank - 2]
  const turned = x.kind === 'node' && swapped.every((axis, i) => axis === x.order[i])
  const ref = context.stored(x, turned ? swapped : natural)
  const own = shape.slice(0, -2)
  if (own.every((n) => n === 1) || (own.length === stack.length && own.every((n, i) => n === stack[i]))) return { ref, turned }
  const matrix = (turned ? swapped : natural).slice(-2).map((axis) => shape[axis]!)
  return { ref: context.part(node, 'spread', { op: 'expand' }, [ref], [...stack, ...matrix]), turned }
}

export const linearNodes: Record<string, NodeImporter> = { ...convolutionNodes, ...transposedConvolutionNodes, Gemm: gemm, MatMul: matMul }

import { broadcast } from '../../shapes.ts'
import type { OnnxNode } from '../../onnx-format/schema.ts'
import { elementTypes } from '../../onnx-format/schema.ts'
import { axisOf, float, hasAttribute, int, ints, unsupported } from './attributes.ts'
import type { OnnxContext } from './context.ts'
import { gathered, permuted, stridesOf } from './permute.ts'
import type { ElementType, Known } from './value.ts'
import { isWhole, naturalOrder } from './value.ts'

const unaries: Readonly<Record<string, (x: number) => number>> = {
  Neg: (x) => -x, Abs: Math.abs, Sqrt: Math.sqrt, Reciprocal: (x) => 1 / x, Exp: Math.exp, Log: Math.log, Floor: Math.floor, Ceil: Math.ceil,
  Round: roundHalfToEven, Sign: Math.sign, Relu: (x) => Math.max(0, x), Tanh: Math.tanh, Sigmoid: (x) => 1 / (1 + Math.exp(-x)), Sin: Math.sin,
  Cos: Math.cos, Not: (x) => (x === 0 ? 1 : 0),
}

const binaries: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b, Sub: (a, b) => a - b, Mul: (a, b) => a * b, Pow: Math.pow, Max: Math.max, Min: Math.min, Sum: (a, b) => a + b,
  And: (a, b) => (a !== 0 && b !== 0 ? 1 : 0), Or: (a, b) => (a !== 0 || b !== 0 ? 1 : 0), Xor: (a, b) => ((a !== 0) !== (b !== 0) ? 1 : 0),
  Equal: (a, b) => (a === b ? 1 : 0), Greater: (a, b) => (a > b ? 1 : 0), Less: (a, b) => (a < b ? 1 : 0),
  GreaterOrEqual: (a, b) => (a >= b ? 1 : 0), LessOrEqual: (a, b) => (a <= b ? 1 : 0),
}

const comparisons = new Set(['And', 'Or', 'Xor', 'Equal', 'Greater', 'Less', 'GreaterOrEqual', 'LessOrEqual'])

const reductions: Readonly<Record<string, (values: Float64Array) => number>> = {
  ReduceProd: (v) => v.reduce((a, b) => a * b, 1),
  ReduceSum: (v) => v.reduce((a, b) => a + b, 0),
  ReduceMean: (v) => v.reduce((a, b) => a + b, 0) / v.length,
  ReduceMax: (v) => v.reduce((a, b) => Math.max(a, b), -Infinity),
  ReduceMin: (v) => v.reduce((a, b) => Math.min(a, b), Infinity),
}

/**
 * The value of a node whose inputs are all known: arithmetic on shapes, and on weights where a file leaves it to the reader. Null
 * for an operation that is left to the graph. Floats are rounded to float32 as at inference, whole numbers are exact.
 */
export function staticValue(node: OnnxNode, inputs: readonly (Known | undefined)[], context: OnnxContext): Known | null {
  if (node.domain !== '') return null
  const [a, b] = inputs
  const unary = unaries[node.opType]
  if (unary && a) return mapped(node, a, unary, context)
  const binary = binaries[node.opType]
  if (binary && a) {
    const rest = inputs.slice(1).map((v) => context.known(node, v, 'an input'))
    return rest.reduce((left, right) => combined(node, left, right, binary, resultType(node, a), context), a)
  }
  if (reductions[node.opType] && a) return reduced(node, a, b, reductions[node.opType]!, context)
  if (!a) return null
  switch (node.opType) {
    case 'Div':
      if (!b) return null
      return combined(node, a, b, isWhole(a.type) ? (x, y) => Math.trunc(x / y) : (x, y) => x / y, a.type, context)
    case 'Mod':
      if (!b) return null
      return combined(node, a, b, int(node, 'fmod', 0) === 1 ? (x, y) => x % y : (x, y) => x - y * Math.floor(x / y), a.type, context)
    case 'Clip': {
      const low = inputs[1]?.data[0] ?? float(node, 'min', -Infinity)
      const high = inputs[2]?.data[0] ?? float(node, 'max', Infinity)
      return mapped(node, a, (x) => Math.min(high, Math.max(low, x)), context)
    }
    case 'Where': {
      const [, yes, no] = inputs
      if (!yes || !no) return null
      const shape = broadcast(broadcast(a.shape, yes.shape), no.shape)
      const [condition, first, second] = [a, yes, no].map((v) => spreadData(node, v, shape, context))
      return { kind: 'known', shape, type: yes.type, data: make(first!.data, condition!.data.length, (i) => (condition!.data[i] !== 0 ? first!.data[i]! : second!.data[i]!)) }
    }
    default:
      return null
  }
}

function resultType(node: OnnxNode, a: Known): ElementType {
  return comparisons.has(node.opType) ? elementTypes.bool : a.type
}

function make(like: Float32Array | Float64Array, size: number, valueAt: (i: number) => number): Float32Array | Float64Array {
  const data = like instanceof Float32Array ? new Float32Array(size) : new Float64Array(size)
  for (let i = 0; i < size; i++) data[i] = valueAt(i)
  return data
}

function mapped(node: OnnxNode, x: Known, f: (v: number) => number, context: OnnxContext): Known {
  context.allow(node, x.data.length)
  return { ...x, data: x.data.map(f) }
}

function combined(node: OnnxNode, a: Known, b: Known, f: (x: number, y: number) => number, type: ElementType, context: OnnxContext): Known {
  const shape = broadcast(a.shape, b.shape)
  const left = spreadData(node, a, shape, context)
  const right = spreadData(node, b, shape, context)
  const size = left.data.length
  const data = make(isWhole(type) ? new Float64Array() : new Float32Array(), size, (i) => f(left.data[i]!, right.data[i]!))
  return { kind: 'known', shape, type, data }
}

function spreadData(node: OnnxNode, x: Known, shape: readonly number[], context: OnnxContext): Known {
  context.allow(node, shape.reduce((p, n) => p * n, 1))
  const missing = shape.length - x.shape.length
  if (missing === 0 && shape.every((n, i) => n === x.shape[i])) return x
  const own = stridesOf(x.shape)
  const strides = shape.map((_, i) => (i < missing || x.shape[i - missing] === 1 ? 0 : own[i - missing]!))
  return { ...x, shape, data: gathered(x.data, shape, strides, 0) }
}

/** Axes are an attribute in older operator sets; none means all, or with `noop_with_empty_axes` nothing. */
function reduced(node: OnnxNode, x: Known, axesInput: Known | undefined, f: (values: Float64Array) => number, context: OnnxContext): Known {
  const rank = x.shape.length
  const stated = axesInput ? [...axesInput.data] : hasAttribute(node, 'axes') ? ints(node, 'axes') : []
  if (stated.length === 0 && int(node, 'noop_with_empty_axes', 0) === 1) return x
  const axes = stated.length === 0 ? naturalOrder(rank) : stated.map((a) => axisOf(node, a, rank))
  if (new Set(axes).size !== axes.length) throw unsupported(node, 'an axis comes twice')
  context.allow(node, x.data.length)
  const kept = naturalOrder(rank).filter((axis) => !axes.includes(axis))
  const data = permuted(x.data, x.shape, [...kept, ...axes])
  const inner = axes.reduce((p, axis) => p * x.shape[axis]!, 1)
  const outer = kept.reduce((p, axis) => p * x.shape[axis]!, 1)
  const keep = int(node, 'keepdims', 1) === 1
  const shape = keep ? x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n)) : kept.map((axis) => x.shape[axis]!)
  return { ...x, shape, data: make(x.data, outer, (i) => f(Float64Array.from(data.subarray(i * inner, (i + 1) * inner)))) }
}

function roundHalfToEven(x: number): number {
  const down = Math.floor(x)
  if (x - down !== 0.5) return Math.round(x)
  return down % 2 === 0 ? down : down + 1
}

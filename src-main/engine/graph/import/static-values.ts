import type { Shape } from '../graph.ts'
import { broadcast } from '../shapes.ts'
import { sizeOf } from '../graph.ts'
import type { RawNode } from './graph-nodes.ts'
import { numberOf } from './graph-nodes.ts'

/**
 * A value known at import: a weight, or arithmetic on weights and shapes. In shapes the batch is -1, so a reshape computed
 * from Shape, StridedSlice and Pack comes out with -1 for the batch.
 */
export interface StaticValue {
  shape: Shape
  data: Float32Array
}

export function vector(values: readonly number[]): StaticValue {
  return { shape: [values.length], data: Float32Array.from(values) }
}

const unaries: Record<string, (x: number) => number> = {
  Neg: (x) => -x, Rsqrt: (x) => 1 / Math.sqrt(x), Sqrt: Math.sqrt, Square: (x) => x * x, Exp: Math.exp, Log: Math.log,
  Reciprocal: (x) => 1 / x, Abs: Math.abs, Floor: Math.floor, Ceil: Math.ceil, Relu: (x) => Math.max(0, x), Tanh: Math.tanh,
}

const binaries: Record<string, (a: number, b: number) => number> = {
  Add: (a, b) => a + b, AddV2: (a, b) => a + b, BiasAdd: (a, b) => a + b, Sub: (a, b) => a - b, Mul: (a, b) => a * b,
  RealDiv: (a, b) => a / b, Div: (a, b) => a / b, FloorDiv: (a, b) => Math.floor(a / b), Maximum: Math.max, Minimum: Math.min, Pow: Math.pow,
}

/** The value of a node whose inputs are all known, or null for an operation that is left to the graph. */
export function evaluate(node: RawNode, inputs: readonly StaticValue[]): StaticValue | null {
  const [a, b] = inputs
  const unary = unaries[node.op]
  if (unary && a) return { shape: a.shape, data: a.data.map(unary) }
  const binary = binaries[node.op]
  if (binary && a && b) return combine(a, b, binary)
  switch (node.op) {
    case 'Identity':
    case 'Cast':
    case 'StopGradient':
      return a ?? null
    case 'Pack':
      return inputs.every((v) => v.data.length === 1 && v.shape.length === 0) ? vector(inputs.map((v) => v.data[0]!)) : null
    case 'ConcatV2':
      return inputs.every((v) => v.shape.length <= 1) ? vector(inputs.slice(0, -1).flatMap((v) => [...v.data])) : null
    case 'Prod':
      return { shape: [], data: Float32Array.of(a!.data.reduce((p, v) => p * v, 1)) }
    case 'Squeeze':
      return { shape: a!.shape.filter((n) => n !== 1), data: a!.data }
    case 'ExpandDims': {
      const axis = b!.data[0]! < 0 ? b!.data[0]! + a!.shape.length + 1 : b!.data[0]!
      return { shape: [...a!.shape.slice(0, axis), 1, ...a!.shape.slice(axis)], data: a!.data }
    }
    case 'Reshape': {
      const known = b!.data.reduce((p, n) => (n < 0 ? p : p * n), 1)
      return { shape: [...b!.data].map((n) => (n < 0 ? a!.data.length / known : n)), data: a!.data }
    }
    case 'GatherV2':
    case 'Gather':
      if (a!.shape.length !== 1) return null
      return { shape: b!.shape, data: b!.data.map((i) => a!.data[i]!) }
    case 'Fill':
      return { shape: [...a!.data], data: new Float32Array(sizeOf([...a!.data])).fill(b!.data[0]!) }
    case 'StridedSlice':
      return stridedSlice(node, inputs)
    default:
      return null
  }
}

/** Elements of a vector: what shape arithmetic needs. */
function stridedSlice(node: RawNode, [x, begin, end, strides]: readonly StaticValue[]): StaticValue | null {
  if (x!.shape.length !== 1) return null
  const n = x!.data.length
  const step = strides?.data[0] ?? 1
  if (step !== 1 || numberOf(node, 'ellipsis_mask', 0) !== 0 || numberOf(node, 'new_axis_mask', 0) !== 0) return null
  const at = (value: number): number => Math.min(n, value < 0 ? value + n : value)
  const from = numberOf(node, 'begin_mask', 0) & 1 ? 0 : at(begin!.data[0]!)
  if (numberOf(node, 'shrink_axis_mask', 0) & 1) return { shape: [], data: x!.data.slice(from, from + 1) }
  const to = numberOf(node, 'end_mask', 0) & 1 ? n : at(end!.data[0]!)
  return vector([...x!.data.slice(from, to)])
}

function combine(a: StaticValue, b: StaticValue, f: (x: number, y: number) => number): StaticValue {
  const shape = broadcast(a.shape, b.shape)
  const data = new Float32Array(sizeOf(shape))
  const indexIn = (value: StaticValue, index: number): number => {
    let rest = index
    let at = 0
    let stride = 1
    for (let i = shape.length - 1, k = value.shape.length - 1; i >= 0; i--, k--) {
      const here = rest % shape[i]!
      rest = Math.floor(rest / shape[i]!)
      if (k < 0) continue
      if (value.shape[k]! > 1) at += here * stride
      stride *= value.shape[k]!
    }
    return at
  }
  for (let i = 0; i < data.length; i++) data[i] = f(a.data[indexIn(a, i)]!, b.data[indexIn(b, i)]!)
  return { shape, data }
}


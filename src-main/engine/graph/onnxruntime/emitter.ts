import type { OnnxNode, OnnxTensor, ValueInfo } from '../onnx-format/schema.ts'
import type { AttributeValue } from '../onnx-format/write.ts'
import { floatTensor, int64Tensor, onnxModel, onnxNode, valueInfo, writeOnnx } from '../onnx-format/write.ts'
import type { Shape, Weight } from '../graph.ts'
import type { Stored } from './layout.ts'
import { imagesOrder, movesOnlyOnes, naturalOrder, permutationBetween, sameOrder, storedShape } from './layout.ts'

export type Attributes = Readonly<Record<string, AttributeValue>>

/** ONNX's operator set that is written: the first that has everything used (Gelu came last). */
export const opset = 20
const irVersion = 9

/** The name of the batch in the shapes of inputs and outputs. */
const batchName = 'n'

/**
 * Collects the nodes and constants of an ONNX graph. Values are named by their strings; those that have a layout travel as
 * `Stored`. The batch is a dimension that is not fixed.
 */
export interface Emitter {
  /** Says which node of our graph the following operators compute; ONNX Runtime's errors name it. */
  within(node: string): void
  /** Adds an operator with one output. An input '' is left out. */
  op(type: string, inputs: readonly string[], attributes?: Attributes): string
  /** Adds an operator with so many outputs. */
  ops(type: string, inputs: readonly string[], outputs: number, attributes?: Attributes): string[]
  /** A constant; the same weight is written once. */
  weight(weight: Weight): string
  /** Something computed from a weight, such as its transpose, written once per `what`. */
  derived(weight: Weight, what: string, make: () => Weight): string
  floats(shape: Shape, data: Float32Array | readonly number[]): string
  /** A vector of int64, as shapes and axes are given. */
  ints(values: readonly number[]): string
  /** A float without dimensions. */
  scalar(value: number): string
  /** @param order natural where left out */
  value(name: string, shape: Shape, order?: readonly number[]): Stored
  /** The value in the order asked for; transposed at most once. */
  stored(value: Stored, order: readonly number[]): string
  /** In our graph's own order. */
  natural(value: Stored): string
  /** An image batch as NCHW. */
  images(value: Stored): string
  /** The same elements in another shape, as it lies in memory; -k stands for k times the batch. */
  reshape(name: string, shape: Shape): string
  /** The shape as a vector of int64, with the batch of this run. */
  shape(shape: Shape): string
  /** Says of which shape a value is, where ONNX Runtime would not find that out: it then keeps its inner layout. */
  declare(value: Stored): void
  /** Takes images or other values from the caller. */
  input(name: string, dims: Shape, elementType?: number): string
  /** Hands a value to the caller under a name of its own. */
  output(name: string, value: string, dims: Shape): void
  finish(): WrittenModel
}

/** An ONNX file and the constants it keeps outside, by the location that it states. */
export interface WrittenModel {
  bytes: Uint8Array
  external: { path: string; data: Uint8Array }[]
}

/** Constants of more bytes than this stay outside the file: they are then copied once less, and the file is small. */
const insideBytes = 1024

/** The tensor with its data in a file of its own that is named like it. */
function externalTensor(tensor: OnnxTensor): OnnxTensor {
  const externalData = Object.entries({ location: tensor.name, offset: '0', length: String(tensor.rawData!.length) }).map(([key, value]) => ({ key, value }))
  return { ...tensor, rawData: undefined, dataLocation: 1, externalData }
}

export function createEmitter(): Emitter {
  const nodes: OnnxNode[] = []
  const constants = new Map<string, OnnxTensor>()
  const inputs: ValueInfo[] = []
  const outputs: ValueInfo[] = []
  const values = new Map<string, ValueInfo>()
  const weights = new Map<Weight, Map<string, string>>()
  const transposed = new Map<string, string>()
  let scope = ''
  let counter = 0
  let batch: string | null = null

  function ops(type: string, from: readonly string[], count: number, attributes: Attributes = {}): string[] {
    const name = `${scope}/${type}${counter++}`
    const names = Array.from({ length: count }, (_, i) => (i === 0 ? name : `${name}:${i}`))
    nodes.push(onnxNode(type, from, names, attributes, name))
    return names
  }
  const op = (type: string, from: readonly string[], attributes: Attributes = {}): string => ops(type, from, 1, attributes)[0]!

  function constant(name: string, make: (name: string) => OnnxTensor): string {
    if (!constants.has(name)) constants.set(name, make(name))
    return name
  }

  function floats(shape: Shape, data: Float32Array | readonly number[]): string {
    const values = data instanceof Float32Array ? data : Float32Array.from(data)
    return constant(`constant${counter++}`, (name) => floatTensor(name, shape, values))
  }

  function derived(weight: Weight, what: string, make: () => Weight): string {
    let forms = weights.get(weight)
    if (!forms) weights.set(weight, (forms = new Map<string, string>()))
    let found = forms.get(what)
    if (found === undefined) {
      const { shape, data } = make()
      forms.set(what, (found = floats(shape, data)))
    }
    return found
  }

  const ints = (values: readonly number[]): string => constant(`ints ${values.join(' ')}`, (name) => int64Tensor(name, [values.length], values))

  function stored(value: Stored, order: readonly number[]): string {
    if (sameOrder(value.order, order)) return value.name
    // by what is done: one value in memory may be seen in several ways
    const permutation = permutationBetween(value.order, order)
    const key = `${value.name} ${permutation.join(' ')}`
    let found = transposed.get(key)
    if (found === undefined) {
      found = movesOnlyOnes(value.shape, value.order, order)
        ? reshape(value.name, storedShape({ shape: value.shape, order }))
        : op('Transpose', [value.name], { perm: permutation })
      transposed.set(key, found)
      transposed.set(`${found} ${permutationBetween(order, value.order).join(' ')}`, value.name)
    }
    return found
  }

  function reshape(name: string, shape: Shape): string {
    return op('Reshape', [name, ints(shape.map((n) => (n < 0 ? -1 : n)))])
  }

  function shape(dims: Shape): string {
    if (dims.every((n) => n >= 0)) return ints(dims)
    if (!inputs[0]) throw new Error('a batch needs an input first')
    batch ??= op('Shape', [inputs[0].name], { start: 0, end: 1 })
    const images = batch
    return op('Concat', dims.map((n) => (n >= 0 ? ints([n]) : n === -1 ? images : op('Mul', [images, ints([-n])]))), { axis: 0 })
  }

  const named = (dims: Shape): (number | string)[] => dims.map((n) => (n === -1 ? batchName : n < 0 ? `${-n}${batchName}` : n))

  return {
    within: (node) => void (scope = node),
    op,
    ops,
    weight: (weight) => derived(weight, '', () => weight),
    derived,
    floats,
    ints,
    scalar: (value) => constant(`scalar ${value}`, (name) => floatTensor(name, [], Float32Array.of(value))),
    value: (name, dims, order = naturalOrder(dims.length)) => ({ name, shape: dims, order }),
    stored,
    natural: (value) => stored(value, naturalOrder(value.shape.length)),
    images: (value) => stored(value, imagesOrder),
    reshape,
    shape,
    declare(value) {
      const known = inputs.some((v) => v.name === value.name) || constants.has(value.name)
      if (!known) values.set(value.name, valueInfo(value.name, named(storedShape(value))))
    },
    input(name, dims, elementType) {
      inputs.push(valueInfo(name, named(dims), elementType))
      return name
    },
    output(name, value, dims) {
      nodes.push(onnxNode('Identity', [value], [name], {}, `${scope}/${name}`))
      outputs.push(valueInfo(name, named(dims)))
    },
    finish() {
      const external: WrittenModel['external'] = []
      const initializers = [...constants.values()].map((tensor) => {
        if (tensor.rawData!.length <= insideBytes) return tensor
        external.push({ path: tensor.name, data: tensor.rawData! })
        return externalTensor(tensor)
      })
      const model = onnxModel({ nodes, initializers, inputs, outputs, values: [...values.values()] }, opset, irVersion)
      return { bytes: writeOnnx(model), external }
    },
  }
}

/**
 * The part of ONNX's protobuf schema (onnx.proto, field numbers as there) that image classifiers use. What is not listed is
 * skipped at reading: documentation strings, training information, quantisation annotations.
 */
export interface OnnxModel {
  irVersion: number
  producerName: string
  producerVersion: string
  /** One per domain; '' is ONNX's own. */
  opsets: OperatorSet[]
  graph: OnnxGraph
  functions: OnnxFunction[]
  metadata: StringEntry[]
}

export interface OperatorSet {
  domain: string
  version: number
}

export interface StringEntry {
  key: string
  value: string
}

export interface OnnxGraph {
  name: string
  nodes: OnnxNode[]
  initializers: OnnxTensor[]
  /** Only seen to be refused. */
  sparseInitializers: SparseTensor[]
  inputs: ValueInfo[]
  outputs: ValueInfo[]
  /** Types and shapes of other values. */
  values: ValueInfo[]
}

export interface OnnxNode {
  name: string
  opType: string
  domain: string
  /** Names of values; '' where an optional input is left out. */
  inputs: string[]
  outputs: string[]
  attributes: OnnxAttribute[]
}

export interface OnnxAttribute {
  name: string
  /** Of `attributeTypes`; 0 in the oldest files. */
  type: number
  /** In the body of a function: the function's attribute that this one stands for. */
  reference: string
  f: number
  i: number
  s: string
  t: OnnxTensor | undefined
  g: OnnxGraph | undefined
  floats: number[]
  ints: number[]
  strings: string[]
  tensors: OnnxTensor[]
}

/** A function of the model: its body stands for a node of `domain` and `name`. */
export interface OnnxFunction {
  name: string
  domain: string
  inputs: string[]
  outputs: string[]
  attributes: string[]
  nodes: OnnxNode[]
  opsets: OperatorSet[]
}

/** Elements as they lie in the file; `tensorValues` reads them. */
export interface OnnxTensor {
  name: string
  dims: number[]
  /** Of `elementTypes`. */
  dataType: number
  rawData: Uint8Array | undefined
  /** Packed protobuf fields, in pieces, not copied. */
  floatData: Uint8Array[]
  int32Data: Uint8Array[]
  int64Data: Uint8Array[]
  doubleData: Uint8Array[]
  uint64Data: Uint8Array[]
  /** 1 where the elements lie in a file of their own. */
  dataLocation: number
  /** Entries location, offset, length. */
  externalData: StringEntry[]
}

export interface SparseTensor {
  values: OnnxTensor | undefined
}

export interface ValueInfo {
  name: string
  type: ValueType | undefined
}

export interface ValueType {
  tensor: TensorType | undefined
}

export interface TensorType {
  elementType: number
  shape: TensorShape | undefined
}

export interface TensorShape {
  dims: Dimension[]
}

/** A number, a name, or neither. */
export interface Dimension {
  value: number | undefined
  name: string | undefined
}

export const attributeTypes = { float: 1, int: 2, string: 3, tensor: 4, graph: 5, floats: 6, ints: 7, strings: 8, tensors: 9 } as const

export const elementTypes = {
  float: 1, uint8: 2, int8: 3, uint16: 4, int16: 5, int32: 6, int64: 7, string: 8, bool: 9, float16: 10, double: 11, uint32: 12, uint64: 13,
  complex64: 14, complex128: 15, bfloat16: 16, float8e4m3fn: 17, float8e4m3fnuz: 18, float8e5m2: 19, float8e5m2fnuz: 20, uint4: 21, int4: 22,
  float4e2m1: 23,
} as const
export type ElementName = keyof typeof elementTypes

/** `packed` keeps the bytes of a repeated number as they lie in the file. */
export type FieldKind = 'int' | 'float' | 'string' | 'bytes' | 'packed' | (() => Message)

export interface Field {
  readonly property: string
  readonly kind: FieldKind
  /** `repeated`: a list; `single`: 0 or '' where absent; `optional`: undefined where absent. */
  readonly count: 'single' | 'optional' | 'repeated'
  /** The wire type of the elements of a packed field: 0 varint, 1 eight bytes, 5 four bytes. */
  readonly element?: 0 | 1 | 5
}

export interface Message {
  readonly name: string
  readonly fields: ReadonlyMap<number, Field>
}

type FieldOf<V> = V extends readonly unknown[] ? 'repeated' : undefined extends V ? 'optional' : 'single'

/** Each property of the interface has one field, counted as its type says. */
type Fields<T> = { [K in keyof T]-?: readonly [id: number, kind: FieldKind, count: FieldOf<T[K]>, element?: 0 | 1 | 5] }

function message<T>(name: string, fields: Fields<T>): Message {
  const entries = Object.entries(fields) as [string, readonly [number, FieldKind, Field['count'], (0 | 1 | 5)?]][]
  return {
    name,
    fields: new Map(entries.map(([property, [id, kind, count, element]]) => [id, { property, kind, count, ...(element === undefined ? {} : { element }) }])),
  }
}

const stringEntry = message<StringEntry>('StringStringEntryProto', { key: [1, 'string', 'single'], value: [2, 'string', 'single'] })

const operatorSet = message<OperatorSet>('OperatorSetIdProto', { domain: [1, 'string', 'single'], version: [2, 'int', 'single'] })

const dimension = message<Dimension>('Dimension', { value: [1, 'int', 'optional'], name: [2, 'string', 'optional'] })

const tensorShape = message<TensorShape>('TensorShapeProto', { dims: [1, () => dimension, 'repeated'] })

const tensorType = message<TensorType>('TypeProto.Tensor', { elementType: [1, 'int', 'single'], shape: [2, () => tensorShape, 'optional'] })

const valueType = message<ValueType>('TypeProto', { tensor: [1, () => tensorType, 'optional'] })

const valueInfo = message<ValueInfo>('ValueInfoProto', { name: [1, 'string', 'single'], type: [2, () => valueType, 'optional'] })

export const tensorMessage = message<OnnxTensor>('TensorProto', {
  dims: [1, 'int', 'repeated'],
  dataType: [2, 'int', 'single'],
  floatData: [4, 'packed', 'repeated', 5],
  int32Data: [5, 'packed', 'repeated', 0],
  int64Data: [7, 'packed', 'repeated', 0],
  name: [8, 'string', 'single'],
  rawData: [9, 'bytes', 'optional'],
  doubleData: [10, 'packed', 'repeated', 1],
  uint64Data: [11, 'packed', 'repeated', 0],
  externalData: [13, () => stringEntry, 'repeated'],
  dataLocation: [14, 'int', 'single'],
})

const sparseTensor = message<SparseTensor>('SparseTensorProto', { values: [1, () => tensorMessage, 'optional'] })

const attribute = message<OnnxAttribute>('AttributeProto', {
  name: [1, 'string', 'single'],
  f: [2, 'float', 'single'],
  i: [3, 'int', 'single'],
  s: [4, 'string', 'single'],
  t: [5, () => tensorMessage, 'optional'],
  g: [6, () => graph, 'optional'],
  floats: [7, 'float', 'repeated'],
  ints: [8, 'int', 'repeated'],
  strings: [9, 'string', 'repeated'],
  tensors: [10, () => tensorMessage, 'repeated'],
  type: [20, 'int', 'single'],
  reference: [21, 'string', 'single'],
})

const node = message<OnnxNode>('NodeProto', {
  inputs: [1, 'string', 'repeated'],
  outputs: [2, 'string', 'repeated'],
  name: [3, 'string', 'single'],
  opType: [4, 'string', 'single'],
  attributes: [5, () => attribute, 'repeated'],
  domain: [7, 'string', 'single'],
})

const graph: Message = message<OnnxGraph>('GraphProto', {
  nodes: [1, () => node, 'repeated'],
  name: [2, 'string', 'single'],
  initializers: [5, () => tensorMessage, 'repeated'],
  inputs: [11, () => valueInfo, 'repeated'],
  outputs: [12, () => valueInfo, 'repeated'],
  values: [13, () => valueInfo, 'repeated'],
  sparseInitializers: [15, () => sparseTensor, 'repeated'],
})

const modelFunction = message<OnnxFunction>('FunctionProto', {
  name: [1, 'string', 'single'],
  inputs: [4, 'string', 'repeated'],
  outputs: [5, 'string', 'repeated'],
  attributes: [6, 'string', 'repeated'],
  nodes: [7, () => node, 'repeated'],
  opsets: [9, () => operatorSet, 'repeated'],
  domain: [10, 'string', 'single'],
})

/** A graph is required: a file without one reads as an empty graph, which the importer refuses. */
export const modelMessage = message<OnnxModel>('ModelProto', {
  irVersion: [1, 'int', 'single'],
  producerName: [2, 'string', 'single'],
  producerVersion: [3, 'string', 'single'],
  graph: [7, () => graph, 'single'],
  opsets: [8, () => operatorSet, 'repeated'],
  metadata: [14, () => stringEntry, 'repeated'],
  functions: [25, () => modelFunction, 'repeated'],
})

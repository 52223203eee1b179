import protobuf from 'protobufjs/minimal.js'
import type { Field, Message, OnnxAttribute, OnnxGraph, OnnxModel, OnnxNode, OnnxTensor, ValueInfo } from './schema.ts'
import { attributeTypes, elementTypes, modelMessage, tensorMessage } from './schema.ts'

/** The bytes of an ONNX file. */
export function writeOnnx(model: OnnxModel): Uint8Array {
  return write(modelMessage, model)
}

/** The bytes of one TensorProto. */
export function writeTensor(tensor: OnnxTensor): Uint8Array {
  return write(tensorMessage, tensor)
}

function write(message: Message, value: unknown): Uint8Array {
  const writer = new protobuf.Writer()
  writeMessage(writer, message, value as Record<string, unknown>)
  return writer.finish()
}

function writeMessage(writer: protobuf.Writer, message: Message, value: Record<string, unknown>): void {
  for (const [id, field] of message.fields) {
    const content = value[field.property]
    if (content === undefined) continue
    if (field.count === 'repeated') for (const item of content as unknown[]) writeField(writer, id, field, item)
    else if (field.count === 'optional' || (content !== 0 && content !== '')) writeField(writer, id, field, content)
  }
}

function writeField(writer: protobuf.Writer, id: number, field: Field, value: unknown): void {
  const tag = (wire: number): protobuf.Writer => writer.uint32(((id << 3) | wire) >>> 0)
  switch (field.kind) {
    case 'int':
      tag(0).int64(value as number)
      return
    case 'float':
      tag(5).float(value as number)
      return
    case 'string':
      tag(2).string(value as string)
      return
    case 'bytes':
    case 'packed':
      tag(2).bytes(value as Uint8Array)
      return
    default:
      tag(2).fork()
      writeMessage(writer, field.kind(), value as Record<string, unknown>)
      writer.ldelim()
  }
}

const noData = { rawData: undefined, floatData: [], int32Data: [], int64Data: [], doubleData: [], uint64Data: [], dataLocation: 0, externalData: [] }

export function floatTensor(name: string, dims: readonly number[], data: Float32Array): OnnxTensor {
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return { ...noData, name, dims: [...dims], dataType: elementTypes.float, rawData }
}

export function int64Tensor(name: string, dims: readonly number[], values: readonly number[]): OnnxTensor {
  const data = BigInt64Array.from(values, (v) => BigInt(v))
  return { ...noData, name, dims: [...dims], dataType: elementTypes.int64, rawData: new Uint8Array(data.buffer) }
}

/** What an attribute may hold; a whole number is written as INT unless it is given as { float }. */
export type AttributeValue = number | { float: number } | string | readonly number[] | { floats: readonly number[] } | { tensor: OnnxTensor }

export function onnxAttribute(name: string, value: AttributeValue): OnnxAttribute {
  const none = { name, reference: '', f: 0, i: 0, s: '', t: undefined, g: undefined, floats: [], ints: [], strings: [], tensors: [] }
  if (typeof value === 'number') return Number.isInteger(value) ? { ...none, type: attributeTypes.int, i: value } : { ...none, type: attributeTypes.float, f: value }
  if (typeof value === 'string') return { ...none, type: attributeTypes.string, s: value }
  if ('float' in value) return { ...none, type: attributeTypes.float, f: value.float }
  if ('floats' in value) return { ...none, type: attributeTypes.floats, floats: [...value.floats] }
  if ('tensor' in value) return { ...none, type: attributeTypes.tensor, t: value.tensor }
  return { ...none, type: attributeTypes.ints, ints: [...value] }
}

export function onnxNode(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  name = outputs[0] ?? '',
): OnnxNode {
  return {
    name, opType, domain: '', inputs: [...inputs], outputs: [...outputs],
    attributes: Object.entries(attributes).map(([key, value]) => onnxAttribute(key, value)),
  }
}

/** @param dims a name stands for a dimension that is not fixed. */
export function valueInfo(name: string, dims: readonly (number | string)[], elementType: number = elementTypes.float): ValueInfo {
  const written = dims.map((d) => (typeof d === 'number' ? { value: d, name: undefined } : { value: undefined, name: d }))
  return { name, type: { tensor: { elementType, shape: { dims: written } } } }
}

/** @param irVersion of the file format; readers refuse versions newer than they are */
export function onnxModel(graph: Omit<OnnxGraph, 'sparseInitializers' | 'name' | 'values'> & Partial<Pick<OnnxGraph, 'values'>>, opset: number, irVersion = 8): OnnxModel {
  return {
    irVersion, producerName: 'Maskscope', producerVersion: '', opsets: [{ domain: '', version: opset }], functions: [], metadata: [],
    graph: { name: 'graph', sparseInitializers: [], values: [], ...graph },
  }
}

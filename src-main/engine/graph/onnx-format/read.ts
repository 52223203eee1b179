import protobuf from 'protobufjs/minimal.js'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Field, Message, OnnxModel, OnnxTensor } from './schema.ts'
import { modelMessage, tensorMessage } from './schema.ts'

/** What a file may hold; checked before anything is allocated. Far above any image classifier. */
export const readLimits = {
  /** Messages, names and numbers of all lists together. */
  items: 500_000,
  /** Messages inside messages: a graph inside an attribute of a node of a graph and so on. */
  nesting: 40,
  /** Bytes of one name. */
  nameBytes: 65_536,
} as const

const VARINT = 0
const EIGHT_BYTES = 1
const LENGTH = 2
const FOUR_BYTES = 5
const text = new TextDecoder()

/**
 * Reads an ONNX file. Large data is not copied: the tensors keep views of `bytes`.
 * @throws MaskscopeError 'input' where the bytes are not such a file, or are more than `readLimits` allow.
 */
export function readOnnx(bytes: Uint8Array): OnnxModel {
  const model = readMessage(bytes, modelMessage) as OnnxModel
  if (model.graph.nodes.length === 0) throw unreadable('it holds no graph with nodes')
  return model
}

/** Reads one TensorProto, as in the .pb files of ONNX's test data. */
export function readTensor(bytes: Uint8Array): OnnxTensor {
  return readMessage(bytes, tensorMessage) as OnnxTensor
}

function readMessage(file: Uint8Array, message: Message): unknown {
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength)
  if (bytes.length === 0) throw unreadable('it is empty')
  const reader = new protobuf.Reader(bytes)
  let items = 0

  try {
    return read(message, bytes.length, 0)
  } catch (error) {
    if (error instanceof MaskscopeError) throw error
    throw unreadable(`it is damaged at byte ${reader.pos} of ${bytes.length}`, error)
  }

  function read(type: Message, end: number, depth: number): Record<string, unknown> {
    if (depth > readLimits.nesting) throw unreadable(`its graphs are nested more than ${readLimits.nesting} levels deep`)
    const result = empty(type, depth)
    while (reader.pos < end) {
      const tag = reader.tag()
      const field = type.fields.get(tag >>> 3)
      if (field) readField(result, field, tag & 7, end, depth)
      else skip(tag & 7, end)
      if (reader.pos > end) throw new RangeError('a field is longer than what holds it')
    }
    return result
  }

  function empty(type: Message, depth: number): Record<string, unknown> {
    count()
    const result: Record<string, unknown> = {}
    for (const { property, kind, count: many } of type.fields.values()) {
      if (many === 'repeated') result[property] = []
      else if (many === 'optional') result[property] = undefined
      else if (typeof kind === 'function') result[property] = empty(kind(), depth + 1)
      else result[property] = kind === 'string' ? '' : 0
    }
    return result
  }

  function readField(result: Record<string, unknown>, field: Field, wire: number, end: number, depth: number): void {
    if (field.kind === 'packed') {
      count()
      ;(result[field.property] as unknown[]).push(packed(field, wire, end))
    } else if (field.count === 'repeated' && wire === LENGTH && (field.kind === 'int' || field.kind === 'float')) {
      const stop = reader.size() + reader.pos
      if (stop > end) throw new RangeError('a list is longer than what holds it')
      const list = result[field.property] as unknown[]
      const wireOfElements = field.kind === 'int' ? VARINT : FOUR_BYTES
      while (reader.pos < stop) list.push(value(field, wireOfElements, stop, depth))
    } else {
      const read = value(field, wire, end, depth)
      if (field.count === 'repeated') (result[field.property] as unknown[]).push(read)
      else result[field.property] = read
    }
  }

  function value(field: Field, wire: number, end: number, depth: number): unknown {
    if (field.count === 'repeated') count()
    switch (field.kind) {
      case 'int':
        if (wire !== VARINT) throw new TypeError('not a whole number')
        return Number(reader.int64())
      case 'float':
        if (wire !== FOUR_BYTES) throw new TypeError('not a number')
        return reader.float()
      case 'string': {
        const bytesOfName = view(wire, end)
        if (bytesOfName.length > readLimits.nameBytes) throw unreadable(`it holds a name of ${bytesOfName.length} bytes`)
        return text.decode(bytesOfName)
      }
      case 'bytes':
        return view(wire, end)
      case 'packed':
        throw new TypeError('packed fields are read apart')
      default: {
        if (wire !== LENGTH) throw new TypeError('not a message')
        const stop = reader.size() + reader.pos
        if (stop > end) throw new RangeError('a message is longer than what holds it')
        return read(field.kind(), stop, depth + 1)
      }
    }
  }

  /** Also a single number that a writer did not pack. */
  function packed(field: Field, wire: number, end: number): Uint8Array {
    if (wire === LENGTH) return view(wire, end)
    if (wire !== field.element) throw new TypeError('not a list of numbers')
    const start = reader.pos
    skip(wire, end)
    return bytes.subarray(start, reader.pos)
  }

  function view(wire: number, end: number): Uint8Array {
    if (wire !== LENGTH) throw new TypeError('not a name or data')
    const stop = reader.size() + reader.pos
    if (stop > end) throw new RangeError('data is longer than what holds it')
    const found = bytes.subarray(reader.pos, stop)
    reader.pos = stop
    return found
  }

  function skip(wire: number, end: number): void {
    if (wire === LENGTH) view(wire, end)
    else if (wire === VARINT || wire === EIGHT_BYTES || wire === FOUR_BYTES) reader.skipType(wire)
    else throw new TypeError(`unknown wire type ${wire}`)
  }

  function count(): void {
    items++
    if (items > readLimits.items) throw unreadable(`it holds more than ${readLimits.items} nodes, names and numbers`)
  }
}

function unreadable(why: string, cause?: unknown): MaskscopeError {
  return new MaskscopeError('input', `The file cannot be read as an ONNX model: ${why}. Download or export the model again.`, { cause })
}

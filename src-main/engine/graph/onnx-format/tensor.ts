import { MaskscopeError } from '#shared/domain/errors.ts'
import type { OnnxTensor } from './schema.ts'
import { elementTypes } from './schema.ts'

/** Elements of a tensor: floating types as Float32Array, whole numbers and booleans as Float64Array. */
export interface TensorValues {
  readonly shape: readonly number[]
  /** Of `elementTypes`. */
  readonly type: number
  readonly data: Float32Array | Float64Array
}

/** Bytes of one element as it lies in raw data; what is not listed cannot be read. */
const elementBytes: Readonly<Record<number, number>> = {
  [elementTypes.float]: 4, [elementTypes.uint8]: 1, [elementTypes.int8]: 1, [elementTypes.uint16]: 2, [elementTypes.int16]: 2,
  [elementTypes.int32]: 4, [elementTypes.int64]: 8, [elementTypes.bool]: 1, [elementTypes.float16]: 2, [elementTypes.double]: 8,
  [elementTypes.uint32]: 4, [elementTypes.uint64]: 8, [elementTypes.bfloat16]: 2,
}

export function typeName(type: number): string {
  return Object.entries(elementTypes).find(([, code]) => code === type)?.[0] ?? `type ${type}`
}

/**
 * The number of bytes that the tensor's elements take as raw data.
 * @throws MaskscopeError 'input' where the type cannot be read or a dimension is impossible
 */
export function declaredBytes(tensor: OnnxTensor): number {
  const bytes = elementBytes[tensor.dataType]
  if (bytes === undefined) {
    throw broken(tensor, `has the type ${typeName(tensor.dataType)}, which cannot be read`, 'Export the model with float32 weights.')
  }
  const size = tensor.dims.reduce((product, n) => product * n, 1)
  if (!tensor.dims.every((n) => Number.isSafeInteger(n) && n >= 0) || !Number.isSafeInteger(size * bytes)) {
    throw broken(tensor, `states the impossible shape [${tensor.dims.join(', ')}]`)
  }
  return size * bytes
}

/**
 * @param external contents of the files that the model names, by location
 * @throws MaskscopeError 'input' naming the tensor, where its data does not fit its shape or holds a NaN
 */
export function tensorValues(tensor: OnnxTensor, external: Readonly<Record<string, Uint8Array>> = {}): TensorValues {
  const needed = declaredBytes(tensor)
  const size = needed / elementBytes[tensor.dataType]!
  const raw = tensor.dataLocation === 1 ? externalBytes(tensor, needed, external) : tensor.rawData
  const data = raw ? fromRaw(tensor, raw, needed, size) : fromFields(tensor, size)
  const bad = firstNaN(data)
  if (bad >= 0) throw broken(tensor, `holds NaN at position ${bad}; a model with such weights cannot be explained`, 'Export or train it again.')
  return { shape: [...tensor.dims], type: tensor.dataType, data }
}

/** A loop, for weights come by the hundred million. */
function firstNaN(data: Float32Array | Float64Array): number {
  for (let i = 0; i < data.length; i++) if (Number.isNaN(data[i])) return i
  return -1
}

/** Where a tensor's data lies in a file of its own. Offset and length are in bytes. */
export function externalPart(tensor: OnnxTensor): { location: string; offset: number; length: number | null } {
  const entry = (key: string): string | undefined => tensor.externalData.find((e) => e.key === key)?.value
  const number = (key: string): number | null => {
    const stated = entry(key)
    if (stated === undefined || stated === '') return null
    const value = Number(stated)
    if (!Number.isSafeInteger(value) || value < 0) throw broken(tensor, `states the impossible ${key} ${stated} in its data file`)
    return value
  }
  const location = entry('location')
  if (location === undefined || location === '') throw broken(tensor, 'keeps its data in a file of its own but names none')
  return { location, offset: number('offset') ?? 0, length: number('length') }
}

function externalBytes(tensor: OnnxTensor, needed: number, external: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const { location, offset, length } = externalPart(tensor)
  const file = Object.hasOwn(external, location) ? external[location] : undefined
  if (!file) throw broken(tensor, `keeps its data in ${location}, which is missing`, 'Put that file beside the model.')
  if (length !== null && length !== needed) {
    throw broken(tensor, `needs ${needed} bytes for its shape [${tensor.dims.join(', ')}] but states ${length} of ${location}`)
  }
  if (offset + needed > file.length) {
    throw broken(tensor, `needs bytes ${offset} to ${offset + needed} of ${location}, which has ${file.length}`, 'Download or copy that file again.')
  }
  return file.subarray(offset, offset + needed)
}

function fromRaw(tensor: OnnxTensor, raw: Uint8Array, needed: number, size: number): Float32Array | Float64Array {
  if (raw.length !== needed) throw broken(tensor, `needs ${needed} bytes for its shape [${tensor.dims.join(', ')}] and has ${raw.length}`)
  const buffer = new Uint8Array(raw).buffer
  switch (tensor.dataType) {
    case elementTypes.float:
      return new Float32Array(buffer)
    case elementTypes.double:
      return Float32Array.from(new Float64Array(buffer))
    case elementTypes.float16:
      return halves(new Uint16Array(buffer))
    case elementTypes.bfloat16:
      return shortened(new Uint16Array(buffer))
    case elementTypes.int64:
      return longs(new Uint32Array(buffer), new Int32Array(buffer), size)
    case elementTypes.uint64:
      return longs(new Uint32Array(buffer), new Uint32Array(buffer), size)
    case elementTypes.int32:
      return Float64Array.from(new Int32Array(buffer))
    case elementTypes.uint32:
      return Float64Array.from(new Uint32Array(buffer))
    case elementTypes.int16:
      return Float64Array.from(new Int16Array(buffer))
    case elementTypes.uint16:
      return Float64Array.from(new Uint16Array(buffer))
    case elementTypes.int8:
      return Float64Array.from(new Int8Array(buffer))
    default:
      return Float64Array.from(new Uint8Array(buffer))
  }
}

/** From the packed field that belongs to the type. */
function fromFields(tensor: OnnxTensor, size: number): Float32Array | Float64Array {
  const { dataType } = tensor
  if (dataType === elementTypes.float) return fixed(tensor, tensor.floatData, size, 4, (b) => new Float32Array(b))
  if (dataType === elementTypes.double) return Float32Array.from(fixed(tensor, tensor.doubleData, size, 8, (b) => new Float64Array(b)))
  const unsigned = dataType === elementTypes.uint32 || dataType === elementTypes.uint64
  const pieces = dataType === elementTypes.int64 ? tensor.int64Data : unsigned ? tensor.uint64Data : tensor.int32Data
  const values = varints(tensor, pieces, size, unsigned)
  if (dataType === elementTypes.float16) return halves(Uint16Array.from(values))
  if (dataType === elementTypes.bfloat16) return shortened(Uint16Array.from(values))
  return values
}

function fixed<T>(tensor: OnnxTensor, pieces: readonly Uint8Array[], size: number, bytes: number, make: (buffer: ArrayBuffer) => T): T {
  const total = pieces.reduce((sum, p) => sum + p.length, 0)
  if (total !== size * bytes) throw broken(tensor, `needs ${size} numbers for its shape [${tensor.dims.join(', ')}] and has ${total / bytes}`)
  const joined = new Uint8Array(total)
  let at = 0
  for (const piece of pieces) {
    joined.set(piece, at)
    at += piece.length
  }
  return make(joined.buffer)
}

/** Numbers beyond 2^53 are rounded; files hold them only to say "to the end". */
function varints(tensor: OnnxTensor, pieces: readonly Uint8Array[], size: number, unsigned: boolean): Float64Array {
  const total = pieces.reduce((sum, p) => sum + p.length, 0)
  const short = (): Error => broken(tensor, `has fewer or more numbers than its shape [${tensor.dims.join(', ')}] needs`)
  if (total < size) throw short()
  const values = new Float64Array(size)
  let count = 0
  for (const piece of pieces) {
    let at = 0
    while (at < piece.length) {
      let low = 0
      let high = 0
      let shift = 0
      let byte: number
      do {
        if (at >= piece.length || shift > 63) throw broken(tensor, 'holds a damaged number')
        byte = piece[at++]!
        if (shift < 28) low += (byte & 127) * 2 ** shift
        else high += (byte & 127) * 2 ** (shift - 28)
        shift += 7
      } while (byte >= 128)
      if (count === size) throw short()
      const negative = !unsigned && high >= 2 ** 35
      values[count++] = low + (negative ? high - 2 ** 36 : high) * 2 ** 28
    }
  }
  if (count !== size) throw short()
  return values
}

function longs(low: Uint32Array, high: Int32Array | Uint32Array, size: number): Float64Array {
  return Float64Array.from({ length: size }, (_, i) => low[2 * i]! + high[2 * i + 1]! * 2 ** 32)
}

function halves(bits: Uint16Array): Float32Array {
  return Float32Array.from(bits, (b) => {
    const sign = b & 0x8000 ? -1 : 1
    const exponent = (b >> 10) & 31
    const fraction = b & 1023
    if (exponent === 31) return fraction ? NaN : sign * Infinity
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25)
  })
}

/** bfloat16 is the upper half of a float32. */
function shortened(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, (b) => b << 16).buffer)
}

function broken(tensor: OnnxTensor, what: string, advice = 'Download or export the model again.'): MaskscopeError {
  return new MaskscopeError('input', `Tensor ${tensor.name || '(without a name)'} of the model ${what}. ${advice}`, { subject: tensor.name })
}

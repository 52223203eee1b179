import { open } from 'node:fs/promises'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { storageError } from './files.ts'

/**
 * Arrays in NumPy's .npy format, version 1.0 written, 1.0 to 3.0 read (numpy.lib.format): little-endian, C order, plain
 * numbers only. Object arrays (pickles) are never read.
 */
export type NpyData = Float32Array | Float64Array | Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array

export interface NpyArray {
  /** Row-major. */
  shape: readonly number[]
  /** length = product of shape */
  data: NpyData
}

const kinds = [
  { descriptor: '<f4', type: Float32Array },
  { descriptor: '<f8', type: Float64Array },
  { descriptor: '|i1', type: Int8Array },
  { descriptor: '|u1', type: Uint8Array },
  { descriptor: '<i2', type: Int16Array },
  { descriptor: '<u2', type: Uint16Array },
  { descriptor: '<i4', type: Int32Array },
  { descriptor: '<u4', type: Uint32Array },
] as const

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] // \x93NUMPY
/** NumPy aligns the data to this. */
const alignment = 64
const maxDimensions = 32
/** Files past this size are refused before anything is read: no array of ours comes near. */
export const maxNpyBytes = 2 ** 31

/** Header and data, to be written one after the other. The data part shares the array's memory. */
export function encodeNpy(array: NpyArray): [header: Uint8Array, data: Uint8Array] {
  const { shape, data } = array
  if (product(shape) !== data.length) {
    throw new RangeError(`shape ${shape.join(' × ')} does not hold ${data.length} values`)
  }
  const kind = kinds.find((k) => data instanceof k.type)!
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
  const text = `{'descr': '${kind.descriptor}', 'fortran_order': False, 'shape': ${tuple}, }`
  const preamble = magic.length + 4
  const length = Math.ceil((preamble + text.length + 1) / alignment) * alignment - preamble
  const header = new Uint8Array(preamble + length)
  header.set(magic)
  header.set([1, 0, length & 0xff, length >> 8], magic.length)
  header.set(new TextEncoder().encode(`${text.padEnd(length - 1)}\n`), preamble)
  return [header, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]
}

/**
 * @param name of the file, for error messages
 * @throws MaskscopeError 'storage' when the bytes are not a whole array of a kind listed above.
 */
export function decodeNpy(bytes: Uint8Array, name: string): NpyArray {
  const header = parseHeader(bytes.subarray(0, headerLimit), bytes.byteLength, name)
  return readData(bytes.subarray(header.offset), header)
}

/** @throws MaskscopeError 'storage'; size and header are checked against each other before memory is taken. */
export async function readNpy(file: string): Promise<NpyArray> {
  try {
    const handle = await open(file, 'r')
    try {
      const { size } = await handle.stat()
      if (size > maxNpyBytes) throw notNpy(file, `it is ${size} bytes long, more than the ${maxNpyBytes} allowed`)
      const start = new Uint8Array(Math.min(size, headerLimit))
      await readFully(handle, start, 0, file)
      const header = parseHeader(start, size, file)
      const data = new Uint8Array(header.byteLength)
      await readFully(handle, data, header.offset, file)
      return readData(data, header)
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw storageError(error, file, 'read')
  }
}

interface Header {
  kind: (typeof kinds)[number]
  shape: number[]
  count: number
  offset: number
  byteLength: number
}

/** The longest header read: preamble and 64 KiB, all that version 1.0 can have. */
const headerLimit = 12 + 0xffff

function parseHeader(start: Uint8Array, fileSize: number, name: string): Header {
  if (start.length < 12 || magic.some((byte, i) => start[i] !== byte)) throw notNpy(name, 'it does not begin as one')
  const version = start[6]!
  if (version < 1 || version > 3) throw notNpy(name, `its format version ${version} is unknown`)
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength)
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  const textStart = version === 1 ? 10 : 12
  const offset = textStart + length
  if (offset > start.length) throw notNpy(name, 'its header is longer than the file or than 64 KiB')
  const text = new TextDecoder('latin1').decode(start.subarray(textStart, offset))
  const descriptor = /'descr'\s*:\s*'([^']{1,16})'/.exec(text)?.[1]
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1]
  const tuple = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(text)?.[1]
  if (descriptor === undefined || order === undefined || tuple === undefined) throw notNpy(name, 'its header cannot be read')
  const kind = kinds.find((k) => k.descriptor === descriptor || k.descriptor.replace('|', '<') === descriptor)
  if (!kind) throw notNpy(name, `its type ${descriptor} is not one of ${kinds.map((k) => k.descriptor).join(', ')}; convert it with numpy's astype`)
  if (order === 'True') throw notNpy(name, 'it is in Fortran order; save numpy.ascontiguousarray of it')
  const parts = tuple.split(',').map((part) => part.trim()).filter((part) => part !== '')
  const shape = parts.map(Number)
  if (shape.length > maxDimensions || shape.some((n) => !Number.isSafeInteger(n))) throw notNpy(name, 'its shape cannot be read')
  const count = product(shape)
  const byteLength = count * kind.type.BYTES_PER_ELEMENT
  if (!Number.isSafeInteger(byteLength) || offset + byteLength !== fileSize) {
    throw notNpy(name, `its shape (${shape.join(', ')}) needs ${byteLength} bytes of data and the file has ${fileSize - offset}`)
  }
  return { kind, shape, count, offset, byteLength }
}

function readData(bytes: Uint8Array, header: Header): NpyArray {
  const { type } = header.kind
  const aligned = bytes.byteOffset % type.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice()
  return { shape: header.shape, data: new type(aligned.buffer as ArrayBuffer, aligned.byteOffset, header.count) }
}

async function readFully(handle: Awaited<ReturnType<typeof open>>, into: Uint8Array, position: number, name: string): Promise<void> {
  let done = 0
  while (done < into.length) {
    const { bytesRead } = await handle.read(into, done, into.length - done, position + done)
    if (bytesRead === 0) throw notNpy(name, 'it ended early; another program may be writing it')
    done += bytesRead
  }
}

function product(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1)
}

function notNpy(name: string, why: string): MaskscopeError {
  return new MaskscopeError('storage', `${name} is not a .npy array that can be read: ${why}.`, { subject: name })
}

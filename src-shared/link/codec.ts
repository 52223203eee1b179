import { Decoder, Encoder, ExtensionCodec } from '@msgpack/msgpack'
import { scan } from './codec-scan.ts'

/**
 * Messages as bytes: MessagePack, with Float32Array as extension 1 (little endian) and Uint8Array as extension 2. What
 * is undefined is left out.
 */
const extensions = new ExtensionCodec()

extensions.register({
  type: 1,
  encode: (value) => (isTyped(value, 'Float32Array') ? bytesOf(value) : null),
  decode(data) {
    if (data.byteLength % 4 !== 0) throw new RangeError('floats cut off')
    // A copy: inside the message they would not be aligned.
    return new Float32Array(data.slice().buffer)
  },
})
extensions.register({
  type: 2,
  encode: (value) => (isTyped(value, 'Uint8Array') ? bytesOf(value) : null),
  // A copy, of this very class: a view would keep the whole message, and take it along to wherever it is sent on.
  decode: (data) => new Uint8Array(data),
})

const decoder = new Decoder({ extensionCodec: extensions })
let encoder = createEncoder()
/** An encoder keeps the largest buffer it ever needed. */
const mostKept = 4 << 20

/** @throws Error for what cannot be sent, e.g. a function or a structure that contains itself */
export function encodeMessage(message: unknown): Uint8Array<ArrayBuffer> {
  const bytes = encoder.encode(message)
  if (bytes.length > mostKept) encoder = createEncoder()
  return bytes
}

/** @throws Error for what is no message, or one that would need unreasonable room */
export function decodeMessage(data: ArrayBuffer | Uint8Array): unknown {
  // Of the plain class, whatever came: Node's Buffer has a slice of its own.
  const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  scan(bytes)
  return decoder.decode(bytes)
}

function createEncoder(): Encoder {
  return new Encoder({ extensionCodec: extensions, ignoreUndefined: true, maxDepth: 32 })
}

function isTyped(value: unknown, name: string): value is Uint8Array | Float32Array {
  return Object.prototype.toString.call(value) === `[object ${name}]`
}

function bytesOf(array: Uint8Array | Float32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

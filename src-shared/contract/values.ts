import * as z from 'zod/mini'

/** Building blocks of the contract, with the limits that every message keeps (docs/security.md, item 9). */

export const text = (most = 4096) => z.string().check(z.maxLength(most))
export const count = z.int().check(z.nonnegative())
export const size = z.int().check(z.positive(), z.lte(1_000_000))
export const probability = z.nullable(z.number())
export const nothing = z.object({})

/** Opaque names that the main side gives out; the page never sees a path it could make up. */
export const handle = text(128)
/** Of a run in the open study, e.g. `0001-zebra-neuromask`. */
export const runId = text(128)

function typed<T extends Uint8Array | Float32Array>(name: string, bytesPerValue: number, mostBytes: number) {
  // By name, not by instanceof: an array may come from another realm.
  return z.custom<T>((value) => Object.prototype.toString.call(value) === `[object ${name}]`
    && (value as T).length * bytesPerValue <= mostBytes)
}

/** A file or pixels. */
export const bytes = (most = 256 << 20) => typed<Uint8Array<ArrayBuffer>>('Uint8Array', 1, most)
export const floats = (most = 512 << 20) => typed<Float32Array<ArrayBuffer>>('Float32Array', 4, most)

/** Row-major. */
export const map = z.object({ height: size, width: size, data: floats() })
/** Maps of one size, row-major. */
export const mapStack = z.object({ count: size, height: size, width: size, data: floats() })
/** 8-bit RGB, row-major. */
export const pixels = z.object({ height: size, width: size, data: bytes() })

export const parameterValue = z.union([z.number(), text(500), z.boolean()])
export const parameterValues = z.record(text(64), parameterValue)
export const error = z.object({
  code: z.enum(['usage', 'input', 'run', 'worker', 'storage', 'unavailable', 'cancelled']),
  message: text(20_000),
  subject: z.optional(text()),
})

import { encode } from '@msgpack/msgpack'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeMessage, encodeMessage } from '#shared/link/codec.ts'

const round = (value: unknown): unknown => decodeMessage(encodeMessage(value))

describe('messages as bytes', () => {
  test('come back as they were', () => {
    fc.assert(fc.property(fc.record({
      type: fc.string(), id: fc.maxSafeNat(), flag: fc.boolean(), none: fc.constant(null), number: fc.double().map((x) => x + 0), // no minus zero: whole numbers have none
      map: fc.float32Array(), file: fc.uint8Array({ maxLength: 300 }), list: fc.array(fc.record({ name: fc.string(), value: fc.integer() })),
    }), (message) => {
      // What fast-check makes has no prototype.
      expect(round({ ...message })).toEqual({ ...message, list: message.list.map((item) => ({ ...item })) })
    }))
  })

  test('hold arrays of their own: aligned, plain, and of no greater buffer', () => {
    const { map, file } = round({ odd: 'x', map: Float32Array.of(NaN, 1.5), file: Buffer.from([1, 2, 3]) }) as { map: Float32Array; file: Uint8Array }
    expect(map).toEqual(Float32Array.of(NaN, 1.5))
    expect(map.buffer.byteLength).toBe(8)
    expect(file.constructor).toBe(Uint8Array)
    expect(file.buffer.byteLength).toBe(3)
    expect((round({ part: new Float32Array(8).subarray(2, 5) }) as { part: Float32Array }).part).toHaveLength(3)
  })

  test('leave out what is undefined', () => {
    expect(round({ a: undefined, b: 1 })).toEqual({ b: 1 })
  })

  test('are refused at once where their lengths are not true', () => {
    const array32 = (length: number): number[] => [0xdd, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255]
    const hostile: Record<string, number[]> = {
      'an array of four thousand million': array32(0xffffffff),
      'arrays in arrays, each of half a million': Array.from({ length: 30 }, () => array32(500_000)).flat(),
      'a thousand levels': Array.from({ length: 1000 }, () => 0x91).concat(0xc0),
      'a string cut off': [0xdb, 0xff, 0xff, 0xff, 0xff, 0x61],
      'floats cut off': [0xc7, 3, 1, 0, 0, 0],
      'an extension cut off': [0xc9, 0x7f, 0xff, 0xff, 0xff, 1],
      nothing: [],
      'two messages': [0xc0, 0xc0],
      'plain binary, which we do not send': [0xc4, 1, 0],
      'a byte that MessagePack never uses': [0xc1],
    }
    for (const [what, bytes] of Object.entries(hostile)) {
      const before = process.memoryUsage().rss
      expect(() => decodeMessage(Uint8Array.from(bytes)), what).toThrow()
      expect(process.memoryUsage().rss - before, what).toBeLessThan(64 << 20)
    }
    expect(() => decodeMessage(encode(new Array(1_000_001).fill(0)))).toThrow('too many values')
    expect(() => decodeMessage(encode({ ['__proto__x'.slice(0, 9)]: 1 }))).toThrow()
  })

  test('never do more than throw, whatever the bytes', () => {
    const start = encodeMessage({ type: 'call', id: 1, name: 'add', input: { a: [1, 2], map: new Float32Array(4) } })
    const bent = fc.tuple(fc.nat(start.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(start.length)).map(([at, value, length]) => {
      const bytes = start.slice(0, length)
      bytes[at] = value
      return bytes
    })
    fc.assert(fc.property(fc.oneof(fc.uint8Array(), bent), (bytes) => {
      try {
        decodeMessage(bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
    }), { numRuns: 2000 })
  })
})

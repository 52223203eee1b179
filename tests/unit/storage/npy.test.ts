import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { decodeNpy, encodeNpy, maxNpyBytes, readNpy, type NpyArray, type NpyData } from '#storage/npy.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'maskscope-npy-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const hasNumpy = spawnSync('python3', ['-c', 'import numpy'], { stdio: 'ignore' }).status === 0

function whole(array: NpyArray): Uint8Array {
  return Buffer.concat(encodeNpy(array))
}

const types = [Float32Array, Float64Array, Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array, Uint32Array] as const

const arrays: fc.Arbitrary<NpyArray> = fc
  .record({ type: fc.constantFrom(...types), shape: fc.array(fc.nat(6), { maxLength: 4 }), seed: fc.infiniteStream(fc.double({ min: -1e6, max: 1e6, noNaN: true })) })
  .map(({ type, shape, seed }) => {
    const data: NpyData = new type(shape.reduce((a, b) => a * b, 1))
    for (let i = 0; i < data.length; i++) data[i] = seed.next().value as number
    return { shape, data }
  })

describe('round trip', () => {
  test('any array reads back the same', () => {
    fc.assert(
      fc.property(arrays, (array) => {
        expect(decodeNpy(whole(array), 'a')).toEqual(array)
      }),
    )
  })

  test('the header is version 1.0 and aligned to 64 bytes', () => {
    const [header] = encodeNpy({ shape: [3, 2], data: new Float32Array(6) })
    expect([...header.subarray(0, 8)]).toEqual([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0])
    expect(header.length % 64).toBe(0)
    expect(Buffer.from(header.subarray(10)).toString()).toMatch(/^\{'descr': '<f4', 'fortran_order': False, 'shape': \(3, 2\), \} *\n$/)
  })

  test('an array that is a part of a larger buffer, and bytes that do not start aligned', () => {
    const large = Float32Array.from({ length: 10 }, (_, i) => i)
    const bytes = whole({ shape: [4], data: large.subarray(3, 7) })
    const shifted = new Uint8Array(bytes.length + 1)
    shifted.set(bytes, 1)
    expect([...decodeNpy(shifted.subarray(1), 'a').data]).toEqual([3, 4, 5, 6])
  })

  test('a shape that does not hold the data is refused', () => {
    expect(() => encodeNpy({ shape: [2, 2], data: new Float32Array(3) })).toThrow(RangeError)
  })
})

describe.skipIf(!hasNumpy)('numpy', () => {
  test('reads what is written and writes what is read', async () => {
    const data = Float32Array.from([0.1, -2, 3e20, Number.NaN, 0, 1])
    const ours = path.join(folder, 'ours.npy')
    writeFileSync(ours, whole({ shape: [2, 3], data }))
    const script = `
import numpy, sys
a = numpy.load(sys.argv[1])
assert a.dtype == numpy.float32 and a.shape == (2, 3) and a.flags["C_CONTIGUOUS"]
assert a[0, 1] == -2 and a[1, 2] == 1 and numpy.isnan(a[1, 0]), a
for kind in "f4 f8 i1 u1 i2 u2 i4 u4".split():
    numpy.save(sys.argv[2] + "/" + kind + ".npy", numpy.arange(24).astype(kind).reshape(2, 3, 4))
numpy.lib.format.write_array(open(sys.argv[2] + "/v2.npy", "wb"), numpy.arange(3.0), version=(2, 0))
numpy.lib.format.write_array(open(sys.argv[2] + "/v3.npy", "wb"), numpy.float32(7), version=(3, 0))
numpy.save(sys.argv[2] + "/fortran.npy", numpy.asfortranarray(numpy.zeros((2, 3))))
numpy.save(sys.argv[2] + "/big.npy", numpy.zeros(3, ">f4"))
numpy.save(sys.argv[2] + "/pickle.npy", numpy.array([{}, 1], dtype=object), allow_pickle=True)
`
    const result = spawnSync('python3', ['-c', script, ours, folder], { encoding: 'utf8' })
    expect(result.stderr).toBe('')
    for (const kind of ['f4', 'f8', 'i1', 'u1', 'i2', 'u2', 'i4', 'u4']) {
      const array = await readNpy(path.join(folder, `${kind}.npy`))
      expect(array.shape).toEqual([2, 3, 4])
      expect([...array.data]).toEqual(Array.from({ length: 24 }, (_, i) => i))
    }
    expect([...(await readNpy(path.join(folder, 'v2.npy'))).data]).toEqual([0, 1, 2])
    expect(await readNpy(path.join(folder, 'v3.npy'))).toEqual({ shape: [], data: Float32Array.of(7) })
    await expect(readNpy(path.join(folder, 'fortran.npy'))).rejects.toThrow('Fortran order')
    await expect(readNpy(path.join(folder, 'big.npy'))).rejects.toThrow('>f4')
    await expect(readNpy(path.join(folder, 'pickle.npy'))).rejects.toThrow('|O')
  })
})

describe('refusals', () => {
  const good = whole({ shape: [2, 3], data: new Float32Array(6) })

  function withHeader(text: string, dataBytes: number): Uint8Array {
    const header = Buffer.from(text.padEnd(118) , 'latin1')
    return Buffer.concat([Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8), header, new Uint8Array(dataBytes)])
  }

  test.each([
    ['no bytes', new Uint8Array()],
    ['another format', Buffer.from('this is not an array at all')],
    ['cut off', good.subarray(0, good.length - 1)],
    ['too long', Buffer.concat([good, Uint8Array.of(0)])],
    ['a shape beyond memory', withHeader("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999, 99999999), }", 8)],
    ['a shape past exact numbers', withHeader("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", 8)],
    ['a product that overflows to small', withHeader("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 0), }", 8)],
    ['no shape', withHeader("{'descr': '<f4', 'fortran_order': False, }", 8)],
    ['a negative size', withHeader("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", 8)],
  ])('%s', (_, bytes) => {
    expect(() => decodeNpy(bytes, 'map.npy')).toThrow(expect.objectContaining({ code: 'storage', subject: 'map.npy' }) as Error)
  })

  test('bytes changed anywhere give an array or our own error, never another one', () => {
    fc.assert(
      fc.property(arrays, fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { minLength: 1, maxLength: 6 }), fc.nat(20), (array, changes, cut) => {
        const bytes = Uint8Array.from(whole(array))
        for (const [place, value] of changes) if (place < bytes.length) bytes[place] = value
        try {
          const read = decodeNpy(bytes.subarray(0, bytes.length - cut), 'a')
          expect(read.data.length).toBe(read.shape.reduce((a, b) => a * b, 1))
        } catch (error) {
          expect(error).toBeInstanceOf(MaskscopeError)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('bytes of any kind behind the magic word', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (tail) => {
        expect(() => decodeNpy(Buffer.concat([Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59), tail]), 'a')).toThrow(MaskscopeError)
      }),
    )
  })

  test('a file past the limit is refused before it is read', async () => {
    const { truncateSync } = await import('node:fs')
    const file = path.join(folder, 'sparse.npy')
    writeFileSync(file, good)
    truncateSync(file, maxNpyBytes + 1)
    await expect(readNpy(file)).rejects.toThrow('more than')
  })

  test('a missing file is named', async () => {
    await expect(readNpy(path.join(folder, 'none.npy'))).rejects.toMatchObject({ code: 'storage', subject: path.join(folder, 'none.npy') })
  })
})

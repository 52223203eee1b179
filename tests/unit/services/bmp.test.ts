import { describe, expect, test } from 'vitest'
import { decodeBmp } from '#services/bmp.ts'
import { decodeImage, pixelLimit } from '#services/images.ts'

interface Parts {
  width: number
  height: number
  bits: number
  compression?: number
  headerSize?: 12 | 40 | 108
  palette?: number[]
  masks?: number[]
  /** Rows as they lie in the file, padding included. */
  rows: number[]
}

/** A bitmap file, field by field as in Microsoft's "BITMAPINFOHEADER", "BITMAPV4HEADER" and "BITMAPCOREHEADER" pages. */
function bmp({ width, height, bits, compression = 0, headerSize = 40, palette = [], masks = [], rows }: Parts): Buffer {
  const header = Buffer.alloc(headerSize)
  header.writeUInt32LE(headerSize, 0)
  if (headerSize === 12) {
    header.writeUInt16LE(width, 4)
    header.writeUInt16LE(height, 6)
    header.writeUInt16LE(1, 8)
    header.writeUInt16LE(bits, 10)
  } else {
    header.writeInt32LE(width, 4)
    header.writeInt32LE(height, 8)
    header.writeUInt16LE(1, 12)
    header.writeUInt16LE(bits, 14)
    header.writeUInt32LE(compression, 16)
    header.writeUInt32LE(headerSize === 40 || headerSize === 108 ? palette.length / 4 : 0, 32)
  }
  const maskBytes = Buffer.alloc(masks.length * 4)
  masks.forEach((m, i) => maskBytes.writeUInt32LE(m, i * 4))
  if (headerSize === 108) maskBytes.copy(header, 40)
  const tail = Buffer.concat([headerSize === 40 ? maskBytes : Buffer.alloc(0), Buffer.from(palette)])
  const file = Buffer.alloc(14)
  file.write('BM', 'latin1')
  file.writeUInt32LE(14 + header.length + tail.length + rows.length, 2)
  file.writeUInt32LE(14 + header.length + tail.length, 10)
  return Buffer.concat([file, header, tail, Buffer.from(rows)])
}

const pixels = (bytes: Buffer): number[] => [...decodeBmp(bytes, 'a.bmp', pixelLimit).picture.data]

describe('uncompressed bitmaps', () => {
  // Bottom row first, blue first, rows padded to four bytes.
  const twoByTwo = { width: 2, height: 2, bits: 24, rows: [255, 0, 0, 255, 255, 255, 0, 0, 0, 0, 255, 0, 255, 0, 0, 0] }

  test('24 bits, bottom-up, and top-down', () => {
    expect(pixels(bmp(twoByTwo))).toEqual([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255])
    expect(pixels(bmp({ ...twoByTwo, height: -2 }))).toEqual([0, 0, 255, 255, 255, 255, 255, 0, 0, 0, 255, 0])
  })

  test('OS/2 core header with a palette of three bytes a colour', () => {
    expect(pixels(bmp({ width: 3, height: 1, bits: 1, headerSize: 12, palette: [1, 2, 3, 4, 5, 6], rows: [0b01000000, 0, 0, 0] })))
      .toEqual([3, 2, 1, 6, 5, 4, 3, 2, 1])
  })

  test('4 and 8 bits with a palette, odd width', () => {
    const palette = [0, 0, 0, 0, 30, 20, 10, 0, 60, 50, 40, 0]
    expect(pixels(bmp({ width: 3, height: 2, bits: 4, palette, rows: [0x12, 0x00, 0, 0, 0x01, 0x20, 0, 0] })))
      .toEqual([0, 0, 0, 10, 20, 30, 40, 50, 60, 10, 20, 30, 40, 50, 60, 0, 0, 0])
    expect(pixels(bmp({ width: 3, height: 1, bits: 8, palette, rows: [2, 1, 0, 0] }))).toEqual([40, 50, 60, 10, 20, 30, 0, 0, 0])
  })

  test('16 bits as 5-5-5 and by masks as 5-6-5', () => {
    expect(pixels(bmp({ width: 2, height: 1, bits: 16, rows: [0x00, 0x7c, 0x1f, 0x00] }))).toEqual([255, 0, 0, 0, 0, 255])
    expect(pixels(bmp({ width: 2, height: 1, bits: 16, compression: 3, masks: [0xf800, 0x7e0, 0x1f], rows: [0xe0, 0x07, 0x00, 0x80] })))
      .toEqual([0, 255, 0, 132, 0, 0])
  })

  test('32 bits: the fourth byte is nothing, but alpha where a V4 header says so', () => {
    const row = [10, 20, 30, 0, 0, 0, 0, 128]
    expect(pixels(bmp({ width: 2, height: 1, bits: 32, rows: row }))).toEqual([30, 20, 10, 0, 0, 0])
    const v4 = bmp({ width: 2, height: 1, bits: 32, compression: 3, headerSize: 108, masks: [0xff0000, 0xff00, 0xff, 0xff000000], rows: row })
    expect(pixels(v4)).toEqual([255, 255, 255, 127, 127, 127])
    expect(decodeBmp(v4, 'a.bmp', pixelLimit).transparent).toBe(true)
  })

  test('goes through the same door as every other image', async () => {
    const image = await decodeImage(bmp({ width: 1, height: 1, bits: 8, palette: [9, 8, 7, 0], rows: [0, 0, 0, 0] }), 'a.bmp')
    expect(image).toMatchObject({ format: 'bmp', picture: { width: 1, height: 1, data: Uint8Array.from([7, 8, 9]) } })
    expect(image.notes.join()).toMatch(/palette/)
  })

  test('cut off at every byte, compressed, absurd: refused by name', () => {
    const whole = bmp(twoByTwo)
    for (let length = 2; length < whole.length; length++) {
      expect(() => decodeBmp(whole.subarray(0, length), 'a.bmp', pixelLimit), `${length} bytes`).toThrow(/a\.bmp is cut off/)
    }
    expect(() => decodeBmp(bmp({ ...twoByTwo, bits: 8, compression: 1 }), 'a.bmp', pixelLimit)).toThrow(/a\.bmp is compressed \(RLE8\); save it as PNG/)
    expect(() => decodeBmp(bmp({ ...twoByTwo, width: 100_000, height: 100_000 }), 'a.bmp', pixelLimit)).toThrow(/more than the \d+/)
    expect(() => decodeBmp(bmp({ ...twoByTwo, width: -2 }), 'a.bmp', pixelLimit)).toThrow(/size of -2/)
    expect(() => decodeBmp(bmp({ ...twoByTwo, bits: 7 }), 'a.bmp', pixelLimit)).toThrow(/7 bits/)
    expect(() => decodeBmp(bmp({ width: 1, height: 1, bits: 8, palette: [0, 0, 0, 0], rows: [5, 0, 0, 0] }), 'a.bmp', pixelLimit)).toThrow(/colour 5 of 1/)
  })
})

import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Picture } from '#shared/domain/image.ts'

/**
 * Uncompressed Windows bitmaps (BITMAPCOREHEADER to BITMAPV5HEADER; 1, 4, 8, 16, 24 and 32 bits; BI_RGB and
 * BI_BITFIELDS; bottom-up and top-down), which libvips does not read. Layout as in Microsoft's "Bitmap Storage" and
 * "BITMAPV5HEADER" pages. Alpha counts only where the header states an alpha mask, as in V4 and V5 files.
 */
export interface Bitmap {
  picture: Picture
  bits: number
  /** Some pixel was not opaque and was laid over white. */
  transparent: boolean
}

const compressions: Record<number, string> = { 1: 'RLE8', 2: 'RLE4', 4: 'JPEG', 5: 'PNG' }

interface Header {
  width: number
  height: number
  topDown: boolean
  bits: number
  /** Red, green, blue, alpha; 0 where absent. */
  masks: readonly [number, number, number, number]
  palette: { offset: number; entries: number; entrySize: 3 | 4 }
  pixels: number
}

/**
 * @param limitPixels checked before anything is allocated
 * @throws MaskscopeError 'input' for a damaged, cut-off or compressed bitmap.
 */
export function decodeBmp(bytes: Uint8Array, name: string, limitPixels: number): Bitmap {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const header = readHeader(view, name)
  const { width, height, bits } = header
  if (width * height > limitPixels) {
    throw bad(name, `has ${width} × ${height} pixels, more than the ${limitPixels} that are read; scale it down first`)
  }
  const stride = Math.ceil((width * bits) / 32) * 4
  if (header.pixels + stride * height > bytes.length) {
    throw bad(name, `is cut off: ${header.pixels + stride * height} bytes are stated and ${bytes.length} are there; copy or download it again`)
  }
  const data = new Uint8Array(width * height * 3)
  const readPixel = bits <= 8 ? paletteReader(view, header, name) : colourReader(view, header)
  const rgba = new Uint8Array(4)
  let transparent = false
  for (let y = 0; y < height; y++) {
    const row = header.pixels + stride * (header.topDown ? y : height - 1 - y)
    for (let x = 0; x < width; x++) {
      readPixel(row, x, rgba)
      const alpha = rgba[3]!
      const at = (y * width + x) * 3
      if (alpha < 255) transparent = true
      for (let c = 0; c < 3; c++) {
        data[at + c] = alpha === 255 ? rgba[c]! : Math.round((rgba[c]! * alpha + 255 * (255 - alpha)) / 255)
      }
    }
  }
  return { picture: { width, height, data }, bits, transparent }
}

function readHeader(view: DataView, name: string): Header {
  if (view.byteLength < 26) throw bad(name, 'is cut off within its header; copy or download it again')
  const pixels = view.getUint32(10, true)
  const size = view.getUint32(14, true)
  const core = size === 12
  if (!core && ![40, 52, 56, 64, 108, 124].includes(size)) throw bad(name, `states a bitmap header of ${size} bytes, which no known bitmap has; save it as PNG`)
  if (view.byteLength < 14 + size) throw bad(name, 'is cut off within its header; copy or download it again')
  const width = core ? view.getUint16(18, true) : view.getInt32(18, true)
  const signedHeight = core ? view.getUint16(20, true) : view.getInt32(22, true)
  const bits = view.getUint16(core ? 24 : 28, true)
  const compression = core ? 0 : view.getUint32(30, true)
  if (width <= 0 || signedHeight === 0) throw bad(name, `states a size of ${width} × ${signedHeight}; save it as PNG`)
  if (![1, 4, 8, 16, 24, 32].includes(bits)) throw bad(name, `states ${bits} bits per pixel; save it as PNG`)
  const fields = compression === 3 || compression === 6
  if (compression !== 0 && !fields) {
    throw bad(name, `is compressed (${compressions[compression] ?? `method ${compression}`}); save it as PNG or as an uncompressed bitmap`)
  }
  if (fields && bits !== 16 && bits !== 32) throw bad(name, `states colour masks for ${bits} bits per pixel; save it as PNG`)
  // A 40-byte header is followed by its masks, later ones contain them at the same place.
  const maskBytes = fields && size === 40 ? (compression === 6 ? 16 : 12) : 0
  let masks: Header['masks'] = bits === 16 ? [0x7c00, 0x3e0, 0x1f, 0] : [0xff0000, 0xff00, 0xff, 0]
  if (fields) {
    const hasAlpha = size >= 56 && size !== 64 || compression === 6
    if (view.byteLength < (hasAlpha ? 70 : 66)) throw bad(name, 'is cut off within its header; copy or download it again')
    masks = [view.getUint32(54, true), view.getUint32(58, true), view.getUint32(62, true), hasAlpha ? view.getUint32(66, true) : 0]
  }
  const offset = 14 + size + maskBytes
  const stated = core ? 0 : view.getUint32(46, true)
  const entries = bits > 8 ? 0 : stated === 0 ? 1 << bits : Math.min(stated, 1 << bits)
  const entrySize = core ? 3 : 4
  if (bits <= 8 && offset + entries * entrySize > view.byteLength) throw bad(name, 'is cut off within its palette; copy or download it again')
  return {
    width, height: Math.abs(signedHeight), topDown: signedHeight < 0, bits, masks,
    palette: { offset, entries, entrySize }, pixels,
  }
}

type PixelReader = (row: number, x: number, rgba: Uint8Array) => void

function paletteReader(view: DataView, header: Header, name: string): PixelReader {
  const { bits, palette } = header
  const perByte = 8 / bits
  const mask = (1 << bits) - 1
  return (row, x, rgba) => {
    const byte = view.getUint8(row + Math.floor(x / perByte))
    const index = (byte >> (8 - bits * ((x % perByte) + 1))) & mask
    if (index >= palette.entries) throw bad(name, `is damaged: a pixel uses colour ${index} of ${palette.entries}; save it again as PNG`)
    const at = palette.offset + index * palette.entrySize
    rgba[0] = view.getUint8(at + 2)
    rgba[1] = view.getUint8(at + 1)
    rgba[2] = view.getUint8(at)
    rgba[3] = 255
  }
}

function colourReader(view: DataView, header: Header): PixelReader {
  const bytes = header.bits / 8
  if (bytes === 3) {
    return (row, x, rgba) => {
      const at = row + x * 3
      rgba[0] = view.getUint8(at + 2)
      rgba[1] = view.getUint8(at + 1)
      rgba[2] = view.getUint8(at)
      rgba[3] = 255
    }
  }
  const channels = header.masks.map((mask) => {
    const shift = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask)
    return { mask, shift, max: mask >>> shift }
  })
  return (row, x, rgba) => {
    const pixel = bytes === 2 ? view.getUint16(row + x * 2, true) : view.getUint32(row + x * 4, true)
    channels.forEach(({ mask, shift, max }, c) => {
      rgba[c] = max === 0 ? (c === 3 ? 255 : 0) : Math.round((((pixel & mask) >>> shift) * 255) / max)
    })
  }
}

function bad(name: string, what: string): MaskscopeError {
  return new MaskscopeError('input', `The bitmap ${name} ${what}.`, { subject: name })
}

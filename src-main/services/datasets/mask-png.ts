import { readFile } from 'node:fs/promises'
import { pixelLimit } from '../images.ts'
import { badFile } from './item.ts'

const kind = 'mask'
const fileLimit = 256 << 20

export interface ValueMask {
  width: number
  height: number
  /** [height·width]: a grey value, or the number of a colour in the palette. */
  values: Uint8Array
}

/**
 * An 8-bit PNG whose values are numbers of classes: grey, or with a palette as Pascal VOC's.
 * @throws MaskscopeError 'input' naming the file
 */
export async function readMask(file: string): Promise<ValueMask> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw badFile(kind, file, `cannot be read (${error.code})`, error)
  })
  if (bytes.length > fileLimit) throw badFile(kind, file, `has ${bytes.length} bytes, more than the ${fileLimit} that are read`)
  if (bytes.subarray(0, 8).toString('latin1') !== '\x89PNG\r\n\x1a\n') throw badFile(kind, file, 'is no PNG; other formats change the values')
  if (bytes.length < 33) throw badFile(kind, file, 'is cut off in its header; copy or download it again')
  const depth = bytes[24]
  const colour = bytes[25]
  if (depth === 16 || (colour !== 0 && colour !== 3)) {
    throw badFile(kind, file, `is a PNG ${depth === 16 ? 'of 16 bits' : 'in colour or with transparency'}; a mask is grey, or has a palette, with 8 bits`)
  }
  const palette = colour === 3 ? paletteOf(bytes, file) : undefined
  const { default: sharp } = await import('sharp')
  try {
    // A colour profile would change the values.
    const image = sharp(bytes, { failOn: 'warning', limitInputPixels: pixelLimit, ignoreIcc: true })
    const { data, info } = await image.removeAlpha().toColourspace(palette ? 'srgb' : 'b-w').raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
    const { width, height, channels } = info
    const values = new Uint8Array(width * height)
    for (let i = 0; i < values.length; i++) {
      const at = i * channels
      const value = palette ? palette.get(data.readUIntBE(at, 3)) : data[at]
      if (value === undefined) throw new Error('a colour is not in its palette')
      values[i] = value
    }
    return { width, height, values }
  } catch (error) {
    throw badFile(kind, file, `is damaged or cut off (${(error as Error).message.split('\n')[0]}); copy or download it again`, error)
  }
}

/** The number of each colour, the first of several equal ones: decoders give colours, and classes are numbers. */
function paletteOf(bytes: Buffer, file: string): Map<number, number> {
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at)
    const type = bytes.toString('latin1', at + 4, at + 8)
    if (type === 'PLTE' && length % 3 === 0 && length <= 768 && at + 8 + length <= bytes.length) {
      const numbers = new Map<number, number>()
      for (let i = length / 3 - 1; i >= 0; i--) numbers.set(bytes.readUIntBE(at + 8 + 3 * i, 3), i)
      return numbers
    }
    at += 12 + length
  }
  throw badFile(kind, file, 'says that it has a palette and has none; copy or download it again')
}

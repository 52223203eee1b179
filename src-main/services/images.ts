import { createHash } from 'node:crypto'
import { open, readFile, stat } from 'node:fs/promises'
import type { Metadata } from 'sharp'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Picture } from '#shared/domain/image.ts'
import { decodeBmp } from './bmp.ts'

/** A picture as a person gave it, decoded. */
export interface LoadedImage {
  /** How the person named it: a path, or e.g. `scene:7`. */
  name: string
  picture: Picture
  /** The file itself, kept in the study so that the run can be repeated. */
  bytes: Uint8Array
  /** Of `bytes`, hex. */
  sha256: string
  format: ImageFormat
  /** What decoding did to the picture, one sentence each. */
  notes: readonly string[]
}

export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'tiff' | 'bmp' | 'gif' | 'avif'

/** Endings of the files that a folder of images may hold. */
export const imageEndings: readonly string[] = [
  '.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.webp', '.tif', '.tiff', '.bmp', '.dib', '.gif', '.avif',
]

const readable = 'JPEG, PNG, WebP, TIFF, BMP, GIF and AVIF'
/** libvips's own default: (2^14 − 1)², 0.8 GB of RGB. */
export const pixelLimit = 0x3fff * 0x3fff
const fileLimit = 1 << 30

/**
 * Reads and decodes one image file.
 * @throws MaskscopeError 'input' naming the file: missing, not readable, of an unknown format, damaged, cut off, too large.
 */
export async function loadImage(file: string): Promise<LoadedImage> {
  return decodeImage(await readImageFile(file), file)
}

/**
 * Looks at a file's first bytes only, so that many are checked at once.
 * @throws MaskscopeError 'input' where the file is missing, not readable or of an unknown format.
 */
export async function probeImage(file: string): Promise<void> {
  const start = new Uint8Array(16)
  const handle = await open(file, 'r').catch((error: unknown) => {
    throw unreadable(file, error)
  })
  try {
    const { bytesRead } = await handle.read(start).catch((error: unknown) => {
      throw unreadable(file, error)
    })
    requireFormat(start.subarray(0, bytesRead), file)
  } finally {
    await handle.close()
  }
}

async function readImageFile(file: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(file)
    if (size > fileLimit) throw bad(file, `has ${size} bytes, more than the ${fileLimit} that are read; scale it down first`)
    return await readFile(file)
  } catch (error) {
    throw unreadable(file, error)
  }
}

function unreadable(file: string, error: unknown): MaskscopeError {
  if (error instanceof MaskscopeError) return error
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT') return bad(file, 'does not exist; check its name and folder')
  if (code === 'EACCES' || code === 'EPERM') return bad(file, 'may not be read; check its permissions')
  return bad(file, `cannot be read (${(error as Error).message})`, error)
}

/**
 * Decodes an image: 8-bit sRGB, upright by EXIF, alpha over white, first page or frame. Deterministic.
 * @param name names the image in messages
 * @throws MaskscopeError 'input' as `loadImage` does.
 */
export async function decodeImage(bytes: Uint8Array, name: string): Promise<LoadedImage> {
  const format = requireFormat(bytes, name)
  const { picture, notes } = format === 'bmp' ? fromBmp(bytes, name) : await fromSharp(bytes, name)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { name, picture, bytes, sha256, format, notes }
}

function requireFormat(bytes: Uint8Array, name: string): ImageFormat {
  const format = sniff(bytes)
  if (format !== undefined) return format
  throw bad(name, bytes.length === 0 ? 'is empty; copy or download it again' : `is in no format that is read here (${readable}); save it as PNG`)
}

/** The format by the file's first bytes; only these formats ever reach a decoder. */
function sniff(bytes: Uint8Array): ImageFormat | undefined {
  const text = Buffer.from(bytes.subarray(0, 16)).toString('latin1')
  if (text.startsWith('\xff\xd8\xff')) return 'jpeg'
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'png'
  if (text.startsWith('RIFF') && text.slice(8, 12) === 'WEBP') return 'webp'
  if (/^(II[*+]\0|MM\0[*+])/.test(text)) return 'tiff'
  if (text.startsWith('BM')) return 'bmp'
  if (/^GIF8[79]a/.test(text)) return 'gif'
  if (/^ftypavi[fs]/.test(text.slice(4))) return 'avif'
  return undefined
}

interface Decoded {
  picture: Picture
  notes: string[]
}

function fromBmp(bytes: Uint8Array, name: string): Decoded {
  const { picture, bits, transparent } = decodeBmp(bytes, name, pixelLimit)
  const notes = bits <= 8 ? ['It uses a palette, which was resolved to RGB.'] : []
  if (transparent) notes.push(overWhite)
  return { picture, notes }
}

const overWhite = 'It has transparent pixels, which were laid over white.'

async function fromSharp(bytes: Uint8Array, name: string): Promise<Decoded> {
  const { default: sharp } = await import('sharp')
  // 'warning': a JPEG with a broken middle is decoded with a mere warning, and must be refused.
  const options = { failOn: 'warning', limitInputPixels: pixelLimit } as const
  try {
    const metadata = await sharp(bytes, options).metadata()
    refuse(metadata, name)
    const transparent = metadata.hasAlpha && !(await sharp(bytes, options).stats()).isOpaque
    const { data, info } = await sharp(bytes, options)
      .autoOrient()
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    if (info.channels !== 3) throw bad(name, `was decoded to ${info.channels} channels where three were expected; save it as PNG`)
    // The buffer's own memory, not its pool's.
    const picture = { width: info.width, height: info.height, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) }
    return { picture, notes: describe(metadata, transparent) }
  } catch (error) {
    if (error instanceof MaskscopeError) throw error
    const reason = (error as Error).message.split('\n')[0] ?? ''
    if (/exceeds pixel limit/i.test(reason)) {
      throw bad(name, `has more than the ${pixelLimit} pixels that are read; scale it down first`, error)
    }
    throw bad(name, `is damaged or cut off (${reason}); copy or download it again, or save it anew as PNG`, error)
  }
}

function refuse(metadata: Metadata, name: string): void {
  if (metadata.depth !== 'uchar' && metadata.depth !== 'ushort') {
    throw bad(name, `holds ${metadata.depth} values, whose black and white are not stated; save it with 8 or 16 bits per channel`)
  }
}

function describe(metadata: Metadata, transparent: boolean): string[] {
  const notes: string[] = []
  if (transparent) notes.push(overWhite)
  if ((metadata.orientation ?? 1) > 1) notes.push(`It was turned upright as its EXIF orientation (${metadata.orientation}) says.`)
  if (metadata.space === 'cmyk') notes.push('It is CMYK and was converted to sRGB.')
  if (metadata.depth === 'ushort') notes.push('Its 16 bits per channel were reduced to 8.')
  if (metadata.space === 'b-w' || metadata.space === 'grey16') notes.push('It is greyscale; its three channels are equal.')
  if (metadata.isPalette && metadata.format !== 'gif') notes.push('It uses a palette, which was resolved to RGB.')
  if ((metadata.pages ?? 1) > 1) notes.push(`It has ${metadata.pages} pages or frames; the first was taken.`)
  return notes
}

/** A picture as a PNG file: what stands in a study for an image that never was a file. Deterministic. */
export async function encodePng(picture: Picture): Promise<Uint8Array> {
  const { default: sharp } = await import('sharp')
  const { width, height } = picture
  return sharp(picture.data, { raw: { width, height, channels: 3 } }).png().toBuffer()
}

function bad(name: string, what: string, cause?: unknown): MaskscopeError {
  return new MaskscopeError('input', `The image ${name} ${what}.`, { subject: name, cause })
}

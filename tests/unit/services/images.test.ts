import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import sharp, { type Sharp } from 'sharp'
import { afterAll, describe, expect, test } from 'vitest'
import { decodeImage, encodePng, loadImage, type LoadedImage } from '#services/images.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'maskscope-images-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function raw(data: Uint8Array | Uint16Array, width: number, height: number, channels: 1 | 2 | 3 | 4): Sharp {
  return sharp(data, { raw: { width, height, channels } })
}

async function open(name: string, bytes: Uint8Array): Promise<LoadedImage> {
  const file = path.join(folder, name)
  writeFileSync(file, bytes)
  return loadImage(file)
}

const rgb = Uint8Array.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30, 200, 100, 50, 255, 255, 255])

describe('opens correctly', () => {
  test('PNG, with the hash of the file itself', async () => {
    const bytes = await raw(rgb, 3, 2, 3).png().toBuffer()
    const image = await open('a.png', bytes)
    expect(image.picture).toEqual({ width: 3, height: 2, data: rgb })
    expect(image.sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
    expect(image.format).toBe('png')
    expect(image.notes).toEqual([])
  })

  test.each(['webp', 'tiff', 'gif', 'avif'] as const)('lossless %s', async (format) => {
    const options = { webp: { lossless: true }, tiff: { compression: 'lzw' }, gif: {}, avif: { lossless: true, chromaSubsampling: '4:4:4' } }[format]
    const image = await open(`a.${format}`, await raw(rgb, 3, 2, 3).toFormat(format, options).toBuffer())
    expect(image.format).toBe(format)
    image.picture.data.forEach((v, i) => expect(Math.abs(v - rgb[i]!)).toBeLessThanOrEqual(format === 'avif' ? 3 : format === 'gif' ? 8 : 0))
  })

  test('JPEG within its loss', async () => {
    const flat = new Uint8Array(16 * 16 * 3).map((_, i) => [180, 90, 40][i % 3]!)
    const image = await open('a.jpg', await raw(flat, 16, 16, 3).jpeg({ quality: 95 }).toBuffer())
    expect(image.picture.data.every((v, i) => Math.abs(v - flat[i]!) <= 2)).toBe(true)
  })

  test('greyscale: three equal channels, said so', async () => {
    const image = await open('grey.png', await raw(Uint8Array.from([0, 128, 255, 64]), 2, 2, 1).toColourspace('b-w').png().toBuffer())
    expect([...image.picture.data]).toEqual([0, 0, 0, 128, 128, 128, 255, 255, 255, 64, 64, 64])
    expect(image.notes.join()).toMatch(/greyscale/)
  })

  test.each(['png', 'tiff'] as const)('16 bits per channel, %s: reduced to 8, said so', async (format) => {
    const values = Uint16Array.from([0, 32768, 65535, 256, 0x0a0a, 0xff00])
    const image = await open(`deep.${format}`, await raw(values, 2, 1, 3).toColourspace('rgb16').toFormat(format, format === 'tiff' ? { compression: 'lzw' } : {}).toBuffer())
    expect([...image.picture.data]).toEqual([0, 128, 255, 1, 10, 255])
    expect(image.notes.join()).toMatch(/16 bits/)
  })

  test('alpha is laid over white, said so; an opaque alpha channel is not mentioned', async () => {
    const half = await open('alpha.png', await raw(Uint8Array.from([255, 0, 0, 128, 0, 0, 0, 0]), 2, 1, 4).png().toBuffer())
    expect([...half.picture.data]).toEqual([255, 127, 127, 255, 255, 255])
    expect(half.notes.join()).toMatch(/over white/)
    const opaque = await open('opaque.png', await raw(Uint8Array.from([255, 0, 0, 255]), 1, 1, 4).png().toBuffer())
    expect([...opaque.picture.data]).toEqual([255, 0, 0])
    expect(opaque.notes).toEqual([])
  })

  test('16-bit alpha over white', async () => {
    const image = await open('alpha16.png', await raw(Uint16Array.from([65535, 0, 0, 32768, 0, 0, 0, 0]), 2, 1, 4).toColourspace('rgb16').png().toBuffer())
    expect([...image.picture.data]).toEqual([255, 127, 127, 255, 255, 255])
  })

  test.each([2, 3, 4, 5, 6, 7, 8])('EXIF orientation %i is turned upright, said so', async (orientation) => {
    // The upright picture is a 4×2 gradient; each orientation stores it turned so that viewers turn it back.
    const upright = Uint8Array.from({ length: 24 }, (_, i) => (i % 3 === 0 ? (i / 3) * 30 : 0))
    const image = raw(upright, 4, 2, 3)
    const stored = {
      2: () => image.flop(), 3: () => image.rotate(180), 4: () => image.flip(), 5: async () => raw(await image.rotate(90).raw().toBuffer(), 2, 4, 3).flop(),
      6: () => image.rotate(270), 7: async () => raw(await image.rotate(270).raw().toBuffer(), 2, 4, 3).flop(), 8: () => image.rotate(90),
    }[orientation]!
    const opened = await open(`exif${orientation}.tiff`, await (await stored()).withMetadata({ orientation }).tiff({ compression: 'lzw' }).toBuffer())
    expect([opened.picture.width, opened.picture.height]).toEqual([4, 2])
    expect(opened.picture.data).toEqual(upright)
    expect(opened.notes.join()).toContain(`EXIF orientation (${orientation})`)
  })

  test('CMYK is converted to sRGB, said so', async () => {
    const image = await open('cmyk.jpg', await sharp({ create: { width: 8, height: 8, channels: 3, background: '#c82828' } }).toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer())
    const [r, g, b] = image.picture.data
    expect(r).toBeGreaterThan(170)
    expect(Math.max(g!, b!)).toBeLessThan(70)
    expect(image.notes.join()).toMatch(/CMYK/)
  })

  test('palette, transparent colour included', async () => {
    const image = await open('palette.png', await raw(Uint8Array.from([255, 0, 0, 255, 0, 255, 0, 0]), 2, 1, 4).png({ palette: true }).toBuffer())
    expect([...image.picture.data]).toEqual([255, 0, 0, 255, 255, 255])
    expect(image.notes.join()).toMatch(/palette/)
  })

  test('1×1', async () => {
    const image = await open('one.png', await raw(Uint8Array.from([1, 2, 3]), 1, 1, 3).png().toBuffer())
    expect(image.picture).toEqual({ width: 1, height: 1, data: Uint8Array.from([1, 2, 3]) })
  })

  test('12,000×9,000', async () => {
    const bytes = await sharp({ create: { width: 12_000, height: 9_000, channels: 3, background: '#204060' } }).png({ compressionLevel: 1 }).toBuffer()
    const { picture } = await open('large.png', bytes)
    expect([picture.width, picture.height, picture.data.length]).toEqual([12_000, 9_000, 324_000_000])
    expect([...picture.data.subarray(-3)]).toEqual([0x20, 0x40, 0x60])
  })

  test('only the first of several pages, said so', async () => {
    const frames = new Uint8Array(2 * 2 * 3 * 2).fill(255).fill(0, 0, 12)
    const image = await open('moving.webp', await sharp(frames, { raw: { width: 2, height: 4, channels: 3, pageHeight: 2 } }).webp({ lossless: true }).toBuffer())
    expect([image.picture.height, image.picture.data[0]]).toEqual([2, 0])
    expect(image.notes.join()).toMatch(/2 pages or frames/)
  })

  test('a scene written as PNG comes back as it was', async () => {
    const picture = { width: 3, height: 2, data: rgb }
    expect((await decodeImage(await encodePng(picture), 'scene')).picture).toEqual(picture)
  })
})

describe('is refused, naming the file and what to do', () => {
  const noise = Uint8Array.from({ length: 200 * 150 * 3 }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 11) & 255)

  test.each(['jpeg', 'png', 'webp', 'tiff', 'gif', 'avif'] as const)('cut off: %s', async (format) => {
    const whole = await raw(noise, 200, 150, 3).toFormat(format).toBuffer()
    await expect(open(`cut.${format}`, whole)).resolves.toBeDefined()
    for (const part of [0.05, 0.5, 0.95]) {
      const cut = open(`cut.${format}`, whole.subarray(0, Math.floor(whole.length * part)))
      await expect(cut).rejects.toMatchObject({ code: 'input', subject: path.join(folder, `cut.${format}`) })
      await expect(cut).rejects.toThrow(/cut\.\w+ is damaged or cut off .*again/)
    }
  })

  test.each(['jpeg', 'png'] as const)('damaged in the middle: %s', async (format) => {
    const bytes = await raw(noise, 200, 150, 3).toFormat(format).toBuffer()
    const middle = Math.floor(bytes.length / 2)
    bytes.fill(0xff, middle, middle + 400)
    await expect(open(`damaged.${format}`, bytes)).rejects.toThrow(/damaged\.\w+ is damaged or cut off/)
  })

  test.each([
    ['text', Buffer.from('I am no picture')], ['svg', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="2" height="2"/>')],
    ['pdf', Buffer.from('%PDF-1.7')],
  ])('unknown format: %s', async (_, bytes) => {
    await expect(open('strange.png', bytes)).rejects.toThrow(/strange\.png is in no format that is read here \(JPEG, PNG/)
  })

  test('empty, missing, too large, floating point', async () => {
    await expect(open('empty.png', new Uint8Array())).rejects.toThrow(/empty\.png is empty/)
    await expect(loadImage(path.join(folder, 'none.png'))).rejects.toThrow(/none\.png does not exist; check/)
    // A PNG header that promises 60,000×60,000 pixels: refused before anything is allocated.
    const bomb = await raw(rgb, 3, 2, 3).png().toBuffer()
    bomb.writeUInt32BE(60_000, 16)
    bomb.writeUInt32BE(60_000, 20)
    bomb.writeUInt32BE(crc32(bomb.subarray(12, 29)), 29)
    await expect(open('bomb.png', bomb)).rejects.toThrow(/bomb\.png has more than the \d+ pixels/)
    const float = await sharp(Float32Array.from([0, 0.5, 1]), { raw: { width: 1, height: 1, channels: 3 } }).toColourspace('scrgb').tiff({ compression: 'lzw' }).toBuffer()
    expect((await sharp(float).metadata()).depth).toBe('float')
    await expect(open('float.tiff', float)).rejects.toThrow(/float\.tiff holds float values/)
  })
})

function crc32(bytes: Uint8Array): number {
  let crc = ~0
  for (const byte of bytes) {
    crc ^= byte
    for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc >>> 0
}

import type { Picture } from '#shared/domain/image.ts'

/** Longer side of the small pictures in lists. */
export const thumbnailSide = 96
/** Longer side of a picture as the window shows it. */
export const shownSide = 2048

/** A picture as a PNG whose longer side is at most `side`; smaller ones stay as they are. */
export async function pngWithin(picture: Picture, side: number): Promise<Uint8Array<ArrayBuffer>> {
  const { default: sharp } = await import('sharp')
  const { width, height } = picture
  const image = sharp(picture.data, { raw: { width, height, channels: 3 }, limitInputPixels: false })
  return own(await image.resize(side, side, { fit: 'inside', withoutEnlargement: true, kernel: 'lanczos3' }).png({ compressionLevel: 3 }).toBuffer())
}

/** As its own memory: what leaves this process must not drag a pool along. */
export function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes)
}

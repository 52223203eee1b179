import type { View } from '#shared/domain/image.ts'
import { quieten, type Layer, type Pixels } from '#shared/imaging/layers.ts'
import type { Size } from './viewport.ts'

/** A picture as the stage draws it. */
export interface StagePicture extends Size {
  bitmap: ImageBitmap
  /** Without colour and lightened, for overlays; null until it is made. */
  quiet: ImageBitmap | null
  /** [r, g, b] of one of its pixels. */
  colour(x: number, y: number): [number, number, number]
}

/** So many pixels are worked on at a time, that no task of the page is long. */
const bandPixels = 1 << 17

export async function decodePicture(png: Uint8Array<ArrayBuffer>): Promise<StagePicture> {
  const bitmap = await createImageBitmap(new Blob([png], { type: 'image/png' }))
  const { width, height } = bitmap
  const reader = context(width, height, true)
  reader.drawImage(bitmap, 0, 0)
  const picture: StagePicture = {
    bitmap, width, height, quiet: null,
    colour: (x, y) => {
      const { data } = reader.getImageData(x, y, 1, 1)
      return [data[0]!, data[1]!, data[2]!]
    },
  }
  picture.quiet = await quietOf(reader, width, height)
  return picture
}

async function quietOf(reader: OffscreenCanvasRenderingContext2D, width: number, height: number): Promise<ImageBitmap> {
  const out = context(width, height)
  const rows = Math.max(1, Math.floor(bandPixels / width))
  for (let y = 0; y < height; y += rows) {
    const band = reader.getImageData(0, y, width, Math.min(rows, height - y))
    quieten(band.data as Layer)
    out.putImageData(band, 0, y)
    if (y + rows < height) await new Promise((resolve) => setTimeout(resolve))
  }
  return out.canvas.transferToImageBitmap()
}

/** What the classifier saw as nearly as the page can make it, where nobody can tell exactly. */
export function seenFrom(picture: StagePicture, view: View): Pixels {
  const { width, height } = view.size
  const { left, top, width: w, height: h } = view.crop
  const sx = picture.width / view.picture.width
  const sy = picture.height / view.picture.height
  const ctx = context(width, height, true)
  ctx.imageSmoothingQuality = 'high'
  ctx.drawImage(picture.bitmap, left * sx, top * sy, w * sx, h * sy, 0, 0, width, height)
  const rgba = ctx.getImageData(0, 0, width, height).data
  const data = new Uint8Array(width * height * 3)
  for (let i = 0; i < width * height; i++) data.set(rgba.subarray(i * 4, i * 4 + 3), i * 3)
  return { width, height, data }
}

/** @throws where the browser gives no canvas */
export function context(width: number, height: number, read = false): OffscreenCanvasRenderingContext2D {
  const made = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: read })
  if (!made) throw new Error('This browser gives no canvas to draw on.')
  return made
}

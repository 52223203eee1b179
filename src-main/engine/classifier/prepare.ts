import type { ImageBatch, Picture, View } from '#shared/domain/image.ts'
import type { ModelInfo, Preprocessing } from '#shared/domain/model.ts'
import { resize, type Region, type ResizeFilter } from '#shared/imaging/resize.ts'

/**
 * What a classifier sees of a picture: the part that `fit` names, resized once, antialiased, to the input's size, as
 * float32 in [0, 1]; grey where the classifier takes one channel.
 * @returns a batch of one, and where on the picture it lies
 */
export async function prepareImage(
  picture: Picture, input: ModelInfo['input'], preprocessing: Preprocessing,
): Promise<{ image: ImageBatch; view: View }> {
  const crop = cropOf(picture, preprocessing)
  const size = { width: input.width, height: input.height }
  const rgb = await resizeRegion(picture, crop, size, preprocessing.resizeFilter)
  // lanczos3 and bicubic overshoot at edges
  for (let i = 0; i < rgb.length; i++) rgb[i] = Math.min(1, Math.max(0, rgb[i]!))
  const data = input.channels === 1 ? luminance(rgb) : rgb
  return {
    image: { count: 1, height: input.height, width: input.width, channels: input.channels, data },
    view: { picture: { width: picture.width, height: picture.height }, crop, size },
  }
}

const kernels = { lanczos3: 'lanczos3', bicubic: 'cubic', bilinear: 'linear' } as const

/**
 * libvips reduces, in the 8 bits that published accuracies were measured with: small networks notice the rounding. It
 * places enlarged pixels up to half a pixel too far to the lower right, which would move a map, and it has no box filter:
 * those two are our own.
 */
async function resizeRegion(picture: Picture, crop: Region, size: { width: number; height: number }, filter: ResizeFilter): Promise<Float32Array> {
  const enlarges = size.width > crop.width || size.height > crop.height
  if (filter === 'box' || enlarges) {
    return resize({ width: picture.width, data: picture.data, channels: 3 }, crop, size, filter, 1 / 255)
  }
  // Only when a picture is prepared: loading it takes a good part of the program's start.
  const { default: sharp } = await import('sharp')
  const raw = { width: picture.width, height: picture.height, channels: 3 as const }
  const bytes = await sharp(picture.data, { raw, limitInputPixels: false })
    .extract(crop)
    .resize(size.width, size.height, { kernel: kernels[filter], fit: 'fill' })
    .raw()
    .toBuffer()
  return Float32Array.from(bytes, (v) => v / 255)
}

/** The whole picture, or the central square of `cropFraction` of the shorter side; side and corner rounded down to whole pixels, side at least one. */
export function cropOf(picture: { width: number; height: number }, preprocessing: Pick<Preprocessing, 'fit' | 'cropFraction'>): Region {
  if (preprocessing.fit === 'squash') return { left: 0, top: 0, width: picture.width, height: picture.height }
  const side = Math.max(1, Math.floor(Math.min(picture.width, picture.height) * preprocessing.cropFraction))
  return { left: Math.floor((picture.width - side) / 2), top: Math.floor((picture.height - side) / 2), width: side, height: side }
}

/** Luma of ITU-R BT.601, as Pillow and OpenCV make grey. */
function luminance(rgb: Float32Array): Float32Array {
  return Float32Array.from({ length: rgb.length / 3 }, (_, i) => 0.299 * rgb[3 * i]! + 0.587 * rgb[3 * i + 1]! + 0.114 * rgb[3 * i + 2]!)
}

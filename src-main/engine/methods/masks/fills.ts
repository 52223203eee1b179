import { upsample } from '#shared/imaging/interpolation.ts'
import { createRandom, type Random } from '#shared/random/random.ts'
import { renderTexture, type TextureFamily } from '../../scenes/textures.ts'
import type { Frame } from './compose.ts'
import { begin, kernels, put, putDoubles, putIntegers, room, take } from './simd/kernels.ts'
import { createSmoothing } from './smoothing.ts'

/**
 * What stands where the mask hides the image. `zero` is black, as published; `drawn` is another, object-free picture at
 * every step, recentred to the image's mean colour. The others stay the same for a whole run.
 */
export const fillKinds = ['zero', 'mean', 'blur', 'noise', 'drawn'] as const
export type FillKind = (typeof fillKinds)[number]

/** What a person sees named beside the picture of a fill. */
export const fillNames: Readonly<Record<FillKind, string>> = {
  zero: 'black', mean: 'mean colour', blur: 'blurred', noise: 'noise', drawn: 'drawn textures (one example)',
}

export interface Fill {
  /** Whether `next` gives another picture each time. */
  changes: boolean
  /** The next fill, H·W·C; the array belongs to the fill and is overwritten by the next call. */
  next(): Float32Array
}

/**
 * @param image H·W·C in [0, 1]
 * @param blur σ of `blur` in pixels
 * @param random the stream for `noise` and `drawn`
 */
export function createFill(kind: FillKind, frame: Frame, image: Float32Array, blur: number, random: Random): Fill {
  if (kind === 'drawn') return drawnFill(frame, image, random)
  const picture = constantFill(kind, frame, image, blur, random)
  return { changes: false, next: () => picture }
}

function constantFill(
  kind: Exclude<FillKind, 'drawn'>, frame: Frame, image: Float32Array, blur: number, random: Random,
): Float32Array {
  const { height, width, channels } = frame
  switch (kind) {
    case 'zero':
      return new Float32Array(image.length)
    case 'mean': {
      const mean = meanColour(frame, image)
      return Float32Array.from(image, (_, i) => mean[i % channels]!)
    }
    case 'noise':
      return Float32Array.from(image, () => random.uniform())
    case 'blur': {
      const out = new Float32Array(image.length)
      const smoothing = createSmoothing(height, width, blur)
      for (let c = 0; c < channels; c++) {
        const plane = smoothing.apply(Float32Array.from({ length: height * width }, (_, i) => image[i * channels + c]!))
        plane.forEach((value, i) => (out[i * channels + c] = value))
      }
      return out
    }
  }
}

/** Mean per channel. */
export function meanColour(frame: Frame, image: Float32Array): number[] {
  const { height, width, channels } = frame
  const sums = new Array<number>(channels).fill(0)
  for (let i = 0; i < image.length; i += channels) for (let c = 0; c < channels; c++) sums[c]! += image[i + c]!
  return sums.map((sum) => sum / (height * width))
}

/**
 * A texture from the pool at every step: mirrored at its borders, so that any part of it can be shown, perhaps turned,
 * then moved so that its mean colour is the image's (the classifier cannot tell the mask by a change of colour alone).
 */
function drawnFill(frame: Frame, image: Float32Array, random: Random): Fill {
  const { height, width, channels } = frame
  const wanted = meanColour(frame, image)
  const out = new Float32Array(image.length)
  const rows = new Int32Array(height)
  const columns = new Int32Array(width)
  return {
    changes: true,
    next() {
      const texture = pooledTexture(frame, random.below(poolSize))
      const top = random.below(2 * height)
      const left = random.below(2 * width)
      const turned = random.uniform() < 0.5 && height === width
      const acrossStep = (turned ? width : 1) * channels * 4
      const downStep = (turned ? 1 : width) * channels * 4
      for (let x = 0; x < width; x++) columns[x] = mirrored(x + left, width) * acrossStep
      for (let y = 0; y < height; y++) rows[y] = mirrored(y + top, height) * downStep
      begin()
      const to = room(out.length + 12)
      kernels.drawWindow(put(texture), putIntegers(rows), putIntegers(columns), to, height, width, channels, putDoubles(wanted))
      take(to, out)
      return out
    },
  }
}

function mirrored(position: number, size: number): number {
  const place = position % (2 * size)
  return place < size ? place : 2 * size - 1 - place
}

const poolSize = 32
/**
 * Neither `checks` nor `grain`, so that a checkerboard and noise remain fills that no mask was optimised against, and none
 * of the families of `scenes-shifted`.
 */
const families: readonly TextureFamily[] = ['clouds', 'blotches', 'stripes', 'cells', 'dots', 'strokes']
/** Textures are painted at this size at most and enlarged: painting takes longer than a step of a small network. */
const paintedSize = 128
let pool: { key: string; textures: (Float32Array | undefined)[] } = { key: '', textures: [] }

/** Texture `index` of the pool for images of this size. It does not depend on a run, so all runs share it. */
function pooledTexture(frame: Frame, index: number): Float32Array {
  const key = `${frame.height} ${frame.width} ${frame.channels}`
  if (pool.key !== key) pool = { key, textures: [] }
  return (pool.textures[index] ??= paint(frame, index))
}

function paint(frame: Frame, index: number): Float32Array {
  const { height, width, channels } = frame
  const shrink = Math.max(1, Math.max(height, width) / paintedSize)
  const paintedHeight = Math.max(2, Math.round(height / shrink))
  const paintedWidth = Math.max(2, Math.round(width / shrink))
  const picture = renderTexture(createRandom(index, 'fill-texture'), paintedHeight, paintedWidth, { families })
  const out = new Float32Array(height * width * channels)
  for (let c = 0; c < channels; c++) {
    const plane = new Float32Array(paintedHeight * paintedWidth)
    for (let i = 0; i < plane.length; i++) {
      // One grey channel: the mean of the three.
      plane[i] = channels === 3 ? picture[3 * i + c]! : (picture[3 * i]! + picture[3 * i + 1]! + picture[3 * i + 2]!) / 3
    }
    const large = upsample({ height: paintedHeight, width: paintedWidth, data: plane }, height, width).data
    for (let i = 0; i < large.length; i++) out[i * channels + c] = large[i]!
  }
  return out
}

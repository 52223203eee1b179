import { MaskscopeError } from '#shared/domain/errors.ts'
import type { GeneratorSettings, PictureSize, SalientSet } from '#shared/domain/reconstruction.ts'
import { createSmoothing } from '../methods/masks/smoothing.ts'
import { createResampler } from './resampling.ts'

type Pixels = Uint8Array | Float32Array
type Preparation = Pick<GeneratorSettings, 'size' | 'floor' | 'dilation' | 'blur'>

/** A set at the generator's size, its masks prepared. */
export interface FittedSet {
  count: number
  size: PictureSize
  /** [count, height, width, channels] in [0, 1] */
  images: Float32Array
  /** [count, height, width] in [0, 1]; dilated and blurred */
  masks: Float32Array
  outcomes: Int32Array
  labels: Int32Array | null
}

/** @throws MaskscopeError 'usage' where the arrays do not fit each other, or the channels the generator */
export function fitSet(set: SalientSet, settings: Preparation): FittedSet {
  checkSet(set, settings.size)
  const { count, outcomes, labels } = set
  return {
    count, size: settings.size, outcomes, labels,
    images: fitImages(set.images, set, settings.size),
    masks: prepareMasks(set.masks, set, settings),
  }
}

/**
 * @param images [count, height, width, channels]; floats in [0, 1], or bytes
 * @returns at the generator's size, in [0, 1]
 */
export function fitImages(images: Pixels, from: PictureSize, size: PictureSize): Float32Array {
  return createResampler(from, size).apply(unit(images), size.channels)
}

/**
 * Masks as they are laid on images before encoding: resized, cut off below the floor (a network reads a picture at a hundredth of its
 * brightness as well as at all of it), spread by the largest value within a disc, blurred. So their outline
 * tells less of what they were laid on.
 * @param masks [count, height, width]; floats in [0, 1], or bytes
 * @returns [count, height, width] of the generator's size, in [0, 1]
 */
export function prepareMasks(masks: Pixels, from: { height: number; width: number }, { size, floor, dilation, blur }: Preparation): Float32Array {
  const { height, width } = size
  const fitted = createResampler(from, size).apply(unit(masks), 1).map((value) => Math.max(0, (value - floor) / (1 - floor)))
  const disc = discOf(dilation)
  const smoothing = createSmoothing(height, width, blur)
  const area = height * width
  const out = new Float32Array(fitted.length)
  for (let at = 0; at < fitted.length; at += area) {
    const spread = dilated(fitted.subarray(at, at + area), height, width, disc)
    const blurred = blur > 0 ? smoothing.apply(spread) : spread
    for (let i = 0; i < area; i++) out[at + i] = Math.min(1, Math.max(0, blurred[i]!))
  }
  return out
}

/** Images × masks. @param images [count, height, width, channels] @param masks [count, height, width] */
export function weighted(images: Float32Array, masks: Float32Array): Float32Array {
  const channels = images.length / masks.length
  return images.map((value, i) => value * masks[Math.floor(i / channels)]!)
}

/** @throws MaskscopeError 'usage' */
export function checkSet({ count, height, width, channels, images, masks, outcomes, labels }: SalientSet, size: PictureSize): void {
  if (channels !== size.channels) {
    throw new MaskscopeError('usage', `The images have ${channels} channels and the generator's pictures ${size.channels}; choose another size of the generator.`, { subject: 'size' })
  }
  const fits = images.length === count * height * width * channels && masks.length === count * height * width && outcomes.length === count
  if (!fits || (labels && labels.length !== count)) {
    throw new MaskscopeError('usage', `Of ${count} images of ${width}×${height} pixels, images, masks and classes do not have as many numbers as they must.`, { subject: 'set' })
  }
}

function unit(values: Pixels): Float32Array {
  return values instanceof Float32Array ? values : Float32Array.from(values, (byte) => byte / 255)
}

/** Steps [down, across] of all places within the radius, in pixels. */
function discOf(radius: number): [number, number][] {
  const reach = Math.floor(radius)
  const steps = Array.from({ length: 2 * reach + 1 }, (_, i) => i - reach)
  return steps.flatMap((down) => steps.filter((across) => down * down + across * across <= radius * radius).map((across): [number, number] => [down, across]))
}

/** The largest value within the disc around each place. */
function dilated(mask: Float32Array, height: number, width: number, disc: readonly [number, number][]): Float32Array {
  if (disc.length <= 1) return mask
  const out = new Float32Array(mask.length)
  for (const [down, across] of disc) {
    const left = Math.max(0, -across)
    const right = Math.min(width, width - across)
    for (let y = Math.max(0, -down); y < Math.min(height, height - down); y++) {
      const from = (y + down) * width + across
      for (let x = left; x < right; x++) out[y * width + x] = Math.max(out[y * width + x]!, mask[from + x]!)
    }
  }
  return out
}

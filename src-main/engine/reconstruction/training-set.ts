import { createHash } from 'node:crypto'
import type { GeneratorSettings, PictureSize, SalientSet } from '#shared/domain/reconstruction.ts'
import { checkSet, fitImages, prepareMasks } from './salient.ts'

/** A set at the generator's size, in bytes: 100,000 images of 64×64×3 take 1.6 GB, a quarter of what floats would. */
export interface TrainingSet {
  count: number
  size: PictureSize
  /** [count, height, width, channels], 255 for 1 */
  images: Uint8Array
  /** Prepared, [count, height, width], 255 for 1 */
  masks: Uint8Array
  outcomes: Int32Array
}

/** A part of a set, in floats from 0 to 1. */
export interface Batch {
  count: number
  images: Float32Array
  masks: Float32Array
  outcomes: Int32Array
}

/** Images that are resized and prepared at once. */
const chunk = 256

export function packSet(set: SalientSet, settings: Pick<GeneratorSettings, 'size' | 'floor' | 'dilation' | 'blur'>): TrainingSet {
  checkSet(set, settings.size)
  const { size } = settings
  const { count, outcomes } = set
  const area = size.height * size.width
  const from = set.height * set.width
  const images = new Uint8Array(count * area * size.channels)
  const masks = new Uint8Array(count * area)
  for (let first = 0; first < count; first += chunk) {
    const end = Math.min(count, first + chunk)
    images.set(bytesOf(fitImages(set.images.subarray(first * from * set.channels, end * from * set.channels), set, size)), first * area * size.channels)
    masks.set(bytesOf(prepareMasks(set.masks.subarray(first * from, end * from), set, settings)), first * area)
  }
  return { count, size, images, masks, outcomes }
}

export function pickBatch({ size, images, masks, outcomes }: TrainingSet, indices: ArrayLike<number>): Batch {
  const area = size.height * size.width
  const count = indices.length
  return {
    count,
    images: gathered(images, indices, area * size.channels),
    masks: gathered(masks, indices, area),
    outcomes: Int32Array.from({ length: count }, (_, k) => outcomes[indices[k]!]!),
  }
}

/** Of everything that determines a training's course, hex. */
export function fingerprintOf(settings: GeneratorSettings, classes: number, set: TrainingSet, validation: TrainingSet | null, classifier: string | null): string {
  const hash = createHash('sha256').update(JSON.stringify([settings, classes, classifier]))
  for (const part of [set, validation]) {
    if (part) hash.update(part.images).update(part.masks).update(new Uint8Array(part.outcomes.slice().buffer))
  }
  return hash.digest('hex')
}

function gathered(bytes: Uint8Array, indices: ArrayLike<number>, length: number): Float32Array {
  const out = new Float32Array(indices.length * length)
  for (let k = 0; k < indices.length; k++) {
    const from = indices[k]! * length
    for (let i = 0; i < length; i++) out[k * length + i] = bytes[from + i]! / 255
  }
  return out
}

function bytesOf(values: Float32Array): Uint8Array {
  return Uint8Array.from(values, (value) => Math.round(255 * Math.min(1, Math.max(0, value))))
}

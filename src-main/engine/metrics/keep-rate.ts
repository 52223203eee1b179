import type { ImageBatch } from '#shared/domain/image.ts'
import type { Classifier } from '../classifier/classifier.ts'
import { compose, inPlace, type Frame } from '../methods/masks/compose.ts'

/**
 * The top class of one image under one mask, over each of several fills: x·m + fill·(1 − m).
 * @param image one image
 * @param mask H·W in [0, 1]
 * @param fills H·W·C each
 * @returns one class per fill
 */
export async function topClassesUnderMask(
  classifier: Classifier, image: ImageBatch, mask: Float32Array, fills: readonly Float32Array[],
): Promise<number[]> {
  const frame: Frame = { height: image.height, width: image.width, channels: image.channels }
  const size = image.data.length
  const data = new Float32Array(fills.length * size)
  fills.forEach((fill, i) => compose(frame, image.data, mask, fill, 'preserve', inPlace, data.subarray(i * size, (i + 1) * size)))
  return topClasses(classifier, { ...image, count: fills.length, data })
}

/**
 * The mask's outline alone: grey .25 where it hides, .75 where it shows. A mask that is classified as its target by this
 * picture speaks with its own form, not with what it shows of the image.
 */
export function outlineImage(mask: Float32Array, channels: number): Float32Array {
  return Float32Array.from({ length: mask.length * channels }, (_, i) => 0.25 + 0.5 * mask[Math.floor(i / channels)]!)
}

/** The class of the largest logit of each image, the first of several equal ones. */
export async function topClasses(classifier: Classifier, images: ImageBatch): Promise<number[]> {
  const logits = await classifier.logits(images)
  const classes = logits.length / images.count
  return Array.from({ length: images.count }, (_, i) => {
    const row = logits.subarray(i * classes, (i + 1) * classes)
    return row.reduce((best, value, k) => (value > row[best]! ? k : best), 0)
  })
}

import type { PictureSize } from '#shared/domain/reconstruction.ts'
import type { Classifier } from '../classifier/classifier.ts'
import { classifyAll } from '../methods/masks/calls.ts'
import { logProbabilities } from '../methods/masks/prediction.ts'
import { createResampler } from './resampling.ts'

/** What a classifier says of a picture. */
export interface Verdict {
  top: number
  /** Of each class; NaN where the outputs are no probabilities. */
  probability(target: number): number
}

/** @param pictures of the given size, [count, height, width, channels]; resized to the classifier's input where that differs */
export async function judgePictures(classifier: Classifier, pictures: Float32Array, size: PictureSize): Promise<Verdict[]> {
  const { input, head } = classifier.info
  const count = pictures.length / (size.height * size.width * size.channels)
  const rows = await classifyAll(classifier, input, createResampler(size, input).apply(pictures, size.channels), count)
  return rows.map((logits) => ({
    top: topOf(logits),
    probability: (target) => (head === 'none' ? NaN : Math.exp(logProbabilities(logits, target, head).hit)),
  }))
}

function topOf(logits: Float32Array): number {
  let top = 0
  for (let k = 1; k < logits.length; k++) if (logits[k]! > logits[top]!) top = k
  return top
}

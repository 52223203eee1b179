import type { Pictures, TrainingLosses, TrainingPoint, WindowSamples, WindowVariation } from '#shared/contract/reconstruction.ts'
import type { GeneratorLosses, PictureSize, PictureStack, TrainingNews, TrainingSamples, Variation } from '#shared/domain/reconstruction.ts'

/** In 8 bits, as the window draws them. @param data [count, height, width, channels] in [0, 1] */
export function picturesOf({ height, width, channels }: PictureSize, data: Float32Array): Pictures {
  return { count: data.length / (height * width * channels), height, width, channels: channels === 1 ? 1 : 3, data: Uint8Array.from(data, (value) => Math.round(255 * Math.min(1, Math.max(0, value)))) }
}

export function stackOf(size: PictureSize, pictures: readonly Float32Array[]): Pictures {
  const length = size.height * size.width * size.channels
  const data = new Float32Array(pictures.length * length)
  pictures.forEach((picture, i) => data.set(picture, i * length))
  return picturesOf(size, data)
}

export function samplesOf({ images, salient, reconstructions, drawn }: TrainingSamples): WindowSamples {
  const of = (stack: PictureStack): Pictures => picturesOf(stack, stack.data)
  return { images: of(images), salient: of(salient), reconstructions: of(reconstructions), drawn: of(drawn) }
}

export function variationOf({ probability, top, topProbability, accepted, place }: Variation): WindowVariation {
  return { probability, top, topProbability, accepted, place: place ?? null }
}

/** A step of the training as a point of its curves. */
export function pointOf({ epoch, step, steps, losses, finished }: TrainingNews): TrainingPoint {
  return {
    at: finished ? epoch : epoch - 1 + step / steps, losses: lossesOf(losses),
    epoch: finished ? { training: lossesOf(finished.training), validation: finished.validation && lossesOf(finished.validation) } : null,
  }
}

export function lossesOf({ reconstruction, kl, classifier, total }: GeneratorLosses): TrainingLosses {
  return { reconstruction, kl, total, ...(classifier === undefined ? {} : { classifier }) }
}

/** As its own memory: what leaves this process must not drag a pool along. */
export function floatsOf(data: Float32Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(data)
}

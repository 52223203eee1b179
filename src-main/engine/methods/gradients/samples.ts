import type { Score, ScoreKind } from '#shared/domain/score.ts'
import { imagesPerCall, splitRows } from '../masks/calls.ts'
import type { Frame } from '../masks/compose.ts'
import { checkCancelled } from '../common/cancelled.ts'
import type { ExplainTask } from '../method.ts'

/** The gradient at one picture made of an image. */
export interface Sample {
  /** Of the batch. */
  image: number
  /** Of the image's pictures, from 0. */
  index: number
  score: number
  logits: Float32Array
  /** H·W·C */
  gradient: Float32Array
}

export function frameOf({ images: { height, width, channels } }: Pick<ExplainTask, 'images'>): Frame {
  return { height, width, channels }
}

/** The image at this place of the batch, H·W·C, a view. */
export function imageAt({ images }: Pick<ExplainTask, 'images'>, index: number): Float32Array {
  const size = images.height * images.width * images.channels
  return images.data.subarray(index * size, (index + 1) * size)
}

/**
 * Gradients of the score at so many pictures made of every image, those of all images together in calls of bounded size. They come picture
 * by picture, each for all images, whatever the size of a call; before those of one come it waits as long as the run is paused.
 * @param write writes picture `index` of an image, asked for in order
 * @param before pictures of each image that came before these
 */
export async function* sampleGradients(
  task: ExplainTask, kind: ScoreKind, perImage: number, write: (image: number, index: number, out: Float32Array) => void, before = 0,
): AsyncGenerator<Sample, void, void> {
  const { classifier, images, targets, signal } = task
  const frame = frameOf(task)
  const size = frame.height * frame.width * frame.channels
  const total = perImage * images.count
  const chunk = Math.min(classifier.limits.gradient, imagesPerCall(frame), total)
  const room = new Float32Array(chunk * size)
  for (let from = 0; from < total; from += chunk) {
    checkCancelled(signal)
    const count = Math.min(chunk, total - from)
    const data = room.subarray(0, count * size)
    const scores: Score[] = []
    for (let k = 0; k < count; k++) {
      const image = (from + k) % images.count
      write(image, Math.floor((from + k) / images.count), data.subarray(k * size, (k + 1) * size))
      scores.push({ kind, target: targets[image]! })
    }
    const answer = await classifier.scoreGradient({ ...frame, count, data }, scores)
    const rows = splitRows(answer.logits, count)
    for (let k = 0; k < count; k++) {
      const image = (from + k) % images.count
      const index = Math.floor((from + k) / images.count)
      if (image === 0) await task.steer?.(before + index + 1)
      checkCancelled(signal)
      yield { image, index, score: answer.scores[k]!, logits: rows[k]!, gradient: answer.gradient.subarray(k * size, (k + 1) * size) }
    }
  }
}

import type { Classifier } from '#engine/classifier/classifier.ts'
import type { ExplainTask } from '#engine/methods/method.ts'
import { findMethod } from '#engine/methods/registry.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import type { Explanation, Progress } from '#shared/domain/run.ts'
import { createRandom } from '#shared/random/random.ts'
import { analyticClassifier } from '../../../fixtures/analytic-classifier.ts'

/** What the tests of NeuroMask share. */

export const neuromask = findMethod('neuromask')

export function randomImages(count: number, height: number, width: number, seed = 1): ImageBatch {
  const random = createRandom(seed, 'images')
  return { count, height, width, channels: 3, data: Float32Array.from({ length: count * height * width * 3 }, () => random.uniform()) }
}

export interface Outcome {
  progress: Progress[]
  explanations: Explanation[]
}

export async function explain(
  classifier: Classifier, images: ImageBatch, set: Record<string, unknown> = {}, more: Partial<ExplainTask> = {},
): Promise<Outcome> {
  const targets = more.targets ?? new Array<number>(images.count).fill(1)
  const seeds = more.seeds ?? Array.from({ length: images.count }, (_, i) => i)
  const signal = more.signal ?? new AbortController().signal
  const run = neuromask.explain({ classifier, images, targets, seeds, signal, parameters: resolveParameters(neuromask, set), ...(more.steer ? { steer: more.steer } : {}) })
  const progress: Progress[] = []
  for (;;) {
    const next = await run.next()
    if (next.done) return { progress, explanations: next.value }
    const news = { ...next.value }
    delete news.look
    progress.push(news)
  }
}

export function single(images: ImageBatch, index: number): ImageBatch {
  const size = images.height * images.width * images.channels
  return { ...images, count: 1, data: images.data.slice(index * size, (index + 1) * size) }
}

/** Certain of class 0 whatever it sees, at no cost: what remains of the loss are the regularisers. */
export function certain(height: number, width: number): Classifier {
  const gradient = new Float32Array(height * width * 3)
  const logits = Float32Array.of(200, 0, 0)
  return {
    ...analyticClassifier({ height: 1, width: 1, classes: 3 }),
    logits: async (images) => Float32Array.from({ length: 3 * images.count }, (_, i) => logits[i % 3]!),
    scoreGradient: async () => ({ scores: Float32Array.of(0), logits, gradient }),
  }
}

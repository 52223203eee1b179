import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import type { ModelInfo } from '#shared/domain/model.ts'
import type { Score } from '#shared/domain/score.ts'
import type { Executor } from '../graph/executor.ts'
import type { Classifier, ReluRule, ScoreGradient } from './classifier.ts'
import { checkScores } from './scores.ts'

/** How many images go through the network at once, by what their activations take. */
export interface BatchLimits {
  forward: number
  gradient: number
}

/** A classifier over an executor: checks what goes in and comes out, and cuts large batches into parts. */
export function createClassifier(info: ModelInfo, executor: Executor, limits: BatchLimits): Classifier {
  const perImage = info.input.height * info.input.width * info.input.channels

  async function logits(images: ImageBatch): Promise<Float32Array> {
    checkImages(images, info)
    const out = new Float32Array(images.count * info.classes)
    for (const [start, count] of parts(images.count, limits.forward)) {
      const part = await executor.forward(images.data.subarray(start * perImage, (start + count) * perImage), count)
      out.set(checkFinite(part, info.name), start * info.classes)
    }
    return out
  }

  async function scoreGradient(images: ImageBatch, scores: readonly Score[], options: { reluRule?: ReluRule } = {}): Promise<ScoreGradient> {
    if (info.access !== 'gradient') {
      throw new MaskscopeError('unavailable', `The model ${info.name} offers no gradients; choose a method that only asks for its outputs.`)
    }
    checkImages(images, info)
    if (scores.length !== images.count) throw new Error(`${scores.length} scores for ${images.count} images`)
    checkScores(scores, info.classes, info.head)
    const result: ScoreGradient = {
      scores: new Float32Array(images.count),
      logits: new Float32Array(images.count * info.classes),
      gradient: new Float32Array(images.data.length),
    }
    for (const [start, count] of parts(images.count, limits.gradient)) {
      const pixels = images.data.subarray(start * perImage, (start + count) * perImage)
      const own = scores.slice(start, start + count)
      const part = await executor.gradient(pixels, count, own, options.reluRule ?? 'exact')
      result.logits.set(checkFinite(part.logits, info.name), start * info.classes)
      result.scores.set(part.scores, start)
      result.gradient.set(part.gradient, start * perImage)
    }
    return result
  }

  return { info, logits, scoreGradient, dispose: () => executor.dispose() }
}

function parts(count: number, size: number): [start: number, count: number][] {
  const found: [number, number][] = []
  for (let start = 0; start < count; start += size) found.push([start, Math.min(size, count - start)])
  return found
}

function checkImages(images: ImageBatch, { input, name }: ModelInfo): void {
  const fits = images.height === input.height && images.width === input.width && images.channels === input.channels
  if (!fits || images.data.length !== images.count * input.height * input.width * input.channels) {
    throw new Error(`images of ${images.height}×${images.width}×${images.channels} for ${name}, which takes ${input.height}×${input.width}×${input.channels}`)
  }
}

function checkFinite(values: Float32Array, name: string): Float32Array {
  const bad = values.findIndex((v) => !Number.isFinite(v))
  if (bad < 0) return values
  throw new MaskscopeError('run', `The model ${name} answered ${values[bad]} instead of a number. Check that its preprocessing (range, mean, std) fits, or use another model.`)
}

import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import type { GraphReport } from '#shared/domain/layers.ts'
import type { ModelInfo } from '#shared/domain/model.ts'
import type { Score } from '#shared/domain/score.ts'
import type { Executor } from '../graph/executor.ts'
import type { Activations, BatchLimits, Classifier, GradientOptions, ScoreGradient } from './classifier.ts'
import { checkScores } from './scores.ts'

/**
 * A classifier over an executor: checks what goes in and comes out, and cuts large batches into parts.
 * @param graph null where an executor runs the model's own file, which has no layers that we could name
 */
export function createClassifier(info: ModelInfo, executor: Executor, limits: BatchLimits, graph: GraphReport | null): Classifier {
  const perImage = info.input.height * info.input.width * info.input.channels

  async function logits(images: ImageBatch): Promise<Float32Array> {
    checkImages(images, info)
    if (images.count <= limits.forward) return checkFinite(await executor.forward(images.data, images.count), info.name)
    const out = new Float32Array(images.count * info.classes)
    for (const [start, count] of parts(images.count, limits.forward)) {
      const part = await executor.forward(images.data.subarray(start * perImage, (start + count) * perImage), count)
      out.set(checkFinite(part, info.name), start * info.classes)
    }
    return out
  }

  async function scoreGradient(images: ImageBatch, scores: readonly Score[], options: GradientOptions = {}): Promise<ScoreGradient> {
    checkGradients(images, scores)
    const reluRule = options.reluRule ?? 'exact'
    if (images.count <= limits.gradient) {
      const whole = await executor.gradient(images.data, images.count, scores, reluRule)
      checkFinite(whole.logits, info.name)
      return whole
    }
    const result: ScoreGradient = {
      scores: new Float32Array(images.count),
      logits: new Float32Array(images.count * info.classes),
      gradient: new Float32Array(images.data.length),
    }
    for (const [start, count] of parts(images.count, limits.gradient)) {
      const pixels = images.data.subarray(start * perImage, (start + count) * perImage)
      const own = scores.slice(start, start + count)
      const part = await executor.gradient(pixels, count, own, reluRule)
      result.logits.set(checkFinite(part.logits, info.name), start * info.classes)
      result.scores.set(part.scores, start)
      result.gradient.set(part.gradient, start * perImage)
    }
    return result
  }

  async function activations(
    images: ImageBatch, layer: string, scores: readonly Score[] | null = null, options: GradientOptions = {},
  ): Promise<Activations> {
    checkLayer(layer)
    if (scores) checkGradients(images, scores)
    else checkImages(images, info)
    let result: Activations | undefined
    for (const [start, count] of parts(images.count, scores ? limits.gradient : limits.forward)) {
      const pixels = images.data.subarray(start * perImage, (start + count) * perImage)
      const own = scores?.slice(start, start + count) ?? null
      const part = await executor.activations(pixels, count, layer, own, options.reluRule ?? 'exact')
      const size = part.activations.length / count
      result ??= {
        shape: part.shape,
        activations: new Float32Array(images.count * size),
        gradients: scores && new Float32Array(images.count * size),
        logits: new Float32Array(images.count * info.classes),
        scores: scores && new Float32Array(images.count),
      }
      result.activations.set(part.activations, start * size)
      if (part.gradients) result.gradients?.set(part.gradients, start * size)
      result.logits.set(checkFinite(part.logits, info.name), start * info.classes)
      if (part.scores) result.scores?.set(part.scores, start)
    }
    if (!result) throw new Error('activations of no images')
    return result
  }

  function checkGradients(images: ImageBatch, scores: readonly Score[]): void {
    if (info.access !== 'gradient') {
      throw new MaskscopeError('unavailable', `The model ${info.name} offers no gradients; choose a method that only asks for its outputs.`)
    }
    checkImages(images, info)
    if (scores.length !== images.count) throw new Error(`${scores.length} scores for ${images.count} images`)
    checkScores(scores, info.classes, info.head)
  }

  function checkLayer(layer: string): void {
    if (!graph) {
      throw new MaskscopeError('unavailable', `The layers of ${info.name} cannot be looked into: it runs as it is, not as a graph of ours. Choose a method that needs no layer.`, { subject: 'layer' })
    }
    if (graph.layers.some(({ name }) => name === layer)) return
    const known = graph.layers.filter(({ cam }) => cam).map(({ name }) => name)
    const advice = known.length === 0 ? '' : ` Convolutions that can be looked into are ${known.slice(-8).join(', ')}.`
    throw new MaskscopeError('usage', `The model ${info.name} has no layer "${layer}".${advice} "maskscope inspect" lists all.`, { subject: 'layer' })
  }

  return { info, graph, limits, logits, scoreGradient, activations, dispose: () => executor.dispose() }
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

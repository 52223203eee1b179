import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import type { GraphReport } from '#shared/domain/layers.ts'
import type { ModelInfo } from '#shared/domain/model.ts'
import type { Score } from '#shared/domain/score.ts'
import type { Executor } from '../graph/executor.ts'
import type { Graph } from '../graph/graph.ts'
import { shuffleWeights } from '../graph/shuffle.ts'
import { breathe } from '../breathe.ts'
import { createRelevance, type RelevancePass } from '../graph/tfjs/relevance/relevance.ts'
import { checkChannels, checkFinite, checkImages, checkLayer, checkWeighted, noGraph } from './checks.ts'
import type { Ablation, Activations, BatchLimits, Classifier, GradientOptions, LogitsOptions, LrpRule, Relevance, ScoreGradient, WeightShuffle } from './classifier.ts'
import { checkScores } from './scores.ts'

/** The graph behind a classifier, and how an executor is made of another like it. */
export interface Origin {
  graph: Graph
  make(graph: Graph): Promise<Executor>
}

/**
 * A classifier over an executor: checks what goes in and comes out, and cuts large batches into parts.
 * @param graph null where an executor runs the model's own file, which has no layers that we could name
 * @param origin of the graph, for what the executor does not do; null where there is none
 */
export function createClassifier(
  info: ModelInfo, executor: Executor, limits: BatchLimits, graph: GraphReport | null, origin: Origin | null = null,
): Classifier {
  const perImage = info.input.height * info.input.width * info.input.channels
  let relevancePass: RelevancePass | undefined

  async function logits(images: ImageBatch, { ablate }: LogitsOptions = {}): Promise<Float32Array> {
    checkImages(images, info)
    await breathe()
    if (ablate) return ablated(images, ablate)
    if (images.count <= limits.forward) return checkFinite(await executor.forward(images.data, images.count), info.name)
    const out = new Float32Array(images.count * info.classes)
    for (const [start, count] of parts(images.count, limits.forward)) {
      const part = await executor.forward(images.data.subarray(start * perImage, (start + count) * perImage), count)
      out.set(checkFinite(part, info.name), start * info.classes)
    }
    return out
  }

  async function ablated(images: ImageBatch, { layer, channels }: Ablation): Promise<Float32Array> {
    checkLayer(layer, graph, info)
    checkChannels(channels, layer, graph!, images)
    return checkFinite(await executor.ablated(images.data, images.count, layer, channels, limits.forward), info.name)
  }

  async function scoreGradient(images: ImageBatch, scores: readonly Score[], options: GradientOptions = {}): Promise<ScoreGradient> {
    checkGradients(images, scores)
    await breathe()
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
    checkLayer(layer, graph, info)
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

  async function relevance(images: ImageBatch, targets: readonly number[], rule: LrpRule): Promise<Relevance> {
    checkImages(images, info)
    if (!origin) throw noGraph(info, 'Relevance')
    if (targets.length !== images.count) throw new Error(`${targets.length} targets for ${images.count} images`)
    checkScores(targets.map((target) => ({ kind: 'logit', target })), info.classes, info.head)
    relevancePass ??= createRelevance(origin.graph)
    const result: Relevance = { relevance: new Float32Array(images.data.length), logits: new Float32Array(images.count * info.classes) }
    // it keeps all activations, and takes the weights by their signs besides
    for (const [start, count] of parts(images.count, Math.max(1, Math.floor(limits.gradient / 2)))) {
      const pixels = images.data.subarray(start * perImage, (start + count) * perImage)
      const part = await relevancePass.relevance(pixels, count, targets.slice(start, start + count), rule)
      result.logits.set(checkFinite(part.logits, info.name), start * info.classes)
      result.relevance.set(part.relevance, start * perImage)
    }
    return result
  }

  async function withWeights({ layers, seed }: WeightShuffle): Promise<Classifier> {
    if (!origin) throw noGraph(info, 'Shuffling weights')
    checkWeighted(layers, graph, info)
    const other = shuffleWeights(origin.graph, new Set(layers), seed)
    return createClassifier(info, await origin.make(other), limits, graph, { ...origin, graph: other })
  }

  function dispose(): void {
    relevancePass?.dispose()
    executor.dispose()
  }

  function checkGradients(images: ImageBatch, scores: readonly Score[]): void {
    if (info.access !== 'gradient') {
      throw new MaskscopeError('unavailable', `The model ${info.name} offers no gradients; choose a method that only asks for its outputs.`)
    }
    checkImages(images, info)
    if (scores.length !== images.count) throw new Error(`${scores.length} scores for ${images.count} images`)
    checkScores(scores, info.classes, info.head)
  }

  return { info, graph, limits, logits, scoreGradient, activations, relevance, withWeights, dispose }
}

function parts(count: number, size: number): [start: number, count: number][] {
  const found: [number, number][] = []
  for (let start = 0; start < count; start += size) found.push([start, Math.min(size, count - start)])
  return found
}

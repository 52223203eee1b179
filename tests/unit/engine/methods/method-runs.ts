import type { Classifier } from '#engine/classifier/classifier.ts'
import { createClassifier } from '#engine/classifier/graph-classifier.ts'
import type { Graph } from '#engine/graph/graph.ts'
import { graphReport } from '#engine/graph/report.ts'
import { createTfjsExecutor } from '#engine/graph/tfjs/executor.ts'
import type { ExplainTask, Step } from '#engine/methods/method.ts'
import { findMethod } from '#engine/methods/registry.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import { resolveParameters } from '#shared/domain/parameters.ts'
import type { Explanation } from '#shared/domain/run.ts'
import type { Score } from '#shared/domain/score.ts'
import { createRandom } from '#shared/random/random.ts'
import { analyticClassifier } from '../../../fixtures/analytic-classifier.ts'

/** What the tests of gradient methods, CAMs and controls share. */

export interface Outcome {
  steps: Omit<Step, 'look'>[]
  explanations: Explanation[]
}

/** Runs a method to its end; target 1 for all and seeds 0, 1, … unless told otherwise. */
export async function run(id: string, classifier: Classifier, images: ImageBatch, set: Record<string, unknown> = {}, more: Partial<ExplainTask> = {}): Promise<Outcome> {
  const method = findMethod(id)
  const task: ExplainTask = {
    classifier, images, targets: new Array<number>(images.count).fill(1), seeds: Array.from({ length: images.count }, (_, i) => i),
    signal: new AbortController().signal, parameters: resolveParameters(method, set), ...more,
  }
  const inner = method.explain(task)
  const steps: Outcome['steps'] = []
  for (;;) {
    const next = await inner.next()
    if (next.done) return { steps, explanations: next.value }
    const { look, ...news } = next.value
    if (look && !news.frame) news.frame = look()
    steps.push(news)
  }
}

/** The map of one image. */
export async function mapOf(id: string, classifier: Classifier, images: ImageBatch, set: Record<string, unknown> = {}, more: Partial<ExplainTask> = {}): Promise<number[]> {
  return [...(await run(id, classifier, images, set, more)).explanations[0]!.saliency.data]
}

export function imagesOf(height: number, width: number, channels: number, ...images: readonly (readonly number[])[]): ImageBatch {
  return { count: images.length, height, width, channels, data: Float32Array.from(images.flat()) }
}

export function randomImages(count: number, height: number, width: number, channels = 3, seed = 1): ImageBatch {
  const random = createRandom(seed, 'images')
  return { count, height, width, channels, data: Float32Array.from({ length: count * height * width * channels }, () => random.uniform()) }
}

export function only(images: ImageBatch, index: number): ImageBatch {
  const size = images.height * images.width * images.channels
  return { ...images, count: 1, data: images.data.slice(index * size, (index + 1) * size) }
}

/** One output, a formula of the image, with its gradient. */
export function formula(height: number, width: number, f: (x: Float32Array) => number, slope: (x: Float32Array) => number[]): Classifier {
  const base = analyticClassifier({ height, width, channels: 1, classes: 1, head: 'none' })
  const size = height * width
  const each = (images: ImageBatch): Float32Array[] => Array.from({ length: images.count }, (_, n) => images.data.subarray(n * size, (n + 1) * size))
  return {
    ...base,
    logits: async (images) => Float32Array.from(each(images), f),
    scoreGradient: async (images: ImageBatch, scores: readonly Score[]) => {
      const values = Float32Array.from(each(images), f)
      return { scores: values.subarray(0, scores.length), logits: values, gradient: Float32Array.from(each(images).flatMap(slope)) }
    },
  }
}

/** A graph of ours on TF.js, with its layers; the image enters as it is. */
export function graphClassifier(graph: Graph, size: { height: number; width: number; channels: number }, classes: number): Classifier {
  const { info, limits } = analyticClassifier({ ...size, classes, head: 'none' })
  return createClassifier(info, createTfjsExecutor(graph, 'none'), limits, graphReport(graph))
}

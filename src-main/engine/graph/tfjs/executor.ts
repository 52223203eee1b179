import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Head, Score } from '#shared/domain/score.ts'
import type { ReluRule } from '../../classifier/classifier.ts'
import { scoresAndSeeds } from '../../classifier/scores.ts'
import type { ActivationBatch, Executor, ScoredBatch } from '../executor.ts'
import type { Graph } from '../graph.ts'
import { batched, nodeNamed } from '../graph.ts'
import type { Cut } from '../cut.ts'
import { cutBehind } from '../cut.ts'
import { joined } from '../joined.ts'
import { shapeOfLayer } from '../layer-shape.ts'
import { oneByOne } from '../one-by-one.ts'
import { ablatedLogits } from './ablation.ts'
import { registerActivationGradient } from './activation-gradient.ts'
import { backwardPass, disposeAll, forwardPass, planPasses, valuesOf, type Step } from './passes.ts'
import { createWeightStore } from './weight-store.ts'

/**
 * Runs the graph on the active TF.js backend. The backward pass is our own: one vector-Jacobian product per node in
 * reverse order, only towards the image, so filter gradients never arise, fused kernels serve the gradient path too, and
 * between the two passes the logits can be awaited.
 */
export function createTfjsExecutor(graph: Graph, head: Head): Executor {
  registerActivationGradient()
  const { nodes, input, output } = graph
  const index = new Map(nodes.map((node, i) => [node.name, i]))
  const weights = createWeightStore()
  const inputShape = nodeNamed(graph, input).shape
  const classes = nodeNamed(graph, output).shape[1]!
  const plans = new Map<string, Step[]>()
  const cuts = new Map<string, Cut>()

  /** For a gradient of `of`, or for the forward pass alone; besides the output, the value of `of` is kept. */
  function planFor(of: string | null, value = false): Step[] {
    const key = JSON.stringify([of, value])
    let plan = plans.get(key)
    if (!plan) plans.set(key, (plan = planPasses(nodes, of !== null ? [output, of] : [output], value ? null : of)))
    return plan
  }

  function imagesOf(images: Float32Array, count: number): Tensor {
    return tf.tensor(images, batched(inputShape, count), 'float32')
  }

  async function forward(images: Float32Array, count: number): Promise<Float32Array> {
    const values: (Tensor | null)[] = []
    try {
      forwardPass(planFor(null), weights, count, values, () => imagesOf(images, count))
      return await valuesOf(values[index.get(output)!]!)
    } finally {
      disposeAll(values)
    }
  }

  async function gradient(images: Float32Array, count: number, scores: readonly Score[], reluRule: ReluRule): Promise<ScoredBatch> {
    const { gradients, scores: found, logits } = await through(images, count, input, scores, reluRule)
    return { logits, scores: found!, gradient: gradients! }
  }

  async function activations(images: Float32Array, count: number, node: string, scores: readonly Score[] | null, reluRule: ReluRule): Promise<ActivationBatch> {
    return { shape: shapeOfLayer(graph, node), ...(await through(images, count, node, scores, reluRule)) }
  }

  /** Both passes, with the values and the gradient of one node. */
  async function through(
    images: Float32Array, count: number, of: string, scores: readonly Score[] | null, reluRule: ReluRule,
  ): Promise<Omit<ActivationBatch, 'shape'>> {
    const steps = planFor(of, scores === null)
    const [from, to] = [index.get(output)!, index.get(of)!]
    const values: (Tensor | null)[] = []
    const gradients: (Tensor | null)[] = []
    try {
      forwardPass(steps, weights, count, values, () => imagesOf(images, count))
      const logits = await valuesOf(values[from]!)
      const activations = of === input ? images : await valuesOf(values[to]!)
      if (!scores) return { activations, gradients: null, logits, scores: null }
      const { scores: found, seeds } = scoresAndSeeds(logits, classes, scores, head)
      gradients[from] = tf.tensor(seeds, values[from]!.shape, 'float32')
      backwardPass(steps, weights, count, values, gradients, { from, to, reluRule })
      const onNode = gradients[to]
      return { activations, gradients: onNode ? await valuesOf(onNode) : new Float32Array(activations.length), logits, scores: found }
    } finally {
      disposeAll(values)
      disposeAll(gradients)
    }
  }

  async function ablated(images: Float32Array, count: number, node: string, channels: readonly (readonly number[])[], most: number): Promise<Float32Array> {
    let cut = cuts.get(node)
    if (!cut) cuts.set(node, (cut = cutBehind(graph, node)))
    const size = images.length / count
    const rows: Float32Array[] = []
    for (let i = 0; i < count; i++) {
      rows.push(await ablatedLogits(cut, output, weights, () => imagesOf(images.subarray(i * size, (i + 1) * size), 1), channels[i]!, most))
    }
    return joined(rows)
  }

  const executor: Executor = { id: 'tfjs', forward, gradient, activations, ablated, dispose: () => weights.dispose() }
  return graph.oneByOne ? oneByOne(executor) : executor
}

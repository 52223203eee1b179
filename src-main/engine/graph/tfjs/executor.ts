import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Head, Score } from '#shared/domain/score.ts'
import type { ReluRule } from '../../classifier/classifier.ts'
import { scoresAndSeeds } from '../../classifier/scores.ts'
import type { ActivationBatch, Executor, ScoredBatch } from '../executor.ts'
import type { Graph, GraphNode } from '../graph.ts'
import { batched, nodeNamed } from '../graph.ts'
import { registerActivationGradient } from './activation-gradient.ts'
import { wantedGradients } from './elementwise-rules.ts'
import { ruleOf } from './rules.ts'
import { createWeightStore } from './weight-store.ts'

/** A node with what the two passes need to know of it, worked out once. */
interface Step {
  node: GraphNode
  inputs: readonly number[]
  /** Depends on the image. */
  active: boolean
  wanted: readonly boolean[]
  /** Its output is read by the backward pass. */
  kept: boolean
  /** Outputs that the forward pass reads last here. */
  lastUseOf: number[]
}

/**
 * Runs the graph on the active TF.js backend. The backward pass is our own: one vector-Jacobian product per node in
 * reverse order, only towards the image, so filter gradients never arise, fused kernels serve the gradient path too, and
 * between the two passes the logits can be awaited.
 */
export function createTfjsExecutor(graph: Graph, head: Head): Executor {
  registerActivationGradient()
  const steps = plan(graph)
  const weights = createWeightStore()
  const output = steps.findIndex((s) => s.node.name === graph.output)
  const inputShape = nodeNamed(graph, graph.input).shape.slice(1)
  const classes = nodeNamed(graph, graph.output).shape[1]!

  /** Computes all nodes; `values` holds what must live on, the rest is disposed as soon as it is no longer read. */
  function forwardPass(images: Float32Array, count: number, values: (Tensor | null)[], forGradient: boolean): void {
    steps.forEach((step, i) => {
      const { node } = step
      if (node.op === 'input') values[i] = tf.tensor(images, [count, ...inputShape], 'float32')
      else if (node.op === 'constant') values[i] = tf.clone(weights.get(node.value))
      else values[i] = ruleOf(node.op).forward(node as never, step.inputs.map((k) => values[k]!), weights)
      for (const k of step.lastUseOf) {
        if (k === output || (forGradient && steps[k]!.kept)) continue
        values[k]!.dispose()
        values[k] = null
      }
    })
  }

  async function forward(images: Float32Array, count: number): Promise<Float32Array> {
    const values: (Tensor | null)[] = []
    try {
      forwardPass(images, count, values, false)
      return await valuesOf(values[output]!)
    } finally {
      disposeAll(values)
    }
  }

  async function gradient(images: Float32Array, count: number, scores: readonly Score[], reluRule: ReluRule): Promise<ScoredBatch> {
    const values: (Tensor | null)[] = []
    const gradients: (Tensor | null)[] = []
    try {
      forwardPass(images, count, values, true)
      const logits = await valuesOf(values[output]!)
      const { scores: found, seeds } = scoresAndSeeds(logits, classes, scores, head)
      gradients[output] = tf.tensor(seeds, values[output]!.shape, 'float32')
      backwardPass(count, values, gradients, reluRule)
      const onImage = gradients[0]
      return { logits, scores: found, gradient: onImage ? await valuesOf(onImage) : new Float32Array(images.length) }
    } finally {
      disposeAll(values)
      disposeAll(gradients)
    }
  }

  function backwardPass(count: number, values: (Tensor | null)[], gradients: (Tensor | null)[], reluRule: ReluRule): void {
    for (let i = output; i > 0; i--) {
      const { node, inputs, wanted, active } = steps[i]!
      const dy = gradients[i]
      if (active && dy && node.op !== 'input' && node.op !== 'constant') {
        const rule = ruleOf(node.op)
        const tensors = inputs.map((k) => values[k]!)
        const inputShapes = inputs.map((k) => batched(steps[k]!.node.shape, count))
        const found = rule.backward
          ? rule.backward({ node: node as never, dy, inputs: tensors, inputShapes, wanted, output: values[i]!, weights, reluRule })
          : wantedGradients((xs) => rule.forward(node as never, xs, weights), tensors, wanted, dy)
        found.forEach((gradient, k) => {
          if (gradient) accumulate(gradients, inputs[k]!, gradient)
        })
        dy.dispose()
        gradients[i] = null
      }
      values[i]?.dispose()
      values[i] = null
    }
  }

  function activations(): Promise<ActivationBatch> {
    throw new Error('not yet')
  }

  return { id: 'tfjs', forward, gradient, activations, dispose: () => weights.dispose() }
}

/**
 * WASM and cpu have the values at hand; asked for them with a promise, TF.js keeps every array alive until a full garbage
 * collection, some 50 MB in a thousand steps.
 */
function valuesOf(tensor: Tensor): Float32Array | Promise<Float32Array> {
  const atHand = tf.getBackend() === 'wasm' || tf.getBackend() === 'cpu'
  return atHand ? (tensor.dataSync() as Float32Array) : (tensor.data() as Promise<Float32Array>)
}

function disposeAll(tensors: readonly (Tensor | null | undefined)[]): void {
  for (const t of tensors) t?.dispose()
}

function accumulate(gradients: (Tensor | null)[], index: number, gradient: Tensor): void {
  const before = gradients[index]
  if (!before) {
    gradients[index] = gradient
    return
  }
  gradients[index] = tf.add(before, gradient)
  before.dispose()
  gradient.dispose()
}

function plan(graph: Graph): Step[] {
  const index = new Map(graph.nodes.map((node, i) => [node.name, i]))
  if (index.get(graph.input) !== 0) throw new Error('the graph must begin with its input')
  const steps: Step[] = []
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => index.get(name)!)
    const wanted = inputs.map((k) => steps[k]!.active)
    steps.push({ node, inputs, active: node.op === 'input' || wanted.includes(true), wanted, kept: false, lastUseOf: [] })
  }
  steps.forEach((step) => {
    if (step.node.op === 'input' || step.node.op === 'constant' || !step.active) return
    const rule = ruleOf(step.node.op)
    const keeps = rule.keeps ? rule.keeps(step.node as never) : { inputs: !rule.backward }
    if (keeps.output) step.kept = true
    if (keeps.inputs) for (const k of step.inputs) steps[k]!.kept = true
  })
  steps.forEach((_, k) => {
    const last = steps.findLastIndex((s) => s.inputs.includes(k))
    steps[last < 0 ? k : last]!.lastUseOf.push(k)
  })
  return steps
}

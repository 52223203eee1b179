import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { ReluRule } from '../../classifier/classifier.ts'
import type { GraphNode } from '../graph.ts'
import { batched } from '../graph.ts'
import { ruleOf } from './rules.ts'
import type { WeightStore } from './weight-store.ts'

/** A node with what the two passes need to know of it, worked out once. */
export interface Step {
  readonly node: GraphNode
  readonly inputs: readonly number[]
  /** Depends on what the gradient is taken of. */
  readonly active: boolean
  readonly wanted: readonly boolean[]
  /** Its output outlives the forward pass. */
  kept: boolean
  /** Outputs that the forward pass reads last here. */
  readonly lastUseOf: number[]
}

/**
 * @param nodes in topological order
 * @param read names of the nodes whose values are asked for
 * @param of name of the node that the gradient is taken of; null where none is
 */
export function planPasses(nodes: readonly GraphNode[], read: readonly string[], of: string | null): Step[] {
  const index = new Map(nodes.map((node, i) => [node.name, i]))
  const steps: Step[] = []
  for (const node of nodes) {
    const inputs = node.inputs.map((name) => {
      const found = index.get(name)
      if (found === undefined || found >= steps.length) throw new Error(`the node ${node.name} comes before its input ${name}`)
      return found
    })
    const wanted = inputs.map((k) => steps[k]!.active)
    steps.push({ node, inputs, active: node.name === of || wanted.includes(true), wanted, kept: read.includes(node.name), lastUseOf: [] })
  }
  steps.forEach(({ node, active, inputs }, i) => {
    if (node.op === 'input' || node.op === 'constant' || !active || node.name === of) return
    const keeps = ruleOf(node.op).keeps?.(node as never)
    if (keeps?.output) steps[i]!.kept = true
    if (keeps?.inputs) for (const k of inputs) steps[k]!.kept = true
  })
  const lastUse = steps.map((_, k) => k)
  steps.forEach(({ inputs }, i) => {
    for (const k of inputs) lastUse[k] = i
  })
  lastUse.forEach((at, k) => steps[at]!.lastUseOf.push(k))
  return steps
}

/**
 * Computes all nodes; afterwards `values` holds those that are kept, and the rest is disposed of, each as soon as it is no
 * longer read. Whoever calls disposes of `values`, also where this throws.
 * @param given the tensor of an input node, which becomes the pass's own
 */
export function forwardPass(steps: readonly Step[], weights: WeightStore, count: number, values: (Tensor | null)[], given: (node: GraphNode) => Tensor): void {
  steps.forEach(({ node, inputs, lastUseOf }, i) => {
    if (node.op === 'input') values[i] = given(node)
    else if (node.op === 'constant') values[i] = tf.clone(weights.get(node.value))
    else values[i] = ruleOf(node.op).forward({ node: node as never, inputs: inputs.map((k) => values[k]!), weights, shape: batched(node.shape, count) })
    for (const k of lastUseOf) {
      if (steps[k]!.kept) continue
      values[k]!.dispose()
      values[k] = null
    }
  })
}

/**
 * One vector-Jacobian product per node from `from` back to `to`, exclusive: `gradients` comes with that of `from` and ends
 * with that of `to`, or without one where it is zero. Disposes of values and gradients on the way.
 */
export function backwardPass(
  steps: readonly Step[], weights: WeightStore, count: number, values: (Tensor | null)[], gradients: (Tensor | null)[],
  { from, to, reluRule }: { from: number; to: number; reluRule: ReluRule },
): void {
  for (let i = from; i > to; i--) {
    const { node, inputs, wanted, active } = steps[i]!
    const dy = gradients[i]
    if (active && dy && node.op !== 'input' && node.op !== 'constant') {
      const inputShapes = inputs.map((k) => batched(steps[k]!.node.shape, count))
      const found = ruleOf(node.op).backward({
        node: node as never, dy, inputs: inputs.map((k) => values[k]!), inputShapes, wanted, output: values[i]!, weights, reluRule,
      })
      found.forEach((gradient, k) => {
        if (gradient) accumulate(gradients, inputs[k]!, gradient)
      })
    }
    dy?.dispose()
    gradients[i] = null
    values[i]?.dispose()
    values[i] = null
  }
}

/** Adds a gradient to those that arrived before; it becomes the list's own. */
export function accumulate(gradients: (Tensor | null)[], index: number, gradient: Tensor): void {
  const before = gradients[index]
  if (!before) {
    gradients[index] = gradient
    return
  }
  gradients[index] = tf.add(before, gradient)
  before.dispose()
  gradient.dispose()
}

/**
 * WASM and cpu have the values at hand; asked for them with a promise, TF.js keeps every array alive until a full garbage
 * collection, some 50 MB in a thousand steps.
 */
export function valuesOf(tensor: Tensor): Float32Array | Promise<Float32Array> {
  const atHand = tf.getBackend() === 'wasm' || tf.getBackend() === 'cpu'
  return atHand ? (tensor.dataSync() as Float32Array) : (tensor.data() as Promise<Float32Array>)
}

export function disposeAll(tensors: readonly (Tensor | null | undefined)[]): void {
  for (const t of tensors) t?.dispose()
}

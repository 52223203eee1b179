import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { LrpRule, Relevance } from '../../../classifier/classifier.ts'
import { parameterCount } from '../../cost.ts'
import type { Graph } from '../../graph.ts'
import { batched, nodeNamed } from '../../graph.ts'
import { joined } from '../../joined.ts'
import { planRelevance } from '../../relevance-plan.ts'
import { registerActivationGradient } from '../activation-gradient.ts'
import { accumulate, disposeAll, forwardPass, planPasses, valuesOf } from '../passes.ts'
import { ruleOf } from '../rules.ts'
import { createWeightStore } from '../weight-store.ts'
import { createForms } from './linear-map.ts'
import { relevanceOfInputs } from './node-rules.ts'

/** Layer-wise relevance propagation through one graph, on the active TF.js backend. */
export interface RelevancePass {
  /** @param targets a class per image */
  relevance(images: Float32Array, count: number, targets: readonly number[], rule: LrpRule): Promise<Relevance>
  dispose(): void
}

/** Weights beyond which their forms by sign, up to four, are not kept from call to call. */
const mostKept = 5e6

/**
 * All values of a forward pass are kept; then, node by node in reverse, the relevance of a node is shared out among its inputs
 * (Bach et al., 2015). It starts as the target's logit.
 */
export function createRelevance(graph: Graph): RelevancePass {
  registerActivationGradient()
  const { nodes, input, output } = graph
  const steps = planPasses(nodes, nodes.map(({ name }) => name), input)
  const plan = planRelevance(graph)
  const weights = createWeightStore()
  const forms = createForms()
  const parameters = parameterCount(graph)
  const at = (name: string): number => nodes.findIndex((node) => node.name === name)
  const inputShape = nodeNamed(graph, input).shape
  const classes = nodeNamed(graph, output).shape[1]!

  /** What a node that only moves and scales gives for other images. */
  function ofImages(name: string, images: Tensor): Tensor {
    const node = nodeNamed(graph, name)
    if (node.op === 'input') return images
    return ruleOf(node.op as 'affine').forward({ node: node as never, inputs: [ofImages(node.inputs[0]!, images)], weights, shape: batched(node.shape, images.shape[0]!) })
  }

  function limitsOf(name: string): { low: Tensor; high: Tensor } {
    const [black, white] = [0, 1].map((value) => ofImages(name, tf.fill(batched(inputShape, 1), value))) as [Tensor, Tensor]
    return { low: tf.minimum(black, white), high: tf.maximum(black, white) }
  }

  function meanColourOf(name: string, images: Tensor): Tensor {
    return ofImages(name, tf.mul(tf.mean(images, [1, 2], true), tf.onesLike(images)))
  }

  async function relevance(images: Float32Array, count: number, targets: readonly number[], rule: LrpRule): Promise<Relevance> {
    const lower = plan.lower(rule)
    const values: (Tensor | null)[] = []
    const relevances: (Tensor | null)[] = []
    const [from, to] = [at(output), at(input)]
    try {
      forwardPass(steps, weights, count, values, () => tf.tensor(images, batched(inputShape, count), 'float32'))
      const logits = Float32Array.from(await valuesOf(values[from]!))
      const start = new Float32Array(logits.length)
      targets.forEach((target, i) => (start[i * classes + target] = logits[i * classes + target]!))
      relevances[from] = tf.tensor(start, values[from]!.shape)
      for (let i = from; i > to; i--) {
        passOn(i, rule, lower, values, relevances)
        relevances[i]?.dispose()
        relevances[i] = null
        values[i]?.dispose()
        values[i] = null
      }
      const onImage = relevances[to]
      return { logits, relevance: onImage ? Float32Array.from(await valuesOf(onImage)) : new Float32Array(images.length) }
    } finally {
      disposeAll(values)
      disposeAll(relevances)
      if (parameters > mostKept) forget()
    }
  }

  function forget(): void {
    weights.dispose()
    forms.clear()
  }

  function passOn(i: number, rule: LrpRule, lower: ReadonlySet<string>, values: readonly (Tensor | null)[], relevances: (Tensor | null)[]): void {
    const { node, inputs, wanted, active } = steps[i]!
    const r = relevances[i]
    if (!active || !r) return
    const share = lower.has(node.name) ? { kind: 'gamma' as const, gamma: rule.gamma } : { kind: 'epsilon' as const, epsilon: rule.epsilon }
    const found = tf.tidy(() => {
      const parts = relevanceOfInputs({
        node, r, inputs: inputs.map((k) => values[k]!), output: values[i]!, wanted, rule, share, plan, weights, forms, limits: () => limitsOf(node.inputs[0]!),
        meanColour: () => meanColourOf(node.inputs[0]!, values[at(input)]!),
      })
      return Object.fromEntries(parts.flatMap((part, k) => (part && wanted[k] ? [[k, part] as const] : [])))
    })
    for (const [k, part] of Object.entries(found)) accumulate(relevances, inputs[Number(k)]!, part)
  }

  async function each(images: Float32Array, count: number, targets: readonly number[], rule: LrpRule): Promise<Relevance> {
    const size = images.length / count
    const parts: Relevance[] = []
    for (let i = 0; i < count; i++) parts.push(await relevance(images.subarray(i * size, (i + 1) * size), 1, [targets[i]!], rule))
    return { relevance: joined(parts.map((p) => p.relevance)), logits: joined(parts.map((p) => p.logits)) }
  }

  return { relevance: graph.oneByOne ? each : relevance, dispose: forget }
}

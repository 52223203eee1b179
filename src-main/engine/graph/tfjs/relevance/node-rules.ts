import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { LrpRule } from '../../../classifier/classifier.ts'
import type { GraphNode, NodeOf } from '../../graph.ts'
import type { RelevancePlan } from '../../relevance-plan.ts'
import { expandedTo, summedTo } from '../broadcasting.ts'
import { centred } from '../reduce-rules.ts'
import { ruleOf } from '../rules.ts'
import type { WeightStore } from '../weight-store.ts'
import { averagingMap, weightedMap, type Averaging, type Forms, type Weighted } from './linear-map.ts'
import { stabilised, throughBox, throughFlat, throughLinear, throughReference, throughSum, type Share, type Signs } from './linear-rules.ts'

/** A node whose relevance goes on to its inputs. */
export interface NodeStep {
  node: GraphNode
  /** Relevance of the output, in its shape. */
  r: Tensor
  inputs: readonly Tensor[]
  output: Tensor
  /** Which inputs depend on the image. */
  wanted: readonly boolean[]
  rule: LrpRule
  share: Share
  plan: RelevancePlan
  weights: WeightStore
  forms: Forms
  /** The first layer's input for a black and for a white image. */
  limits(): { low: Tensor; high: Tensor }
  /** The first layer's input for images that are their own mean colour everywhere. */
  meanColour(): Tensor
}

/** Relevance of each input, in its shape; null where there is none. Called inside `tf.tidy`. */
export function relevanceOfInputs(step: NodeStep): (Tensor | null)[] {
  const { node, r, inputs, output } = step
  switch (node.op) {
    case 'conv2d':
    case 'depthwiseConv2d':
    case 'conv2dTranspose':
    case 'dense':
      return [throughWeights(step, node)]
    case 'pool':
      return node.kind === 'max' ? routed(step) : averaged(step, node)
    case 'reduce':
      return node.function === 'max' || node.function === 'min' ? routed(step) : averaged(step, node)
    case 'resize':
      return averaged(step, node)
    case 'binary':
      return throughBinary(step, node)
    case 'matmul':
      return throughProduct(step, node)
    case 'normalize': {
      // 1/sqrt(variance + ε) counts as a constant (Ali et al., 2022)
      const axes = [...node.axes].sort((a, b) => a - b)
      const s = tf.div(r, stabilised(output, epsilonOf(step), axisOf(node)))
      return [tf.mul(inputs[0]!, tf.mul(centred(node, axes, inputs[0]!).inverse, tf.sub(s, tf.mean(s, axes, true))))]
    }
    case 'affine':
    case 'unary':
    case 'prelu':
    case 'softmax':
    case 'lrn':
      return [tf.clone(r)]
    case 'input':
    case 'constant':
      return []
    default:
      return routed(step)
  }
}

/** Of the images; 0 where the node holds none. */
function axisOf({ shape }: GraphNode): number {
  return Math.max(0, shape.findIndex((n) => n < 0))
}

function epsilonOf({ share }: NodeStep): number {
  return share.kind === 'epsilon' ? share.epsilon : 0
}

function signsOf({ plan, node, rule }: NodeStep): Signs {
  // a bias that takes no share can make an output positive that is negative without it
  const rectified = 'activation' in node && node.activation?.kind === 'relu' && (rule.biases === 'share' || node.bias === null)
  return { inputs: plan.nonNegative.has(node.inputs[0]!), output: rectified }
}

function throughWeights(step: NodeStep, node: Weighted): Tensor {
  const { r, inputs: [x], rule, plan, weights, forms } = step
  const map = weightedMap(node, x!, step.output.shape, weights, forms)
  if (plan.first.has(node.name) && rule.input === 'flat') return throughFlat(map, x!, r)
  if (plan.first.has(node.name) && rule.input === 'box') return throughBox(map, x!, r, step.limits())
  if (plan.first.has(node.name) && rule.input === 'mean') return throughReference(map, x!, step.meanColour(), r, { epsilon: epsilonOf(step), bias: rule.biases === 'share' })
  return throughLinear(map, x!, r, step.share, { signs: signsOf(step), bias: rule.biases === 'share', axis: axisOf(node) })
}

function averaged(step: NodeStep, node: Averaging): Tensor[] {
  const { r, inputs: [x], output, weights } = step
  const map = averagingMap(node, x!, output, weights)
  const nonNegative = step.plan.nonNegative.has(node.inputs[0]!)
  return [throughLinear(map, x!, r, step.share, { signs: { inputs: nonNegative, output: nonNegative }, bias: false, axis: axisOf(node) })]
}

/** As gradients go: where a value was moved, and to the winner of a maximum. @param dy in place of the relevance */
function routed({ node, r, inputs, output, wanted, weights }: NodeStep, dy = r): (Tensor | null)[] {
  const inputShapes = inputs.map(({ shape }) => shape)
  return ruleOf(node.op as 'pool').backward({ node: node as never, dy, inputs, inputShapes, wanted, output, weights, reluRule: 'exact' })
}

function throughBinary(step: NodeStep, node: NodeOf<'binary'>): (Tensor | null)[] {
  const { r, inputs: [a, b], wanted, rule } = step
  const only = (k: 0 | 1, part = r): (Tensor | null)[] => [0, 1].map((i) => (i === k ? summedTo(part, (i === 0 ? a! : b!).shape) : null))
  switch (node.function) {
    case 'add':
    case 'subtract':
    case 'squaredDifference': {
      if (!wanted[0] || !wanted[1]) {
        const k = wanted[0] ? 0 : 1
        if (rule.biases === 'none') return only(k)
      }
      const second = expandedTo(b!, r.shape)
      const shares = throughSum(expandedTo(a!, r.shape), node.function === 'add' ? second : tf.neg(second), r, step.share, axisOf(node))
      return shares.map((part, i) => (wanted[i] ? summedTo(part, (i === 0 ? a! : b!).shape) : null))
    }
    case 'multiply': {
      const k = factorOf(step, node)
      if (k !== null) return only(k)
      return [a!, b!].map(({ shape }) => summedTo(tf.mul(r, 0.5), shape))
    }
    case 'divide':
    case 'power':
      return only(wanted[0] ? 0 : 1)
    case 'maximum':
    case 'minimum':
      return routed(step)
    default:
      return [null, null]
  }
}

/** Which factor the relevance goes to: not the gate, which is a constant here; null: both alike. */
function factorOf({ inputs: [a, b], wanted, plan }: NodeStep, { inputs: [first, second] }: NodeOf<'binary'>): 0 | 1 | null {
  if (!wanted[0] || !wanted[1]) return wanted[0] ? 0 : 1
  const [gateA, gateB] = [plan.gates.has(first!), plan.gates.has(second!)]
  if (gateA !== gateB) return gateA ? 1 : 0
  if (a!.size !== b!.size) return a!.size > b!.size ? 0 : 1
  return null
}

/** Attention weights are constants (Ali et al., 2022); where neither factor is one, each takes half. */
function throughProduct(step: NodeStep, node: NodeOf<'matmul'>): (Tensor | null)[] {
  const { r, inputs, output, wanted, plan } = step
  const s = tf.div(r, stabilised(output, epsilonOf(step), axisOf(node)))
  const [gateA, gateB] = node.inputs.map((name) => plan.gates.has(name)) as [boolean, boolean]
  const both = wanted[0]! && wanted[1]!
  const factor = both && gateA === gateB ? 0.5 : 1
  return routed(step, s).map((gradient, i) => {
    if (!gradient || (both && gateA !== gateB && (i === 0 ? gateA : gateB))) return null
    return tf.mul(tf.mul(inputs[i]!, gradient), factor)
  })
}

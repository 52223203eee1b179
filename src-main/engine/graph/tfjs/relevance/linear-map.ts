import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { NodeOf, Weight } from '../../graph.ts'
import { ruleOf } from '../rules.ts'
import type { WeightStore } from '../weight-store.ts'

/** Which of a layer's weights W count: all, those above or below zero, W + γ·W⁺, or a one in the place of each. */
export type Form = 'plain' | 'positive' | 'negative' | 'ones' | { readonly raised: number }

/** A layer without its activation, by the signs of its weights. Callers work inside `tf.tidy`. */
export interface LinearMap {
  /** @param bias whether biases, and what pads hold, are added; null: zero everywhere */
  apply(x: Tensor, form: Form, bias: boolean): Tensor | null
  /** The transpose of `apply` without a bias. */
  adjoint(s: Tensor, form: Form): Tensor | null
}

export type Weighted = NodeOf<'conv2d' | 'depthwiseConv2d' | 'conv2dTranspose' | 'dense'>
export type Averaging = NodeOf<'pool' | 'reduce' | 'resize'>

/** Weights by their signs, made once each. */
export interface Forms {
  of(weight: Weight, form: Form): Weight
  /** Forgets them; they are made again when they are asked for. */
  clear(): void
}

export function createForms(): Forms {
  const made = new Map<Weight, Map<string, Weight>>()
  return {
    of(weight, form) {
      if (form === 'plain') return weight
      let own = made.get(weight)
      if (!own) made.set(weight, (own = new Map()))
      const key = JSON.stringify(form)
      let found = own.get(key)
      if (!found) own.set(key, (found = { shape: weight.shape, data: weight.data.map(changed(form)) }))
      return found
    },
    clear: () => made.clear(),
  }
}

function changed(form: Exclude<Form, 'plain'>): (w: number) => number {
  switch (form) {
    case 'positive':
      return (w) => Math.max(w, 0)
    case 'negative':
      return (w) => Math.min(w, 0)
    case 'ones':
      return () => 1
    default:
      return (w) => w + form.raised * Math.max(w, 0)
  }
}

/**
 * @param input of the layer
 * @param shape of its output
 */
export function weightedMap(node: Weighted, input: Tensor, shape: readonly number[], weights: WeightStore, forms: Forms): LinearMap {
  const rule = ruleOf(node.op)
  const withForm = (form: Form, bias: boolean): Weighted => {
    const own = bias && node.bias ? forms.of(node.bias, form) : null
    const padValue = bias && 'padValue' in node ? node.padValue : undefined
    if (node.op === 'dense') return { ...node, matrix: forms.of(node.matrix, form), bias: own, activation: null }
    const { padValue: _, ...plain } = node as NodeOf<'conv2d'>
    return { ...plain, ...(padValue === undefined ? {} : { padValue }), filter: forms.of(node.filter, form), bias: own, activation: null } as Weighted
  }
  return {
    apply(x, form, bias) {
      // limits come as one image
      const own = x.shape[0] === input.shape[0] ? shape : [x.shape[0]!, ...shape.slice(1)]
      return rule.forward({ node: withForm(form, bias) as never, inputs: [x], weights, shape: own })
    },
    adjoint: (s, form) => rule.backward({
      node: withForm(form, false) as never, dy: s, inputs: [input], inputShapes: [input.shape], wanted: [true], output: s, weights, reluRule: 'exact',
    })[0]!,
  }
}

/** Averages and sums: all weights are positive. */
export function averagingMap(node: Averaging, input: Tensor, output: Tensor, weights: WeightStore): LinearMap {
  const rule = ruleOf(node.op)
  const factor = (form: Form): number => (typeof form === 'object' ? 1 + form.raised : 1)
  return {
    apply(x, form) {
      if (form === 'negative') return null
      return tf.mul(rule.forward({ node: node as never, inputs: [x], weights, shape: output.shape }), factor(form))
    },
    adjoint(s, form) {
      if (form === 'negative') return null
      const back = rule.backward({ node: node as never, dy: s, inputs: [input], inputShapes: [input.shape], wanted: [true], output, weights, reluRule: 'exact' })
      return tf.mul(back[0]!, factor(form))
    },
  }
}

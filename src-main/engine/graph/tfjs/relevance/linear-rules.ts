import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { LinearMap } from './linear-map.ts'

/** How a layer shares its relevance out among what it adds up. Callers work inside `tf.tidy`. */
export type Share =
  | { readonly kind: 'epsilon'; readonly epsilon: number }
  /** Contributions of the output's own sign count 1 + γ times. */
  | { readonly kind: 'gamma'; readonly gamma: number }

/** What is known of a layer's values. */
export interface Signs {
  /** No input is below zero. */
  inputs: boolean
  /** No relevance arrives where the output is below zero. */
  output: boolean
}

/** Keeps a quotient from blowing up where contributions cancel out, in units of the root mean square. */
const least = 1e-6

/**
 * z moved away from zero by ε times the root mean square of an image's values.
 * @param axis of the images
 */
export function stabilised(z: Tensor, epsilon: number, axis: number): Tensor {
  const squares = tf.square(z)
  const step = tf.add(tf.mul(tf.sqrt(meanPerImage(squares, axis)), Math.max(epsilon, least)), 1e-30)
  return tf.add(z, tf.mul(step, tf.sub(tf.mul(tf.cast(tf.greaterEqual(z, 0), 'float32'), 2), 1)))
}

function meanPerImage(x: Tensor, axis: number): Tensor {
  if (x.rank === 0) return x
  // over all that lies behind one axis in a row: stock WASM is slow with several
  if (axis === 0) return tf.reshape(tf.mean(tf.reshape(x, [x.shape[0]!, -1]), 1), [x.shape[0]!, ...new Array<number>(x.rank - 1).fill(1)])
  return tf.mean(x, x.shape.map((_, i) => i).filter((i) => i !== axis), true)
}

/** @param r relevance of the output @param bias whether biases take a share */
export function throughLinear(map: LinearMap, x: Tensor, r: Tensor, share: Share, { signs, bias, axis }: { signs: Signs; bias: boolean; axis: number }): Tensor {
  if (share.kind === 'epsilon') return simple(map, x, r, { form: 'plain', epsilon: share.epsilon, bias, axis })
  const { gamma } = share
  if (gamma === 0) return simple(map, x, r, { form: 'plain', epsilon: 0, bias, axis })
  if (signs.inputs && signs.output) return simple(map, x, r, { form: { raised: gamma }, epsilon: 0, bias, axis })
  const above = tf.relu(x)
  const below = signs.inputs ? null : tf.sub(x, above)
  // what pushes the output up, and what pushes it down
  const up = sum(map.apply(above, 'positive', bias), below && map.apply(below, 'negative', false))
  const z = map.apply(x, 'plain', bias)!
  const positive = tf.greater(z, 0)
  const quotient = tf.div(r, stabilised(tf.add(z, tf.mul(tf.where(positive, up!, tf.sub(z, up!)), gamma)), 0, axis))
  const onPositive = tf.where(positive, quotient, tf.zerosLike(quotient))
  const onNegative = signs.output ? null : tf.sub(quotient, onPositive)
  const extra = (part: Tensor, first: 'positive' | 'negative', second: 'positive' | 'negative'): Tensor | null => {
    const back = sum(map.adjoint(onPositive, first), onNegative && map.adjoint(onNegative, second))
    return back && tf.mul(part, back)
  }
  const raised = sum(extra(above, 'positive', 'negative'), below && extra(below, 'negative', 'positive'))
  return sum(tf.mul(x, map.adjoint(quotient, 'plain')!), raised && tf.mul(raised, gamma))!
}

function simple(map: LinearMap, x: Tensor, r: Tensor, { form, epsilon, bias, axis }: { form: 'plain' | { raised: number }; epsilon: number; bias: boolean; axis: number }): Tensor {
  const z = map.apply(x, form, bias)!
  return tf.mul(x, map.adjoint(tf.div(r, stabilised(z, epsilon, axis)), form)!)
}

function sum(a: Tensor | null, b: Tensor | null): Tensor | null {
  return a && b ? tf.add(a, b) : (a ?? b)
}

/** z^B (Montavon et al., 2017): contributions are counted from the limits of the input; biases cancel out. */
export function throughBox(map: LinearMap, x: Tensor, r: Tensor, { low, high }: { low: Tensor; high: Tensor }): Tensor {
  const z = tf.sub(tf.sub(map.apply(x, 'plain', false)!, map.apply(low, 'positive', false)!), map.apply(high, 'negative', false)!)
  const s = tf.div(r, stabilised(z, 0, 0))
  const limits = tf.add(tf.mul(low, map.adjoint(s, 'positive')!), tf.mul(high, map.adjoint(s, 'negative')!))
  return tf.sub(tf.mul(x, map.adjoint(s, 'plain')!), limits)
}

/**
 * Relative to another input, of which nothing is said: what it adds up to is a bias.
 * @param bias whether that and the biases take a share
 */
export function throughReference(map: LinearMap, x: Tensor, reference: Tensor, r: Tensor, { epsilon, bias }: { epsilon: number; bias: boolean }): Tensor {
  const apart = tf.sub(x, reference)
  const z = bias ? map.apply(x, 'plain', true)! : map.apply(apart, 'plain', false)!
  return tf.mul(apart, map.adjoint(tf.div(r, stabilised(z, epsilon, 0)), 'plain')!)
}

/** Flat (Lapuschkin et al., 2019): evenly over all that a place reads, whatever stands there. */
export function throughFlat(map: LinearMap, x: Tensor, r: Tensor): Tensor {
  return map.adjoint(tf.div(r, map.apply(tf.onesLike(x), 'ones', false)!), 'ones')!
}

/**
 * a + b, both in the output's shape.
 * @returns the shares of each
 */
export function throughSum(a: Tensor, b: Tensor, r: Tensor, share: Share, axis: number): [Tensor, Tensor] {
  const z = tf.add(a, b)
  if (share.kind === 'epsilon') {
    const s = tf.div(r, stabilised(z, share.epsilon, axis))
    return [tf.mul(a, s), tf.mul(b, s)]
  }
  const positive = tf.greater(z, 0)
  const raised = (x: Tensor): Tensor => tf.add(x, tf.mul(tf.where(positive, tf.relu(x), tf.minimum(x, 0)), share.gamma))
  const [ra, rb] = [raised(a), raised(b)]
  const s = tf.div(r, stabilised(tf.add(ra, rb), 0, axis))
  return [tf.mul(ra, s), tf.mul(rb, s)]
}

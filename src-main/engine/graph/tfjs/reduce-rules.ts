import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { NodeOf } from '../graph.ts'
import { expandedTo } from './broadcasting.ts'
import type { Rule } from './rule.ts'
import { meanOver, sumOver } from './sums.ts'

const ascending = (axes: readonly number[]): number[] => [...axes].sort((a, b) => a - b)

function reduced(node: NodeOf<'reduce'>, x: Tensor): Tensor {
  const axes = ascending(node.axes)
  switch (node.function) {
    case 'mean':
      return meanOver(x, axes, node.keepDims)
    case 'sum':
      return sumOver(x, axes, node.keepDims)
    case 'max':
      return tf.max(x, axes, node.keepDims)
    case 'min':
      return tf.min(x, axes, node.keepDims)
  }
}

const kept = (shape: readonly number[], axes: readonly number[]): number[] => shape.map((n, i) => (axes.includes(i) ? 1 : n))

/** Equal extremes share the gradient; TF.js would give each of them all of it. */
function extremeGradient(node: NodeOf<'reduce'>, dy: Tensor, x: Tensor, y: Tensor): Tensor {
  const shape = kept(x.shape, node.axes)
  const mask = tf.cast(tf.equal(x, tf.reshape(y, shape)), 'float32')
  return tf.mul(mask, tf.div(tf.reshape(dy, shape), sumOver(mask, ascending(node.axes), true)))
}

export const reduce: Rule<'reduce'> = {
  // without axes TF.js takes them all
  forward: ({ node, inputs: [x] }) => (node.axes.length === 0 ? tf.clone(x!) : reduced(node, x!)),
  keeps({ function: f }) {
    const extreme = f === 'max' || f === 'min'
    return { inputs: extreme, output: extreme }
  },
  backward({ node, dy, inputs, inputShapes, output }) {
    const shape = inputShapes[0]!
    if (node.axes.length === 0) return [tf.clone(dy)]
    if (node.function === 'max' || node.function === 'min') return [tf.tidy(() => extremeGradient(node, dy, inputs[0]!, output))]
    const count = node.function === 'mean' ? node.axes.reduce((n, axis) => n * shape[axis]!, 1) : 1
    return [
      tf.tidy(() => {
        const each = tf.reshape(dy, kept(shape, node.axes))
        return expandedTo(count === 1 ? each : tf.mul(each, 1 / count), shape)
      }),
    ]
  },
}

export const softmax: Rule<'softmax'> = {
  forward: ({ node, inputs: [x] }) => (node.log ? tf.logSoftmax(x!) : tf.softmax(x!)),
  keeps: () => ({ output: true }),
  backward: ({ node, dy, output: y }) => [
    tf.tidy(() => {
      if (node.log) return tf.sub(dy, tf.mul(tf.exp(y), tf.sum(dy, -1, true)))
      const product = tf.mul(dy, y)
      return tf.sub(product, tf.mul(y, tf.sum(product, -1, true)))
    }),
  ],
}

/** 1/sqrt(variance + epsilon), and x less its mean. */
export function centred(node: NodeOf<'normalize'>, axes: readonly number[], x: Tensor): { centre: Tensor; inverse: Tensor } {
  const centre = tf.sub(x, meanOver(x, axes, true))
  return { centre, inverse: tf.rsqrt(tf.add(meanOver(tf.square(centre), axes, true), node.epsilon)) }
}

export const normalize: Rule<'normalize'> = {
  forward: ({ node, inputs: [x] }) => tf.tidy(() => {
    const { centre, inverse } = centred(node, ascending(node.axes), x!)
    return tf.mul(centre, inverse)
  }),
  keeps: () => ({ inputs: true, output: true }),
  // With y = (x − mean)·r: r·(dy − mean(dy) − y·mean(dy·y)), the means over the axes.
  backward: ({ node, dy, inputs: [x], output: y }) => [
    tf.tidy(() => {
      const axes = ascending(node.axes)
      const { inverse } = centred(node, axes, x!)
      const along = tf.mul(y, meanOver(tf.mul(dy, y), axes, true))
      return tf.mul(tf.sub(tf.sub(dy, meanOver(dy, axes, true)), along), inverse)
    }),
  ],
}

export const lrn: Rule<'lrn'> = {
  forward: ({ node, inputs: [x] }) => tf.localResponseNormalization(x as tf.Tensor4D, node.radius, node.bias, node.alpha, node.beta),
  keeps: () => ({ inputs: true, output: true }),
  backward: ({ node, dy, inputs: [x], output: y }) => [
    tf.engine().runKernel('LRNGrad', { x: x!, y, dy }, { depthRadius: node.radius, bias: node.bias, alpha: node.alpha, beta: node.beta }) as Tensor,
  ],
}

import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { NodeOf } from '../graph.ts'
import { hasPads } from '../graph.ts'
import { explicit, run } from './kernels.ts'
import type { Rule } from './rule.ts'

function attributes(node: NodeOf<'pool'>, padded: boolean): Record<string, unknown> {
  const pad = padded ? explicit(node.pads) : explicit({ top: 0, bottom: 0, left: 0, right: 0 })
  return { filterSize: [...node.size], strides: [...node.strides], pad }
}

/** Averages that count the padding are valid averages of the padded image. */
const paddedFirst = (node: NodeOf<'pool'>): boolean => node.kind === 'average' && node.countPadding && hasPads(node.pads)

/**
 * The gradient of averages over windows that padding cuts: the forward divides by the pixels inside, and TF.js's gradient
 * by the whole window (our WASM kernel excepted).
 */
function cutWindowGradient(node: NodeOf<'pool'>, dy: Tensor, input: Tensor): Tensor {
  return tf.tidy(() => {
    const [, height, width] = input.shape as [number, number, number, number]
    const ones = withPads(tf.ones([1, height, width, 1]), node)
    // the share of each window that lies inside
    const inside = run('AvgPool', { x: ones }, attributes(node, false))
    const summed = run('AvgPoolGrad', { dy: tf.div(dy, inside), input: withPads(input, node) }, attributes(node, false))
    return run('Slice', { x: summed }, { begin: [0, node.pads.top, node.pads.left, 0], size: [...input.shape] })
  })
}

const withPads = (x: Tensor, node: NodeOf<'pool'>): Tensor => run('PadV2', { x }, { paddings: explicit(node.pads), constantValue: 0 })

export const pool: Rule<'pool'> = {
  forward(node, [x]) {
    if (node.kind === 'max') return run('MaxPool', { x: x! }, attributes(node, true))
    if (!paddedFirst(node)) return run('AvgPool', { x: x! }, attributes(node, true))
    return tf.tidy(() => run('AvgPool', { x: withPads(x!, node) }, attributes(node, false)))
  },
  keeps: (node) => (node.kind === 'max' ? { inputs: true, output: true } : { inputs: true }),
  backward({ node, dy, inputs, output, inputShapes }) {
    const [input] = inputs
    if (node.kind === 'max') return [run('MaxPoolGrad', { dy, input: input!, output }, attributes(node, true))]
    if (!paddedFirst(node)) {
      if (hasPads(node.pads) && tf.getBackend() !== 'wasm') return [cutWindowGradient(node, dy, input!)]
      return [run('AvgPoolGrad', { dy, input: input! }, attributes(node, true))]
    }
    return [
      tf.tidy(() => {
        const padded = run('AvgPoolGrad', { dy, input: withPads(input!, node) }, attributes(node, false))
        return run('Slice', { x: padded }, { begin: [0, node.pads.top, node.pads.left, 0], size: [...inputShapes[0]!] })
      }),
    ]
  },
}

function apply(node: NodeOf<'reduce'>, x: Tensor): Tensor {
  const axes = [...node.axes]
  switch (node.function) {
    case 'mean':
      return tf.mean(x, axes, node.keepDims)
    case 'sum':
      return tf.sum(x, axes, node.keepDims)
    case 'max':
      return tf.max(x, axes, node.keepDims)
    case 'min':
      return tf.min(x, axes, node.keepDims)
  }
}

/** Equal extremes share the gradient; TF.js would give each of them all of it. */
function extremeGradient(node: NodeOf<'reduce'>, dy: Tensor, x: Tensor): Tensor {
  return tf.tidy(() => {
    const kept = x.shape.map((n, i) => (node.axes.includes(i) ? 1 : n))
    const extreme = tf.reshape(apply(node, x), kept)
    const mask = tf.cast(tf.equal(x, extreme), 'float32')
    return tf.mul(mask, tf.div(tf.reshape(dy, kept), tf.sum(mask, [...node.axes], true)))
  })
}

export const reduce: Rule<'reduce'> = {
  forward: (node, [x]) => apply(node, x!),
  keeps: (node) => ({ inputs: node.function === 'max' || node.function === 'min' }),
  backward({ node, dy, inputs, inputShapes }) {
    const shape = inputShapes[0]!
    if (node.function === 'max' || node.function === 'min') return [extremeGradient(node, dy, inputs[0]!)]
    const count = node.function === 'mean' ? node.axes.reduce((n, axis) => n * shape[axis]!, 1) : 1
    return [
      tf.tidy(() => {
        const kept = tf.reshape(dy, shape.map((n, i) => (node.axes.includes(i) ? 1 : n)))
        // by multiplication with a constant: stock WASM Tile is slow
        return tf.mul(kept, tf.fill(shape.map((n, i) => (i === 0 ? 1 : n)), 1 / count))
      }),
    ]
  },
}

export const softmax: Rule<'softmax'> = {
  forward: (node, [x]) => (node.log ? tf.logSoftmax(x!) : tf.softmax(x!)),
}

export const normalize: Rule<'normalize'> = {
  forward: (node, [x]) => tf.tidy(() => {
    const { mean, variance } = tf.moments(x!, [...node.axes], true)
    return tf.mul(tf.sub(x!, mean), tf.rsqrt(tf.add(variance, node.epsilon)))
  }),
}

export const matmul: Rule<'matmul'> = {
  forward: (node, [a, b]) => tf.matMul(a!, b!, node.transposeA, node.transposeB),
}

export const lrn: Rule<'lrn'> = {
  forward: (node, [x]) => tf.localResponseNormalization(x as tf.Tensor4D, node.radius, node.bias, node.alpha, node.beta),
}

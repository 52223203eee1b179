import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Binary } from '../graph.ts'
import { expandedTo, sameShape, summedTo } from './broadcasting.ts'
import { run } from './kernels.ts'
import type { Rule } from './rule.ts'

export const affine: Rule<'affine'> = {
  forward: ({ node, inputs: [x], weights }) => tf.tidy(() => tf.add(tf.mul(x!, weights.get(node.scale)), weights.get(node.offset))),
  backward: ({ node, dy, weights }) => [tf.mul(dy, weights.get(node.scale))],
}

export const prelu: Rule<'prelu'> = {
  forward({ node, inputs: [x], weights }) {
    const alpha = weights.get(node.alpha)
    // the WASM kernel repeats the slopes from the first value on, whatever their shape
    const repeats = node.alpha.shape.length <= x!.rank && sameShape(withoutOnes(node.alpha.shape), withoutOnes(x!.shape.slice(x!.rank - withoutOnes(node.alpha.shape).length)))
    if (repeats) return run('Prelu', { x: x!, alpha })
    return tf.tidy(() => tf.where(tf.greater(x!, 0), x!, tf.mul(x!, alpha)))
  },
  keeps: () => ({ inputs: true }),
  backward: ({ node, dy, inputs: [x], weights }) => [
    tf.tidy(() => tf.where(tf.greater(x!, 0), dy, tf.mul(dy, weights.get(node.alpha)))),
  ],
}

function withoutOnes(shape: readonly number[]): number[] {
  const first = shape.findIndex((n) => n !== 1)
  return first < 0 ? [] : shape.slice(first)
}

export const binary: Rule<'binary'> = {
  forward: ({ node, inputs: [a, b] }) => tf.tidy(() => applyBinary(node.function, a!, b!)),
  keeps: ({ function: f }) => ({ inputs: f !== 'add' && f !== 'subtract' && !isFlat(f), output: f === 'power' }),
  backward({ node, dy, inputs: [a, b], inputShapes, wanted, output }) {
    if (isFlat(node.function)) return [null, null]
    return inputShapes.map((shape, i) => {
      if (!wanted[i]) return null
      return tf.tidy(() => summedTo(i === 0 ? towardsFirst(node.function, dy, a!, b!) : towardsSecond(node.function, dy, a!, b!, output), shape))
    })
  },
}

const isFlat = (f: Binary): boolean => f === 'equal' || f === 'greater' || f === 'less'

/** dy·∂f/∂a, in the shape of dy; may be dy itself. Of equal operands the first is the larger and the smaller one. */
function towardsFirst(f: Binary, dy: Tensor, a: Tensor, b: Tensor): Tensor {
  switch (f) {
    case 'multiply':
      return tf.mul(dy, b)
    case 'divide':
      return tf.div(dy, b)
    case 'maximum':
      return tf.where(tf.greaterEqual(a, b), dy, tf.zerosLike(dy))
    case 'minimum':
      return tf.where(tf.lessEqual(a, b), dy, tf.zerosLike(dy))
    case 'power': {
      // at exponent 0 the slope is 0, also where the base is
      const slope = tf.mul(b, tf.pow(a, tf.sub(b, 1)))
      return tf.mul(dy, tf.where(tf.equal(expandedTo(b, slope.shape), 0), tf.zerosLike(slope), slope))
    }
    case 'squaredDifference':
      return tf.mul(dy, tf.mul(tf.sub(a, b), 2))
    default:
      return dy
  }
}

/** dy·∂f/∂b. */
function towardsSecond(f: Binary, dy: Tensor, a: Tensor, b: Tensor, y: Tensor): Tensor {
  switch (f) {
    case 'subtract':
      return tf.neg(dy)
    case 'multiply':
      return tf.mul(dy, a)
    case 'divide':
      return tf.neg(tf.div(tf.mul(dy, tf.div(a, b)), b))
    case 'maximum':
      return tf.where(tf.less(a, b), dy, tf.zerosLike(dy))
    case 'minimum':
      return tf.where(tf.greater(a, b), dy, tf.zerosLike(dy))
    case 'power': {
      const positive = tf.greater(a, 0)
      return tf.mul(dy, tf.mul(y, tf.where(positive, tf.log(tf.where(positive, a, tf.onesLike(a))), tf.zerosLike(a))))
    }
    case 'squaredDifference':
      return tf.mul(dy, tf.mul(tf.sub(b, a), 2))
    default:
      return dy
  }
}

export const where: Rule<'where'> = {
  forward: ({ inputs: [condition, a, b], shape }) => tf.tidy(() => {
    return tf.where(chosen(condition!, shape), expandedTo(a!, shape), expandedTo(b!, shape))
  }),
  keeps: () => ({ inputs: true }),
  backward: ({ dy, inputs: [condition], inputShapes, wanted }) => [
    null,
    ...[1, 2].map((i) => {
      if (!wanted[i]) return null
      return tf.tidy(() => {
        const first = chosen(condition!, dy.shape)
        const zeros = tf.zerosLike(dy)
        return summedTo(i === 1 ? tf.where(first, dy, zeros) : tf.where(first, zeros, dy), inputShapes[i]!)
      })
    }),
  ],
}

function chosen(condition: Tensor, shape: readonly number[]): Tensor {
  return tf.notEqual(expandedTo(condition, shape), 0)
}

function applyBinary(f: Binary, a: Tensor, b: Tensor): Tensor {
  switch (f) {
    case 'add':
      return run('Add', { a, b })
    case 'subtract':
      return run('Sub', { a, b })
    case 'multiply':
      return run('Multiply', { a, b })
    case 'divide':
      return run('RealDiv', { a, b })
    case 'maximum':
      return tf.maximum(a, b)
    case 'minimum':
      return tf.minimum(a, b)
    case 'power':
      return tf.pow(a, b)
    case 'squaredDifference':
      return tf.squaredDifference(a, b)
    case 'equal':
      return tf.cast(tf.equal(a, b), 'float32')
    case 'greater':
      return tf.cast(tf.greater(a, b), 'float32')
    case 'less':
      return tf.cast(tf.less(a, b), 'float32')
  }
}

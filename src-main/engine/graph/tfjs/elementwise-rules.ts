import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Binary, Unary } from '../graph.ts'
import { activationGradient, slopeFollowsFromOutput } from './activation-gradient.ts'
import { run } from './kernels.ts'
import type { Rule } from './rule.ts'

export const affine: Rule<'affine'> = {
  forward: (node, [x], weights) => tf.tidy(() => tf.add(tf.mul(x!, weights.get(node.scale)), weights.get(node.offset))),
  backward: ({ node, dy, weights }) => [tf.mul(dy, weights.get(node.scale))],
}

export const unary: Rule<'unary'> = {
  forward: (node, [x]) => tf.tidy(() => applyUnary(node.function, x!)),
  // Where the slope follows from the output, the input need not be kept.
  keeps: (node) => (slopeFollowsFromOutput(node.function) ? { output: true } : { inputs: true }),
  backward({ node, dy, inputs, output, reluRule }) {
    const f = node.function
    if (slopeFollowsFromOutput(f)) return [activationGradient(dy, output, f, reluRule)]
    return [tf.grad((x) => applyUnary(f, x))(inputs[0]!, dy)]
  },
}

export const prelu: Rule<'prelu'> = {
  forward: (node, [x], weights) => run('Prelu', { x: x!, alpha: weights.get(node.alpha) }),
}

export const binary: Rule<'binary'> = {
  forward: (node, [a, b]) => applyBinary(node.function, a!, b!),
  keeps: (node) => ({ inputs: node.function !== 'add' && node.function !== 'subtract' }),
  backward({ node, dy, inputs, inputShapes, wanted }) {
    const f = node.function
    if (f === 'add' || f === 'subtract') {
      return inputShapes.map((shape, i) => {
        if (!wanted[i]) return null
        return tf.tidy(() => {
          const signed = f === 'subtract' && i === 1 ? tf.neg(dy) : dy
          return sameShape(shape, dy.shape) ? tf.clone(signed) : summedTo(signed, shape)
        })
      })
    }
    return wantedGradients((xs) => applyBinary(f, xs[0]!, xs[1]!), inputs, wanted, dy)
  },
}

export const where: Rule<'where'> = {
  forward: (_node, [condition, a, b]) => tf.tidy(() => tf.where(tf.notEqual(condition!, 0), a!, b!)),
}

/** TF.js's own gradients of a function of several tensors, for those that are wanted. */
export function wantedGradients(f: (inputs: readonly Tensor[]) => Tensor, inputs: readonly Tensor[], wanted: readonly boolean[], dy: Tensor): (Tensor | null)[] {
  const indices = inputs.map((_, i) => i).filter((i) => wanted[i])
  const gradients = tf.grads((...variable: Tensor[]) => {
    const all = [...inputs]
    indices.forEach((index, i) => (all[index] = variable[i]!))
    return f(all)
  })(indices.map((i) => inputs[i]!), dy)
  return inputs.map((_, i) => (indices.includes(i) ? gradients[indices.indexOf(i)]! : null))
}

/** The adjoint of broadcasting. */
function summedTo(dy: Tensor, shape: readonly number[]): Tensor {
  const extra = dy.rank - shape.length
  const axes = dy.shape.map((_, i) => i).filter((i) => i < extra || (shape[i - extra] === 1 && dy.shape[i] !== 1))
  return tf.reshape(tf.sum(dy, axes), [...shape])
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i])
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
      return tf.div(a, b)
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

function applyUnary(f: Unary, x: Tensor): Tensor {
  switch (f.kind) {
    case 'relu':
      return f.max === null ? tf.relu(x) : f.max === 6 ? tf.relu6(x) : tf.clipByValue(x, 0, f.max)
    case 'leakyRelu':
      return tf.leakyRelu(x, f.alpha)
    case 'elu':
      return f.alpha === 1 ? tf.elu(x) : tf.where(tf.greater(x, 0), x, tf.mul(tf.expm1(x), f.alpha))
    case 'clip':
      return tf.clipByValue(x, f.min, f.max)
    case 'hardSigmoid':
      return tf.clipByValue(tf.add(tf.mul(x, f.slope), f.offset), 0, 1)
    case 'gelu': {
      const cubic = (): Tensor => tf.add(x, tf.mul(tf.mul(tf.mul(x, x), x), 0.044715))
      const inner = f.approximate ? tf.tanh(tf.mul(cubic(), Math.sqrt(2 / Math.PI))) : tf.erf(tf.mul(x, Math.SQRT1_2))
      return tf.mul(tf.mul(x, 0.5), tf.add(inner, 1))
    }
    case 'sigmoid':
      return tf.sigmoid(x)
    case 'tanh':
      return tf.tanh(x)
    case 'softplus':
      return tf.softplus(x)
    case 'softsign':
      return tf.div(x, tf.add(tf.abs(x), 1))
    case 'swish':
      return tf.mul(x, tf.sigmoid(x))
    case 'hardSwish':
      return tf.mul(tf.mul(x, tf.clipByValue(tf.add(x, 3), 0, 6)), 1 / 6)
    case 'mish':
      return tf.mul(x, tf.tanh(tf.softplus(x)))
    case 'selu':
      return tf.selu(x)
    case 'exp':
      return tf.exp(x)
    case 'log':
      return tf.log(x)
    case 'sqrt':
      return tf.sqrt(x)
    case 'rsqrt':
      return tf.rsqrt(x)
    case 'square':
      return tf.square(x)
    case 'abs':
      return tf.abs(x)
    case 'negate':
      return tf.neg(x)
    case 'reciprocal':
      return tf.reciprocal(x)
    case 'erf':
      return tf.erf(x)
  }
}

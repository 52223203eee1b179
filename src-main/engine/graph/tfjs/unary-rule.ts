import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Gate } from '../../backend/gated-activations.ts'
import { gated, gatedGradient, hasGatedActivations } from '../../backend/gated-activations.ts'
import type { Unary } from '../graph.ts'
import { activationGradient, slopeFollowsFromOutput } from './activation-gradient.ts'
import type { Rule } from './rule.ts'

const seluScale = 1.0507009873554805
const seluAlpha = 1.6732632423543772

export const unary: Rule<'unary'> = {
  forward({ node, inputs: [x] }) {
    const gate = gateOf(node.function)
    return gate !== null && hasGatedActivations() ? gated(gate, x!) : tf.tidy(() => applyUnary(node.function, x!))
  },
  keeps: ({ function: f }) => (slopeFollowsFromOutput(f) || fromOutput[f.kind] ? { output: true } : { inputs: true }),
  backward({ node, dy, inputs, output, reluRule }) {
    const f = node.function
    if (slopeFollowsFromOutput(f)) return [activationGradient(dy, output, f, reluRule)]
    const gate = gateOf(f)
    if (gate !== null && hasGatedActivations()) return [gatedGradient(gate, dy, inputs[0]!)]
    const own = fromOutput[f.kind]
    return [tf.tidy(() => (own ? own(dy, output) : throughInput(f, dy, inputs[0]!)))]
  },
}

function gateOf(f: Unary): Gate | null {
  if (f.kind === 'gelu') return f.approximate ? 'tanhGelu' : 'gelu'
  return f.kind === 'swish' || f.kind === 'hardSwish' ? f.kind : null
}

/** Gradients that need the output only, so that the input is not kept. */
const fromOutput: Partial<Record<Unary['kind'], (dy: Tensor, y: Tensor) => Tensor>> = {
  tanh: (dy, y) => tf.mul(dy, tf.sub(1, tf.square(y))),
  exp: (dy, y) => tf.mul(dy, y),
  sqrt: (dy, y) => tf.div(tf.mul(dy, 0.5), y),
  rsqrt: (dy, y) => tf.mul(dy, tf.mul(tf.mul(tf.square(y), y), -0.5)),
  reciprocal: (dy, y) => tf.neg(tf.mul(dy, tf.square(y))),
  negate: (dy) => tf.neg(dy),
  selu: (dy, y) => tf.mul(dy, tf.where(tf.greater(y, 0), tf.fill(y.shape, seluScale), tf.add(y, seluScale * seluAlpha))),
}

/** dy·f'(x). A clip passes everything exactly at its limits. */
function throughInput(f: Unary, dy: Tensor, x: Tensor): Tensor {
  switch (f.kind) {
    case 'leakyRelu':
      return tf.where(tf.greater(x, 0), dy, tf.mul(dy, f.alpha))
    case 'elu':
      return tf.where(tf.greater(x, 0), dy, tf.mul(dy, tf.mul(tf.exp(x), f.alpha)))
    case 'clip':
      return masked(dy, x, f.min, f.max)
    case 'hardSigmoid':
      return tf.mul(masked(dy, applyInner(f, x), 0, 1), f.slope)
    case 'gelu':
      return tf.mul(dy, f.approximate ? approximateGeluSlope(x) : geluSlope(x))
    case 'softplus':
      return tf.mul(dy, tf.sigmoid(x))
    case 'softsign':
      return tf.div(dy, tf.square(tf.add(tf.abs(x), 1)))
    case 'swish': {
      const s = tf.sigmoid(x)
      return tf.mul(dy, tf.mul(s, tf.add(1, tf.mul(x, tf.sub(1, s)))))
    }
    case 'hardSwish':
      // x·clip(x + 3, 0, 6)/6 by the product rule
      return tf.mul(tf.add(tf.mul(dy, tf.clipByValue(tf.add(x, 3), 0, 6)), tf.mul(masked(dy, x, -3, 3), x)), 1 / 6)
    case 'mish': {
      const t = tf.tanh(tf.softplus(x))
      return tf.mul(dy, tf.add(t, tf.mul(tf.mul(x, tf.sigmoid(x)), tf.sub(1, tf.square(t)))))
    }
    case 'log':
      return tf.div(dy, x)
    case 'square':
      return tf.mul(dy, tf.mul(x, 2))
    case 'abs':
      return tf.mul(dy, tf.sign(x))
    case 'erf':
      return tf.mul(dy, tf.mul(tf.exp(tf.neg(tf.square(x))), 2 / Math.sqrt(Math.PI)))
    default:
      throw new Error(`the gradient of ${f.kind} follows from its output`)
  }
}

/** dy where min ≤ x ≤ max, else 0. */
function masked(dy: Tensor, x: Tensor, min: number, max: number): Tensor {
  const inside = tf.logicalAnd(tf.greaterEqual(x, min), tf.lessEqual(x, max))
  return tf.where(inside, dy, tf.zerosLike(dy))
}

/** Φ(x) + x·φ(x), of the normal distribution. */
function geluSlope(x: Tensor): Tensor {
  const density = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI))
  return tf.add(tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5), tf.mul(x, density))
}

function approximateGeluSlope(x: Tensor): Tensor {
  const c = Math.sqrt(2 / Math.PI)
  const square = tf.square(x)
  const t = tf.tanh(tf.mul(tf.mul(x, tf.add(1, tf.mul(square, 0.044715))), c))
  const inner = tf.mul(tf.add(1, tf.mul(square, 3 * 0.044715)), c)
  return tf.mul(tf.add(tf.add(1, t), tf.mul(tf.mul(x, tf.sub(1, tf.square(t))), inner)), 0.5)
}

/** What a hard sigmoid clips. */
function applyInner(f: Extract<Unary, { kind: 'hardSigmoid' }>, x: Tensor): Tensor {
  return tf.add(tf.mul(x, f.slope), f.offset)
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
      return tf.clipByValue(applyInner(f, x), 0, 1)
    case 'gelu': {
      const cubic = (): Tensor => tf.mul(x, tf.add(1, tf.mul(tf.square(x), 0.044715)))
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

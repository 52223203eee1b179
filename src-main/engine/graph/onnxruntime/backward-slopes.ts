import { elementTypes } from '../onnx-format/schema.ts'
import type { PlainUnary, Unary } from '../graph.ts'
import type { Emitter } from './emitter.ts'

/** A function's argument and value, in one order. */
export interface Graphed {
  x: string
  y: string
}

/** Calls operators on values and numbers alike. */
function calculator(emitter: Emitter): (type: string, ...inputs: readonly (string | number)[]) => string {
  return (type, ...inputs) => emitter.op(type, inputs.map((v) => (typeof v === 'number' ? emitter.scalar(v) : v)))
}
type Calculator = ReturnType<typeof calculator>

/** 1 where a condition holds, else 0. */
function asNumber(emitter: Emitter, condition: string): string {
  return emitter.op('Cast', [condition], { to: elementTypes.float })
}

/** slope·x + offset between 0 and 1: ONNX Runtime computes it, unlike most functions, in the inner layout of its convolutions. */
function hardSigmoid(x: string, slope: number, offset: number, emitter: Emitter): string {
  return emitter.op('HardSigmoid', [x], { alpha: { float: slope }, beta: { float: offset } })
}

/** Of a value between 0 and 1. */
const oneMinus = (x: string, emitter: Emitter): string => hardSigmoid(x, -1, 1, emitter)

/**
 * The slope of a function of one value, from its argument, its value or both, whichever is cheaper. ReLUs are not among them:
 * their gradient is masked. At kinks the slopes are those that TF.js takes.
 */
export function slope(f: Unary, { x, y }: Graphed, emitter: Emitter): string {
  const c = calculator(emitter)
  switch (f.kind) {
    case 'relu':
      throw new Error('a ReLU has a mask')
    case 'leakyRelu':
      return c('Where', c('Greater', x, 0), 1, f.alpha)
    case 'elu':
      // α·e^x = y + α below 0
      return f.alpha === 1 ? c('Add', c('Min', y, 0), 1) : c('Where', c('Greater', x, 0), 1, c('Add', y, f.alpha))
    case 'clip':
      // what lies inside is left as it is
      return asNumber(emitter, c('Equal', x, y))
    case 'hardSigmoid': {
      const line = c('Add', c('Mul', x, f.slope), f.offset)
      return c('Mul', asNumber(emitter, c('Equal', line, c('Clip', line, 0, 1))), f.slope)
    }
    case 'gelu':
      return f.approximate ? tanhGelu(c, x) : exactGelu(c, x)
    default:
      return plainSlope(f.kind, { x, y }, c, emitter)
  }
}

function plainSlope(kind: PlainUnary, { x, y }: Graphed, c: Calculator, emitter: Emitter): string {
  switch (kind) {
    case 'sigmoid':
      return c('Mul', y, oneMinus(y, emitter))
    case 'tanh':
      return oneMinus(c('Mul', y, y), emitter)
    case 'softplus':
      return c('Sigmoid', x)
    case 'softsign': {
      const below = c('Add', c('Abs', x), 1)
      return c('Reciprocal', c('Mul', below, below))
    }
    case 'swish': {
      // σ + x·σ·(1 − σ) = σ + y·(1 − σ)
      const s = c('Sigmoid', x)
      return c('Add', s, c('Mul', y, oneMinus(s, emitter)))
    }
    case 'hardSwish': {
      // steps that are exact: numbers next to 3 are 2⁻²² away
      const steep = 2 ** 22
      const inside = c('Mul', hardSigmoid(x, steep, 3 * steep + 1, emitter), hardSigmoid(x, -steep, 3 * steep + 1, emitter))
      return c('Add', hardSigmoid(x, 1 / 6, 0.5, emitter), c('Mul', x, hardSigmoid(inside, 1 / 6, 0, emitter)))
    }
    case 'mish': {
      const t = c('Tanh', c('Softplus', x))
      return c('Add', t, c('Mul', c('Mul', x, c('Sigmoid', x)), c('Sub', 1, c('Mul', t, t))))
    }
    case 'selu': {
      // scale·α·e^x = y + scale·α below 0
      const [alpha, scale] = [1.6732632423543772, 1.0507009873554805]
      return c('Where', c('Greater', x, 0), scale, c('Add', y, scale * alpha))
    }
    case 'exp':
      return y
    case 'log':
      return c('Reciprocal', x)
    case 'sqrt':
      return c('Div', 0.5, y)
    case 'rsqrt':
      return c('Mul', c('Div', y, x), -0.5)
    case 'square':
      return c('Mul', x, 2)
    case 'abs':
      return c('Sign', x)
    case 'negate':
      return emitter.scalar(-1)
    case 'reciprocal':
      return c('Neg', c('Mul', y, y))
    case 'erf':
      return c('Mul', c('Exp', c('Neg', c('Mul', x, x))), 2 / Math.sqrt(Math.PI))
  }
}

/** Φ(x) + x·φ(x) of the normal distribution. */
function exactGelu(c: Calculator, x: string): string {
  const below = c('Mul', c('Add', c('Erf', c('Mul', x, Math.SQRT1_2)), 1), 0.5)
  const density = c('Mul', c('Exp', c('Mul', c('Mul', x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI))
  return c('Add', below, c('Mul', x, density))
}

/** With u = √(2/π)·(x + 0.044715·x³) and t = tanh u: (1 + t)/2 + x·(1 − t²)·u′/2. */
function tanhGelu(c: Calculator, x: string): string {
  const k = Math.sqrt(2 / Math.PI)
  const square = c('Mul', x, x)
  const t = c('Tanh', c('Mul', x, c('Add', c('Mul', square, 0.044715 * k), k)))
  const inner = c('Add', c('Mul', square, 3 * 0.044715 * k), k)
  const bend = c('Mul', c('Mul', x, c('Sub', 1, c('Mul', t, t))), inner)
  return c('Mul', c('Add', c('Add', t, 1), bend), 0.5)
}

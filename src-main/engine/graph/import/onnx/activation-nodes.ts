import type { Ref } from '../../build.ts'
import type { Unary } from '../../graph.ts'
import type { OnnxNode } from '../../onnx-format/schema.ts'
import { float, text, unsupported } from './attributes.ts'
import type { NodeImporter, OnnxContext } from './context.ts'
import type { Steps } from './steps.ts'
import { asStored, stepsOf } from './steps.ts'
import type { Known, OnnxValue } from './value.ts'
import { permuted } from './permute.ts'
import { floatsOf } from './weights.ts'

/** A function of one value, which keeps its layout. */
export function elementwise(make: (steps: Steps, x: Ref, node: OnnxNode) => Ref): NodeImporter {
  return (node, inputs, context) => {
    const x = context.required(node, inputs[0], 'the data')
    const { ref, order } = asStored(x, context)
    return context.value(make(stepsOf(node, context), ref, node), order, x.type)
  }
}

export function plain(f: Unary | ((node: OnnxNode) => Unary)): NodeImporter {
  return elementwise((steps, x, node) => steps.unary(typeof f === 'function' ? f(node) : f, x, true))
}

/** gamma·elu(x) with slopes of its own; those of the paper are a function of the graph. */
const selu = elementwise((steps, x, node) => {
  const alpha = float(node, 'alpha', 1.6732631921768188)
  const gamma = float(node, 'gamma', 1.0507010221481323)
  if (Math.abs(alpha - 1.6732632) < 1e-6 && Math.abs(gamma - 1.050701) < 1e-6) return steps.unary({ kind: 'selu' }, x, true)
  return steps.scaled(steps.unary({ kind: 'elu', alpha }, x), gamma, 0, true)
})

/** alpha·elu(x/alpha) */
const celu = elementwise((steps, x, node) => {
  const alpha = float(node, 'alpha', 1)
  if (alpha === 1) return steps.unary({ kind: 'elu', alpha: 1 }, x, true)
  return steps.scaled(steps.unary({ kind: 'elu', alpha: 1 }, steps.scaled(x, 1 / alpha, 0)), alpha, 0, true)
})

/** x·sigmoid(alpha·x) */
const swish = elementwise((steps, x, node) => {
  const alpha = float(node, 'alpha', 1)
  if (alpha === 1) return steps.unary({ kind: 'swish' }, x, true)
  return steps.binary('multiply', x, steps.unary({ kind: 'sigmoid' }, steps.scaled(x, alpha, 0)), true)
})

const thresholdedRelu: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const { ref, order } = asStored(x, context)
  const steps = stepsOf(node, context)
  const above = steps.binary('greater', ref, steps.number(float(node, 'alpha', 1)))
  return context.value(context.add(node, { op: 'where' }, [above, ref, steps.number(0)]), order, x.type)
}

/** Bounds are attributes in older operator sets and inputs in newer ones; either may be missing. */
const clip: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const bound = (index: number, name: string, what: string, none: number): number => {
    const value = inputs[index] === undefined ? float(node, name, none) : context.known(node, inputs[index], what).data[0]!
    // the largest float stands for no bound
    return Math.abs(value) > 3.4e38 ? none : value
  }
  const min = bound(1, 'min', 'the lower bound', -Infinity)
  const max = bound(2, 'max', 'the upper bound', Infinity)
  if (Number.isNaN(min) || Number.isNaN(max)) throw unsupported(node, 'a bound is not a number')
  const { ref, order } = asStored(x, context)
  return context.value(context.add(node, { op: 'unary', function: clipOf(min, max) }, [ref]), order, x.type)
}

function clipOf(min: number, max: number): Unary {
  if (min === 0 && max > 0) return { kind: 'relu', max: max === Infinity ? null : max }
  // where the bounds cross, the upper one wins
  return { kind: 'clip', min: Math.min(min, max), max }
}

/** The slope broadcasts towards the data; a computed one takes three steps. */
const prelu: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const slope = context.required(node, inputs[1], 'the slope')
  if (slope.kind === 'node' || context.shape(slope).length > context.shape(x).length) return computedSlope(node, x, slope, context)
  const { ref, order } = asStored(x, context)
  const [only] = slope.data
  if (slope.data.length === 1) return context.value(context.add(node, { op: 'unary', function: { kind: 'leakyRelu', alpha: only! } }, [ref]), order, x.type)
  return context.value(context.add(node, { op: 'prelu', alpha: slopeAsStored(slope, order) }, [ref]), order, x.type)
}

/** max(x, 0) − slope·max(−x, 0) */
function computedSlope(node: OnnxNode, x: OnnxValue, slope: OnnxValue, context: OnnxContext): OnnxValue {
  const steps = stepsOf(node, context)
  const { refs, order } = context.alignment([x, slope])
  const positive = steps.unary({ kind: 'relu', max: null }, refs[0]!)
  const negative = steps.unary({ kind: 'relu', max: null }, steps.unary({ kind: 'negate' }, refs[0]!))
  return context.value(steps.binary('subtract', positive, steps.binary('multiply', negative, refs[1]!), true), order, x.type)
}

/** With leading axes of one element left out, so that it broadcasts to one image. */
function slopeAsStored(slope: Known, order: readonly number[]): { shape: number[]; data: Float32Array } {
  const whole = [...new Array<number>(order.length - slope.shape.length).fill(1), ...slope.shape]
  const shape = order.map((axis) => whole[axis]!)
  const lead = shape.findIndex((n) => n !== 1)
  return { shape: shape.slice(lead), data: permuted(floatsOf(slope), whole, order) }
}

export const activationNodes: Record<string, NodeImporter> = {
  Relu: plain({ kind: 'relu', max: null }),
  LeakyRelu: plain((node) => ({ kind: 'leakyRelu', alpha: float(node, 'alpha', 0.01) })),
  PRelu: prelu,
  Elu: plain((node) => ({ kind: 'elu', alpha: float(node, 'alpha', 1) })),
  Selu: selu,
  Celu: celu,
  Clip: clip,
  Sigmoid: plain({ kind: 'sigmoid' }),
  HardSigmoid: plain((node) => ({ kind: 'hardSigmoid', slope: float(node, 'alpha', 0.2), offset: float(node, 'beta', 0.5) })),
  HardSwish: plain({ kind: 'hardSwish' }),
  Gelu: plain((node) => ({ kind: 'gelu', approximate: approximation(node) })),
  Erf: plain({ kind: 'erf' }),
  Tanh: plain({ kind: 'tanh' }),
  Softplus: plain({ kind: 'softplus' }),
  Softsign: plain({ kind: 'softsign' }),
  Mish: plain({ kind: 'mish' }),
  Swish: swish,
  ThresholdedRelu: thresholdedRelu,
}

function approximation(node: OnnxNode): boolean {
  const stated = text(node, 'approximate', 'none')
  if (stated !== 'none' && stated !== 'tanh') throw unsupported(node, `approximation ${stated}`)
  return stated === 'tanh'
}

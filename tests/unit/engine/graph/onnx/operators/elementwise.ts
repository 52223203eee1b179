import type { Draw } from './draw.ts'
import { anyShape, broadcastable, drawn } from './draw.ts'

function plain(opType: string, opset = 17, positive = false): Draw {
  return (dice) => drawn(opType, anyShape(dice), {}, [], { opset, positive })
}

/** With attributes that are drawn, or left at what they are without. */
function withFloats(opType: string, ranges: Record<string, readonly [number, number]>, opset = 17): Draw {
  return (dice) => {
    const given = Object.entries(ranges).filter(() => dice.maybe())
    return drawn(opType, anyShape(dice), Object.fromEntries(given.map(([name, [a, b]]) => [name, { float: dice.between(a, b) }])), [], { opset })
  }
}

const clip: Draw = (dice) => {
  const x = anyShape(dice)
  const [min, max] = [dice.pick([0, -0.5, 0.3]), dice.pick([6, 0.5, 0.7, 0.2])]
  if (dice.maybe()) return drawn('Clip', x, { ...(dice.maybe() ? { min: { float: Math.min(min, max) } } : {}), ...(dice.maybe() ? { max: { float: Math.max(min, max) } } : {}) }, [], { opset: 6 })
  const bound = (name: string, value: number): ReturnType<typeof dice.floats> | '' => (dice.maybe() ? dice.floats(name, [], value, value) : '')
  const bounds = [bound('min', min), bound('max', max)]
  return drawn('Clip', x, {}, bounds[1] === '' ? (bounds[0] === '' ? [] : [bounds[0]!]) : bounds)
}

const prelu: Draw = (dice) => {
  const x = anyShape(dice)
  return drawn('PRelu', x, {}, [dice.floats('slope', broadcastable(dice, x))])
}

/** A constant or a second input, on either side, broadcasting towards the other or both ways. */
function binary(opType: string, positive = false): Draw {
  return (dice) => {
    const whole = anyShape(dice)
    const [a, b] = dice.pick([[whole, broadcastable(dice, whole)], [broadcastable(dice, whole), whole], [whole, whole]] as const)
    const options = { positive, opset: dice.pick([7, 13, 14]) }
    if (dice.maybe()) return drawn(opType, a, {}, [], { ...options, data: { z: b }, inputs: ['x', 'z'] })
    const constant = dice.floats('c', b, positive ? 0.5 : -2, 2)
    return drawn(opType, a, {}, [constant], { ...options, inputs: dice.maybe() ? ['x', 'c'] : ['c', 'x'] })
  }
}

const pow: Draw = (dice) => {
  const exponent = dice.pick([-1, -0.5, 0.5, 1, 2, 3, 4, 1.7])
  return drawn('Pow', anyShape(dice), {}, [dice.floats('e', dice.maybe() ? [] : [1], exponent, exponent)], { positive: true })
}

function variadic(opType: string): Draw {
  return (dice) => {
    const x = anyShape(dice)
    const count = dice.int(0, 2)
    const data = Object.fromEntries(Array.from({ length: count }, (_, i) => [`z${i}`, broadcastable(dice, x)]))
    return drawn(opType, x, {}, [], { data, inputs: ['x', ...Object.keys(data)], opset: 13 })
  }
}

export const elementwise: Record<string, Draw> = {
  Relu: plain('Relu'), Sigmoid: plain('Sigmoid'), Tanh: plain('Tanh'), Softplus: plain('Softplus'), Softsign: plain('Softsign'), Erf: plain('Erf'),
  HardSwish: plain('HardSwish'), Mish: plain('Mish', 18), Exp: plain('Exp'), Abs: plain('Abs'), Neg: plain('Neg'),
  Log: plain('Log', 17, true), Sqrt: plain('Sqrt', 17, true), Reciprocal: plain('Reciprocal', 17, true),
  LeakyRelu: withFloats('LeakyRelu', { alpha: [0.001, 0.9] }), Elu: withFloats('Elu', { alpha: [0.2, 2] }), Celu: withFloats('Celu', { alpha: [0.2, 2] }),
  Selu: withFloats('Selu', { alpha: [0.5, 2], gamma: [0.5, 2] }), HardSigmoid: withFloats('HardSigmoid', { alpha: [0.1, 1], beta: [0, 1] }),
  ThresholdedRelu: withFloats('ThresholdedRelu', { alpha: [-0.5, 0.9] }),
  Gelu: (dice) => drawn('Gelu', anyShape(dice), dice.maybe() ? { approximate: 'tanh' } : {}, [], { opset: 20 }),
  Clip: clip, PRelu: prelu,
  Add: binary('Add'), Sub: binary('Sub'), Mul: binary('Mul'), Div: binary('Div', true), Pow: pow, 'Pow of two': binary('Pow', true),
  Sum: variadic('Sum'), Max: variadic('Max'), Min: variadic('Min'), Mean: variadic('Mean'),
}

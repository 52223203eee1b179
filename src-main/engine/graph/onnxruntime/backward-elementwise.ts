import { elementTypes } from '../onnx-format/schema.ts'
import { activationGradient } from './backward-activation.ts'
import { summedTo } from './backward-broadcast.ts'
import { inOrder, weightInOrder } from './broadcast.ts'
import type { Emitter } from './emitter.ts'
import { onAllPixels } from './enlarge.ts'
import type { Stored } from './layout.ts'
import type { BackwardRule, BackwardStep } from './rule.ts'

export const unary: BackwardRule<'unary'> = ({ node, dy, inputs, output, emitter, reluRule }) => {
  const { order } = inputs[0]!
  const name = activationGradient(node.function, { dy: emitter.stored(dy, order), x: inputs[0]!.name, y: emitter.stored(output, order), reluRule }, emitter)
  return [{ name, shape: node.shape, order }]
}

export const affine: BackwardRule<'affine'> = ({ node, dy, emitter }) => {
  if (node.scale.data.every((v) => v === 1)) return [dy]
  return [{ ...dy, name: emitter.op('Mul', [dy.name, weightInOrder(node.scale, dy.order, emitter)]) }]
}

/** At 0 the slope is alpha. */
export const prelu: BackwardRule<'prelu'> = ({ node, dy, inputs, emitter }) => {
  const { order, name: x } = inputs[0]!
  const alpha = weightInOrder(node.alpha, order, emitter)
  const slope = emitter.op('Where', [emitter.op('Greater', [x, emitter.scalar(0)]), emitter.scalar(1), alpha])
  return [{ name: emitter.op('Mul', [emitter.stored(dy, order), slope]), shape: node.shape, order }]
}

/** The operands, gradient and output of a node that broadcasts, all in the output's order. */
interface Operands {
  dy: string
  y: string
  operands: string[]
  /** A gradient of the output's shape and order, summed to what operand i has. */
  to(gradient: string, i: number): Stored
}

function operandsOf(step: BackwardStep<'binary' | 'where'>): Operands {
  const { node, emitter, output, inputs } = step
  const { order } = output
  return {
    dy: emitter.stored(step.dy, order),
    y: output.name,
    operands: inputs.map((value) => {
      const name = inOrder(value, order, emitter)
      return node.op === 'binary' && node.function === 'multiply' ? onAllPixels(name, value, { shape: node.shape, order }, emitter) : name
    }),
    to: (gradient, i) => summedTo({ name: gradient, shape: node.shape, order }, inputs[i]!.shape, emitter),
  }
}

export const binary: BackwardRule<'binary'> = (step) => {
  const { node, emitter, wanted, inputs } = step
  const f = node.function
  if (f === 'equal' || f === 'greater' || f === 'less') return inputs.map(() => null)
  if (f === 'add' || f === 'subtract') {
    return inputs.map((input, i) => {
      if (!wanted[i]) return null
      const summed = summedTo(step.dy, input.shape, emitter)
      return f === 'subtract' && i === 1 ? { ...summed, name: emitter.op('Neg', [summed.name]) } : summed
    })
  }
  const given = operandsOf(step)
  const [first, second] = bothGradients(f, given, emitter)
  return [wanted[0] ? given.to(first(), 0) : null, wanted[1] ? given.to(second(), 1) : null]
}

type Curved = 'multiply' | 'divide' | 'maximum' | 'minimum' | 'power' | 'squaredDifference'

/** Before they are summed to the operands' shapes. Of equal operands the first is the maximum and the minimum. */
function bothGradients(f: Curved, { dy, y, operands }: Operands, emitter: Emitter): [() => string, () => string] {
  const [a, b] = operands as [string, string]
  const op = (type: string, ...inputs: string[]): string => emitter.op(type, inputs)
  const zero = (): string => emitter.scalar(0)
  switch (f) {
    case 'multiply':
      return [() => op('Mul', dy, b), () => op('Mul', dy, a)]
    case 'divide':
      return [() => op('Div', dy, b), () => op('Neg', op('Div', op('Mul', dy, y), b))]
    case 'maximum':
    case 'minimum': {
      const isFirst = (): string => op(f === 'maximum' ? 'GreaterOrEqual' : 'LessOrEqual', a, b)
      return [() => op('Where', isFirst(), dy, zero()), () => op('Where', isFirst(), zero(), dy)]
    }
    case 'power': {
      const one = emitter.scalar(1)
      const logarithm = (): string => op('Log', op('Where', op('Greater', a, zero()), a, one))
      return [() => op('Mul', dy, op('Mul', b, op('Pow', a, op('Sub', b, one)))), () => op('Mul', dy, op('Mul', y, logarithm()))]
    }
    case 'squaredDifference': {
      const twice = op('Mul', op('Sub', a, b), emitter.scalar(2))
      return [() => op('Mul', dy, twice), () => op('Neg', op('Mul', dy, twice))]
    }
  }
}

export const where: BackwardRule<'where'> = (step) => {
  const { emitter, wanted } = step
  const { dy, operands, to } = operandsOf(step)
  const holds = emitter.op('Cast', [operands[0]!], { to: elementTypes.bool })
  const zero = emitter.scalar(0)
  return [
    null,
    wanted[1] ? to(emitter.op('Where', [holds, dy, zero]), 1) : null,
    wanted[2] ? to(emitter.op('Where', [holds, zero, dy]), 2) : null,
  ]
}

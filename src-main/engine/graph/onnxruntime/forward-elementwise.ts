import { elementTypes } from '../onnx-format/schema.ts'
import type { Binary, Unary } from '../graph.ts'
import { aligned, weightInOrder } from './broadcast.ts'
import type { Emitter } from './emitter.ts'
import { onAllPixels } from './enlarge.ts'
import { imagesOrder, sameOrder, storedAxis } from './layout.ts'
import type { ForwardRule } from './rule.ts'

/** The function of a value in any order. */
export function emitUnary(f: Unary, x: string, emitter: Emitter): string {
  const { op, scalar } = emitter
  switch (f.kind) {
    case 'relu':
      return f.max === null ? op('Relu', [x]) : op('Clip', [x, scalar(0), scalar(f.max)])
    case 'leakyRelu':
      return op('LeakyRelu', [x], { alpha: { float: f.alpha } })
    case 'elu':
      return op('Elu', [x], { alpha: { float: f.alpha } })
    case 'clip':
      return op('Clip', [x, f.min === -Infinity ? '' : scalar(f.min), ...(f.max === Infinity ? [] : [scalar(f.max)])])
    case 'hardSigmoid':
      return op('HardSigmoid', [x], { alpha: { float: f.slope }, beta: { float: f.offset } })
    case 'gelu':
      return op('Gelu', [x], { approximate: f.approximate ? 'tanh' : 'none' })
    case 'sigmoid':
      return op('Sigmoid', [x])
    case 'tanh':
      return op('Tanh', [x])
    case 'softplus':
      return op('Softplus', [x])
    case 'softsign':
      return op('Softsign', [x])
    case 'swish':
      return op('Mul', [x, op('Sigmoid', [x])])
    case 'hardSwish':
      return op('Mul', [x, op('HardSigmoid', [x], { alpha: { float: 1 / 6 }, beta: { float: 0.5 } })])
    case 'mish':
      return op('Mul', [x, op('Tanh', [op('Softplus', [x])])])
    case 'selu':
      return op('Selu', [x])
    case 'exp':
      return op('Exp', [x])
    case 'log':
      return op('Log', [x])
    case 'sqrt':
      return op('Sqrt', [x])
    case 'rsqrt':
      return op('Reciprocal', [op('Sqrt', [x])])
    case 'square':
      return op('Mul', [x, x])
    case 'abs':
      return op('Abs', [x])
    case 'negate':
      return op('Neg', [x])
    case 'reciprocal':
      return op('Reciprocal', [x])
    case 'erf':
      return op('Erf', [x])
  }
}

const arithmetic = { add: 'Add', subtract: 'Sub', multiply: 'Mul', divide: 'Div', maximum: 'Max', minimum: 'Min', power: 'Pow' } as const
const comparisons = { equal: 'Equal', greater: 'Greater', less: 'Less' } as const

function emitBinary(f: Binary, names: readonly string[], { op }: Emitter): string {
  switch (f) {
    case 'squaredDifference': {
      const difference = op('Sub', names)
      return op('Mul', [difference, difference])
    }
    case 'equal':
    case 'greater':
    case 'less':
      return op('Cast', [op(comparisons[f], names)], { to: elementTypes.float })
    default:
      return op(arithmetic[f], names)
  }
}

export const unary: ForwardRule<'unary'> = (node, [x], emitter) => ({ output: { ...x!, name: emitUnary(node.function, x!.name, emitter) } })

export const binary: ForwardRule<'binary'> = (node, inputs, emitter) => {
  const { names, order } = aligned(inputs, emitter)
  const isFast = node.function === 'multiply' || node.function === 'add'
  const operands = isFast ? names.map((name, i) => onAllPixels(name, inputs[i]!, { shape: node.shape, order }, emitter)) : names
  return { output: emitter.value(emitBinary(node.function, operands, emitter), node.shape, order) }
}

export const where: ForwardRule<'where'> = (node, inputs, emitter) => {
  const { names, order } = aligned(inputs, emitter)
  const [condition, a, b] = names
  return { output: emitter.value(emitter.op('Where', [emitter.op('Cast', [condition!], { to: elementTypes.bool }), a!, b!]), node.shape, order) }
}

export const prelu: ForwardRule<'prelu'> = (node, [x], emitter) => (
  { output: { ...x!, name: emitter.op('PRelu', [x!.name, weightInOrder(node.alpha, x!.order, emitter)]) } }
)

export const affine: ForwardRule<'affine'> = (node, [x], emitter) => {
  const { scale, offset } = node
  const { op } = emitter
  const output = (name: string): { output: typeof x & object } => ({ output: { ...x!, name } })
  if (sameOrder(x!.order, imagesOrder)) {
    // as a batch normalisation it fuses with convolutions and stays in their inner layout
    const flat = (value: number): string => emitter.floats([scale.data.length], new Float32Array(scale.data.length).fill(value))
    return output(op('BatchNormalization', [x!.name, emitter.weight(scale), emitter.weight(offset), flat(0), flat(1)], { epsilon: { float: 0 } }))
  }
  const scaled = scale.data.every((v) => v === 1) ? x!.name : op('Mul', [x!.name, weightInOrder(scale, x!.order, emitter)])
  const moved = offset.data.every((v) => v === 0) ? scaled : op('Add', [scaled, weightInOrder(offset, x!.order, emitter)])
  return output(moved)
}

export const softmax: ForwardRule<'softmax'> = (node, [x], emitter) => {
  const axis = storedAxis(x!.order, node.shape.length - 1)
  return { output: { ...x!, name: emitter.op(node.log ? 'LogSoftmax' : 'Softmax', [x!.name], { axis }) } }
}

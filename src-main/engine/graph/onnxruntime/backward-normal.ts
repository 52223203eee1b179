import { summedTo } from './backward-broadcast.ts'
import type { Emitter } from './emitter.ts'
import { lastTwoSwapped } from './forward-pool.ts'
import type { Stored } from './layout.ts'
import { imagesOrder, naturalOrder, storedAxis } from './layout.ts'
import type { BackwardRule } from './rule.ts'

/** y·(dy − Σ dy·y), or dy − e^y·Σ dy for the logarithm. */
export const softmax: BackwardRule<'softmax'> = ({ node, dy, output, emitter }) => {
  const { order, name: y } = output
  const gradient = emitter.stored(dy, order)
  const axis = emitter.ints([storedAxis(order, order.length - 1)])
  const op = (type: string, ...inputs: string[]): string => emitter.op(type, inputs)
  const sum = (name: string): string => emitter.op('ReduceSum', [name, axis], { keepdims: 1 })
  const name = node.log
    ? op('Sub', gradient, op('Mul', op('Exp', y), sum(gradient)))
    : op('Mul', y, op('Sub', gradient, sum(op('Mul', gradient, y))))
  return [{ name, shape: node.shape, order }]
}

/** With y = (x − mean)/σ: (dy − mean(dy) − y·mean(dy·y))/σ, the means over the same axes. */
export const normalize: BackwardRule<'normalize'> = ({ node, dy, output, saved, emitter }) => {
  const { order, name: y } = output
  const inverse = saved['inverse']
  if (inverse === undefined) throw new Error('the forward of a normalisation keeps 1/σ')
  const gradient = emitter.stored(dy, order)
  const axes = emitter.ints(node.axes.map((axis) => storedAxis(order, axis)))
  const op = (type: string, ...inputs: string[]): string => emitter.op(type, inputs)
  const mean = (name: string): string => emitter.op('ReduceMean', [name, axes], { keepdims: 1 })
  const along = op('Mul', y, mean(op('Mul', gradient, y)))
  return [{ name: op('Mul', op('Sub', op('Sub', gradient, mean(gradient)), along), inverse), shape: node.shape, order }]
}

/** With A and B as they are multiplied: dA = dy·Bᵀ and dB = Aᵀ·dy, transposed back and summed over what was broadcast. */
export const matmul: BackwardRule<'matmul'> = ({ node, dy, inputs, wanted, emitter }) => {
  const [a, b] = inputs as [Stored, Stored]
  const gradient: Stored = dy
  const product = (first: Stored, second: Stored, like: Stored): Stored => {
    const name = emitter.op('MatMul', [emitter.natural(first), emitter.natural(second)])
    const shape = [...node.shape.slice(0, -2), ...like.shape.slice(-2)]
    return summedTo({ name, shape, order: naturalOrder(shape.length) }, like.shape, emitter)
  }
  const transposedWhere = (condition: boolean, value: Stored): Stored => (condition ? lastTwoSwapped(value) : value)
  const onFirst = (): Stored => {
    const second = transposedWhere(!node.transposeB, b)
    return node.transposeA ? product(lastTwoSwapped(second), lastTwoSwapped(gradient), a) : product(gradient, second, a)
  }
  const onSecond = (): Stored => {
    const first = transposedWhere(!node.transposeA, a)
    return node.transposeB ? product(lastTwoSwapped(gradient), lastTwoSwapped(first), b) : product(first, gradient, b)
  }
  return [wanted[0] ? onFirst() : null, wanted[1] ? onSecond() : null]
}

/** With S = bias + α·Σx²: dy·S^−β − 2αβ·x·Σ(dy·y/S), the sums over the same neighbouring channels. */
export const lrn: BackwardRule<'lrn'> = ({ node, dy, inputs, output, emitter }) => {
  const x = emitter.images(inputs[0]!)
  const y = emitter.images(output)
  const gradient = emitter.images(dy)
  const op = (type: string, ...inputs: (string | number)[]): string => emitter.op(type, inputs.map((v) => (typeof v === 'number' ? emitter.scalar(v) : v)))
  const neighbours = (name: string): string => sumOverNeighbours(name, node.shape, node.radius, emitter)
  const inner = op('Add', op('Mul', neighbours(op('Mul', x, x)), node.alpha), node.bias)
  const across = op('Mul', op('Mul', x, neighbours(op('Div', op('Mul', gradient, y), inner))), 2 * node.alpha * node.beta)
  const name = op('Sub', op('Mul', gradient, op('Pow', inner, -node.beta)), across)
  return [{ name, shape: node.shape, order: imagesOrder }]
}

/** Over 2·radius + 1 channels of an NCHW batch: a sliding mean, channels taken as rows, times their number. */
function sumOverNeighbours(name: string, shape: readonly number[], radius: number, emitter: Emitter): string {
  const [batch, height, width, channels] = shape as [number, number, number, number]
  const rows = emitter.reshape(name, [batch, 1, channels, height * width])
  const size = 2 * radius + 1
  const means = emitter.op('AveragePool', [rows], { kernel_shape: [size, 1], pads: [radius, 0, radius, 0], count_include_pad: 1 })
  return emitter.op('Mul', [emitter.reshape(means, [batch, channels, height, width]), emitter.scalar(size)])
}

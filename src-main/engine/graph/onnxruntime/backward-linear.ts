import type { NodeOf, Size2, Weight } from '../graph.ts'
import { throughActivation } from './backward-activation.ts'
import { reordered } from './broadcast.ts'
import { filterForward, onnxPads } from './forward-linear.ts'
import { inputGradient } from './input-gradient.ts'
import type { Stored } from './layout.ts'
import { imagesOrder, naturalOrder, sameOrder } from './layout.ts'
import type { BackwardRule, BackwardStep } from './rule.ts'

const pixels = ({ shape }: { shape: readonly number[] }): Size2 => [shape[1]!, shape[2]!]

/** The gradient on the input of a convolution; what its pads hold does not matter. */
function slid(step: BackwardStep<'conv2d' | 'depthwiseConv2d'>, filter: Weight, groups: number): Stored[] {
  const { node, emitter, inputs } = step
  const { shape } = inputs[0]!
  const dy = throughActivation(step, imagesOrder)
  const { strides, dilations, pads } = node
  const name = inputGradient(dy, { filter, strides, dilations, pads, groups, inputSize: pixels({ shape }), outputSize: pixels(node) }, emitter)
  return [{ name, shape, order: imagesOrder }]
}

export const conv2d: BackwardRule<'conv2d'> = (step) => slid(step, step.node.filter, step.node.groups)

/** One group per channel. */
export const depthwiseConv2d: BackwardRule<'depthwiseConv2d'> = (step) => slid(step, groupedFilter(step.node), step.node.filter.shape[2]!)

const groupedFilters = new WeakMap<Weight, Weight>()

/** [height, width, in, multiplier] as a filter of one input per group, [height, width, 1, in · multiplier]: the same values in the same places. */
function groupedFilter({ filter }: NodeOf<'depthwiseConv2d'>): Weight {
  const [height, width, inner, multiplier] = filter.shape as [number, number, number, number]
  let found = groupedFilters.get(filter)
  if (!found) groupedFilters.set(filter, (found = { shape: [height, width, 1, inner * multiplier], data: filter.data }))
  return found
}

/** The convolution that it is the transpose of. */
export const conv2dTranspose: BackwardRule<'conv2dTranspose'> = (step) => {
  const { node, emitter, inputs } = step
  const { filter, strides, pads } = node
  const dy = throughActivation(step, imagesOrder)
  const turned = emitter.derived(filter, 'convolution', () => filterForward(filter))
  const name = emitter.op('Conv', [dy, turned], { kernel_shape: [filter.shape[0]!, filter.shape[1]!], strides, pads: onnxPads(pads) })
  return [{ name, shape: inputs[0]!.shape, order: imagesOrder }]
}

export const dense: BackwardRule<'dense'> = (step) => {
  const { node, emitter, inputs, output } = step
  const { shape } = inputs[0]!
  const { matrix } = node
  if (sameOrder(output.order, imagesOrder)) {
    const [rows, columns] = matrix.shape as [number, number]
    const filter = emitter.derived(matrix, '1×1, transposed', () => ({ shape: [rows, columns, 1, 1], data: matrix.data }))
    return [{ name: emitter.op('Conv', [throughActivation(step, imagesOrder), filter], { kernel_shape: [1, 1] }), shape, order: imagesOrder }]
  }
  const order = naturalOrder(shape.length)
  const transposed = emitter.derived(matrix, 'transposed', () => reordered(matrix, [1, 0]))
  const dy = throughActivation(step, order)
  return [emitter.value(emitter.op(order.length === 2 ? 'Gemm' : 'MatMul', [dy, transposed]), shape)]
}

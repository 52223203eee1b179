import type { Ref } from '../../build.ts'
import type { OnnxNode } from '../../onnx-format/schema.ts'
import { axisOf, hasAttribute, int, ints, nameOf, unsupported } from './attributes.ts'
import type { NodeImporter, OnnxContext } from './context.ts'
import type { Steps } from './steps.ts'
import { asStored, stepsOf } from './steps.ts'
import type { OnnxValue } from './value.ts'
import { BATCH, naturalOrder } from './value.ts'

/** What is reduced, and how: `axes` as stored. */
interface Reduction {
  readonly x: Ref
  readonly axes: readonly number[]
  readonly keepDims: boolean
}

/**
 * Axes are an attribute in older operator sets and an input in newer ones; the result keeps the layout of what is left.
 * @param ofNone what is left to do where no axis is reduced; nothing where left out
 */
function reduction(make: (steps: Steps, over: Reduction) => Ref, ofNone?: (steps: Steps, x: Ref) => Ref): NodeImporter {
  return (node, inputs, context) => {
    const x = context.required(node, inputs[0], 'the data')
    const axes = reducedAxes(node, x, inputs[1], context)
    if (axes === null && ofNone) {
      const { ref, order } = asStored(x, context)
      return context.value(ofNone(stepsOf(node, context), ref), order, x.type)
    }
    if (axes === null) {
      if (x.kind === 'node') context.builder.alias(nameOf(node), x.ref)
      return x
    }
    const keepDims = int(node, 'keepdims', 1) !== 0
    const { ref, order } = asStored(x, context)
    const result = make(stepsOf(node, context), { x: ref, axes: axes.map((axis) => order.indexOf(axis)).sort((a, b) => a - b), keepDims })
    const left = order.filter((axis) => keepDims || !axes.includes(axis))
    const renumbered = keepDims ? left : left.map((axis) => axis - axes.filter((a) => a < axis).length)
    return context.value(result, renumbered, x.type)
  }
}

/** Null where nothing is reduced. */
function reducedAxes(node: OnnxNode, x: OnnxValue, input: OnnxValue | undefined, context: OnnxContext): number[] | null {
  const shape = context.shape(x)
  const stated = input !== undefined ? [...context.known(node, input, 'the axes').data] : hasAttribute(node, 'axes') ? ints(node, 'axes') : []
  if (stated.length === 0 && int(node, 'noop_with_empty_axes', 0) !== 0) return null
  const axes = stated.length === 0 ? naturalOrder(shape.length) : stated.map((a) => axisOf(node, a, shape.length))
  if (new Set(axes).size !== axes.length) throw unsupported(node, 'an axis comes twice')
  if (axes.some((axis) => shape[axis]! % BATCH === 0)) throw unsupported(node, 'over the batch')
  return axes
}

/** A function of the elements, a sum, and a function of the sum; with nothing to sum over the functions remain. */
function sumOf(before: 'abs' | 'square' | null, after: 'sqrt' | 'log' | null): NodeImporter {
  const functions = [before, after].filter((f) => f !== null)
  return reduction((steps, { x, axes, keepDims }) => {
    const terms = before ? steps.unary({ kind: before }, x) : x
    const sum = steps.reduce('sum', terms, axes, keepDims, after === null)
    return after ? steps.unary({ kind: after }, sum, true) : sum
  }, (steps, x) => functions.reduce((value, kind, i) => steps.unary({ kind }, value, i === functions.length - 1), x))
}

/** The largest is taken out before the exponential and put back after the logarithm, so that nothing overflows. */
const logSumExp = reduction((steps, { x, axes, keepDims }) => {
  const largest = steps.reduce('max', x, axes, true)
  const sum = steps.reduce('sum', steps.unary({ kind: 'exp' }, steps.binary('subtract', x, largest)), axes, keepDims)
  return steps.binary('add', steps.unary({ kind: 'log' }, sum), keepDims ? largest : steps.reduce('max', x, axes, false), true)
})

const simple = (f: 'mean' | 'sum' | 'max' | 'min'): NodeImporter => reduction((steps, { x, axes, keepDims }) => steps.reduce(f, x, axes, keepDims, true))

export const reduceNodes: Record<string, NodeImporter> = {
  ReduceMean: simple('mean'), ReduceSum: simple('sum'), ReduceMax: simple('max'), ReduceMin: simple('min'),
  ReduceL1: sumOf('abs', null), ReduceL2: sumOf('square', 'sqrt'), ReduceSumSquare: sumOf('square', null), ReduceLogSum: sumOf(null, 'log'),
  ReduceLogSumExp: logSumExp,
}

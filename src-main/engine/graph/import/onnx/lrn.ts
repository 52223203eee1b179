import type { Weight } from '../../graph.ts'
import type { OnnxNode } from '../../onnx-format/schema.ts'
import { float, int, unsupported } from './attributes.ts'
import type { NodeImporter, OnnxContext } from './context.ts'
import { stepsOf } from './steps.ts'

/** x/(bias + alpha/size·Σx²)^beta, the sum over `size` channels around each; an even size reaches one further up. */
export const lrn: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const shape = context.shape(x)
  const size = int(node, 'size', 0)
  if (size < 1 || shape.length < 2) throw unsupported(node, `size ${size} on ${shape.length} axes`)
  const order = shape.length === 4 ? [0, 2, 3, 1] : [0, ...shape.slice(2).map((_, i) => i + 2), 1]
  const ref = context.stored(x, order)
  const numbers = { bias: float(node, 'bias', 1), alpha: float(node, 'alpha', 1e-4) / size, beta: float(node, 'beta', 0.75) }
  if (size % 2 === 1 && shape.length === 4) return context.value(context.add(node, { op: 'lrn', radius: (size - 1) / 2, ...numbers }, [ref]), order)
  context.allow(node, shape[1]! * shape[1]!)
  return context.value(inSteps(node, ref, shape[1]!, size, numbers, context), order)
}

function inSteps(node: OnnxNode, x: string, channels: number, size: number, { bias, alpha, beta }: { bias: number; alpha: number; beta: number }, context: OnnxContext): string {
  const steps = stepsOf(node, context)
  const sums = context.part(node, 'sums', { op: 'dense', matrix: neighbours(channels, size), bias: null, activation: null }, [steps.unary({ kind: 'square' }, x)])
  const divisor = steps.binary('power', steps.scaled(sums, alpha, bias), steps.number(beta))
  return steps.binary('divide', x, divisor, true)
}

/** [channels, channels]: 1 where the first is in the window of the second. */
function neighbours(channels: number, size: number): Weight {
  const below = Math.floor((size - 1) / 2)
  const above = Math.ceil((size - 1) / 2)
  const data = new Float32Array(channels * channels)
  for (let c = 0; c < channels; c++) {
    for (let k = Math.max(0, c - below); k <= Math.min(channels - 1, c + above); k++) data[k * channels + c] = 1
  }
  return { shape: [channels, channels], data }
}

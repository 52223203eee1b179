import type { Ref } from '../../build.ts'
import type { Binary } from '../../graph.ts'
import { nameOf, unsupported } from './attributes.ts'
import type { NodeImporter, OnnxContext } from './context.ts'
import { plain } from './activation-nodes.ts'
import { asStored, stepsOf } from './steps.ts'
import type { OnnxValue } from './value.ts'
import { isWhole } from './value.ts'
import type { OnnxNode } from '../../onnx-format/schema.ts'

/** Two values, broadcast as in NumPy in whatever layout they lie. */
function binary(f: Binary): NodeImporter {
  return (node, inputs, context) => {
    const [a, b] = [context.required(node, inputs[0], 'the first value'), context.required(node, inputs[1], 'the second value')]
    // quotients of whole numbers would have to be cut
    if (f === 'divide' && isWhole(a.type)) throw unsupported(node, 'of whole numbers')
    const { refs, order } = context.alignment([a, b])
    return context.value(context.add(node, { op: 'binary', function: f }, refs), order, a.type)
  }
}

/** Any number of values, folded from the left; `average` divides by how many they are. */
function variadic(f: Binary, average = false): NodeImporter {
  return (node, inputs, context) => {
    const values = inputs.map((v) => context.required(node, v, 'an input'))
    if (values.length === 0) throw unsupported(node, 'of nothing')
    if (values.length === 1) return alias(node, values[0]!, context)
    const steps = stepsOf(node, context)
    const { refs, order } = context.alignment(values)
    const folded = refs.slice(1).reduce((left, right, i) => steps.binary(f, left, right, i === refs.length - 2 && !average), refs[0]!)
    return context.value(average ? steps.scaled(folded, 1 / values.length, 0, true) : folded, order, values[0]!.type)
  }
}

function alias(node: OnnxNode, x: OnnxValue, context: OnnxContext): OnnxValue {
  if (x.kind === 'node') context.builder.alias(nameOf(node), x.ref)
  return x
}

/** Common exponents are functions of their own, with exact slopes at zero. */
const pow: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the base')
  const exponent = context.required(node, inputs[1], 'the exponent')
  const constant = exponent.kind === 'known' && exponent.data.length === 1 && exponent.shape.length <= context.shape(x).length ? exponent.data[0]! : null
  if (constant === 1) return alias(node, x, context)
  const { ref, order } = asStored(x, context)
  const found = constant === null ? null : knownPower(node, ref, constant, context)
  if (found !== null) return context.value(found, order, x.type)
  const { refs, order: common } = context.alignment([x, exponent])
  return context.value(context.add(node, { op: 'binary', function: 'power' }, refs), common, x.type)
}

function knownPower(node: OnnxNode, x: Ref, exponent: number, context: OnnxContext): Ref | null {
  const steps = stepsOf(node, context)
  switch (exponent) {
    case 2:
      return steps.unary({ kind: 'square' }, x, true)
    case 3:
      return steps.binary('multiply', steps.unary({ kind: 'square' }, x), x, true)
    case 4:
      return steps.unary({ kind: 'square' }, steps.unary({ kind: 'square' }, x), true)
    case 0.5:
      return steps.unary({ kind: 'sqrt' }, x, true)
    case -0.5:
      return steps.unary({ kind: 'rsqrt' }, x, true)
    case -1:
      return steps.unary({ kind: 'reciprocal' }, x, true)
    default:
      return null
  }
}

export const arithmeticNodes: Record<string, NodeImporter> = {
  Add: binary('add'), Sub: binary('subtract'), Mul: binary('multiply'), Div: binary('divide'), Pow: pow,
  Neg: plain({ kind: 'negate' }), Reciprocal: plain({ kind: 'reciprocal' }), Exp: plain({ kind: 'exp' }), Log: plain({ kind: 'log' }),
  Sqrt: plain({ kind: 'sqrt' }), Abs: plain({ kind: 'abs' }),
  Sum: variadic('add'), Max: variadic('maximum'), Min: variadic('minimum'), Mean: variadic('add', true),
}

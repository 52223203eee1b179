import type { OnnxNode } from '../../onnx-format/schema.ts'
import { elementTypes } from '../../onnx-format/schema.ts'
import { tensorValues, typeName } from '../../onnx-format/tensor.ts'
import { float, floats, hasAttribute, int, ints, nameOf, tensor, unsupported } from './attributes.ts'
import type { NodeImporter, OnnxContext } from './context.ts'
import type { ElementType, Known, OnnxValue } from './value.ts'
import { hasBatch, isWhole, knownFloats, knownVector } from './value.ts'

const constant: NodeImporter = (node, _inputs, context) => {
  const value = tensor(node, 'value')
  if (value) return { kind: 'known', ...tensorValues(value, context.external) }
  if (hasAttribute(node, 'value_float')) return knownFloats([], Float32Array.of(float(node, 'value_float', 0)))
  if (hasAttribute(node, 'value_int')) return { ...knownVector([int(node, 'value_int', 0)]), shape: [] }
  if (hasAttribute(node, 'value_floats')) return knownFloats([floats(node, 'value_floats').length], Float32Array.from(floats(node, 'value_floats')))
  if (hasAttribute(node, 'value_ints')) return knownVector(ints(node, 'value_ints'))
  throw unsupported(node, `with ${node.attributes.map((a) => a.name).join(', ') || 'no value'}`)
}

/** One value everywhere. With the batch in its shape it is spread when the graph runs. */
export function filled(node: OnnxNode, value: number, shape: readonly number[], type: ElementType, context: OnnxContext): OnnxValue {
  const data = isWhole(type) ? Float64Array.of(value) : Float32Array.of(value)
  if (!hasBatch(shape)) {
    const size = shape.reduce((product, n) => product * n, 1)
    // whole numbers are shapes, indices and masks: far fewer than weights
    context.allow(node, isWhole(type) ? 128 * size : size)
    return { kind: 'known', shape: [...shape], type, data: (isWhole(type) ? new Float64Array(size) : new Float32Array(size)).fill(value) }
  }
  const one = context.constant({ kind: 'known', shape: [], type, data })
  return context.value(context.add(node, { op: 'expand' }, [one], shape), undefined, type)
}

const constantOfShape: NodeImporter = (node, inputs, context) => {
  const shape = [...context.known(node, inputs[0], 'the shape').data]
  if (shape.some((n) => !Number.isSafeInteger(n) || n < 0)) throw unsupported(node, `shape [${shape.join(', ')}]`)
  const value = tensor(node, 'value')
  const values = value && tensorValues(value, context.external)
  return filled(node, values?.data[0] ?? 0, shape, values?.type ?? elementTypes.float, context)
}

const range: NodeImporter = (node, inputs, context) => {
  const [start, limit, delta] = ['the start', 'the limit', 'the step'].map((what, i) => context.known(node, inputs[i], what))
  const step = delta!.data[0]!
  const count = Math.max(0, Math.ceil((limit!.data[0]! - start!.data[0]!) / step))
  if (!Number.isSafeInteger(count)) throw unsupported(node, `step ${step}`)
  context.allow(node, count)
  const data = start!.data instanceof Float32Array ? new Float32Array(count) : new Float64Array(count)
  for (let i = 0; i < count; i++) data[i] = start!.data[0]! + i * step
  return { kind: 'known', shape: [count], type: start!.type, data }
}

function same(node: OnnxNode, x: OnnxValue, context: OnnxContext): OnnxValue {
  if (x.kind === 'node') context.builder.alias(nameOf(node), x.ref)
  return x
}

const identity: NodeImporter = (node, inputs, context) => same(node, context.required(node, inputs[0], 'the data'), context)

/** At inference nothing is dropped; the second output says that all elements are kept. */
const dropout: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const training = inputs[2] !== undefined && context.known(node, inputs[2], 'the training mode').data[0] !== 0
  const ratio = inputs[1] === undefined ? 0.5 : context.known(node, inputs[1], 'the ratio').data[0]!
  if (training && ratio !== 0) throw unsupported(node, 'random training dropout')
  if (!node.outputs[1]) return same(node, x, context)
  const type = context.opset < 10 ? elementTypes.float : elementTypes.bool
  return [same(node, x, context), filled(node, 1, context.shape(x), type, context)]
}

/** What a whole number of so many bits becomes when it does not fit. */
const bits: Readonly<Record<number, readonly [bits: number, signed: boolean]>> = {
  [elementTypes.uint8]: [8, false], [elementTypes.int8]: [8, true], [elementTypes.uint16]: [16, false], [elementTypes.int16]: [16, true],
  [elementTypes.int32]: [32, true], [elementTypes.uint32]: [32, false],
}

function castKnown(x: Known, type: ElementType): Known {
  if (!isWhole(type)) return { ...x, type, data: x.data instanceof Float32Array ? x.data : Float32Array.from(x.data) }
  if (type === elementTypes.bool) return { ...x, type, data: Float64Array.from(x.data, (v) => (v !== 0 ? 1 : 0)) }
  const [width, signed] = bits[type] ?? [0, true]
  const wrapped = (v: number): number => {
    const whole = Math.trunc(v)
    if (width === 0 || !Number.isFinite(whole)) return whole
    const rest = ((whole % 2 ** width) + 2 ** width) % 2 ** width
    return signed && rest >= 2 ** (width - 1) ? rest - 2 ** width : rest
  }
  return { ...x, type, data: Float64Array.from(x.data, wrapped) }
}

function cast(node: OnnxNode, x: OnnxValue, type: ElementType, context: OnnxContext): OnnxValue {
  if (x.kind === 'known') return castKnown(x, type)
  if (!isWhole(type) || type === x.type || (x.type === elementTypes.bool && isWhole(type))) return { ...same(node, x, context), type }
  if (type !== elementTypes.bool) throw unsupported(node, `of computed values to ${typeName(type)}`)
  const zero = context.constant(knownFloats([], Float32Array.of(0)))
  const isZero = context.part(node, 'is-zero', { op: 'binary', function: 'equal' }, [x.ref, zero])
  return context.value(context.add(node, { op: 'binary', function: 'equal' }, [isZero, zero]), x.order, type)
}

export const constantNodes: Record<string, NodeImporter> = {
  Constant: constant, ConstantOfShape: constantOfShape, Range: range, Identity: identity, Dropout: dropout,
  Cast: (node, inputs, context) => cast(node, context.required(node, inputs[0], 'the data'), int(node, 'to', 0), context),
  CastLike: (node, inputs, context) => cast(node, context.required(node, inputs[0], 'the data'), context.required(node, inputs[1], 'the type').type, context),
}

import type { Ref } from '../../build.ts'
import { normalisation } from '../../build.ts'
import type { Weight } from '../../graph.ts'
import type { OnnxNode } from '../../onnx-format/schema.ts'
import { axisOf, float, int, ints, unsupported } from './attributes.ts'
import type { NodeImporter, OnnxContext } from './context.ts'
import { lrn } from './lrn.ts'
import { asStored, repeated, scaledAlong, stepsOf, vectorWeight } from './steps.ts'
import type { OnnxValue } from './value.ts'
import { BATCH, knownFloats, naturalOrder } from './value.ts'

/** The value with its channels stored last, where it is not so anyway, as images are. */
function channelsLast(x: OnnxValue, context: OnnxContext): { ref: Ref; order: readonly number[] } {
  const rank = context.shape(x).length
  if (x.kind === 'node' && x.order[rank - 1] === 1) return { ref: x.ref, order: x.order }
  const order = rank < 2 ? naturalOrder(rank) : [0, ...naturalOrder(rank).slice(2), 1]
  return { ref: context.stored(x, order), order }
}

/** With fixed statistics an affine map; in training mode with those of the batch, which then are outputs too. */
const batchNormalization: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const [scale, offset, mean, variance] = ['the scale', 'the offset', 'the mean', 'the variance'].map((what, i) => context.known(node, inputs[i + 1], what))
  const epsilon = float(node, 'epsilon', 1e-5)
  const shape = context.shape(x)
  const channels = shape[1] ?? 1
  const affine = normalisation(scale!.data.length, vectorWeight(mean!), vectorWeight(variance!), vectorWeight(scale!), vectorWeight(offset!), epsilon)
  if (int(node, 'spatial', 1) === 0 && context.opset < 9 && shape.length > 2) return perElement(node, x, affine, context)
  if ([scale, offset, mean, variance].some((v) => v!.data.length !== channels)) throw unsupported(node, `statistics of [${scale!.shape.join(', ')}] for ${channels} channels`)
  if (int(node, 'training_mode', 0) !== 0) return withBatchStatistics(node, x, inputs, epsilon, context)
  const { ref, order } = channelsLast(x, context)
  return [context.value(context.add(node, affine, [ref]), order)]
}

/** Old files may hold statistics for each pixel: of the shape of one image. */
function perElement(node: OnnxNode, x: OnnxValue, { scale, offset }: { scale: Weight; offset: Weight }, context: OnnxContext): OnnxValue[] {
  const sizes = context.shape(x).slice(1)
  if (scale.data.length !== sizes.reduce((product, n) => product * n, 1)) throw unsupported(node, `${scale.data.length} statistics for [${sizes.join(', ')}]`)
  const times = context.alignment([x, knownFloats(sizes, scale.data)])
  const product = context.value(context.part(node, 'scaled', { op: 'binary', function: 'multiply' }, times.refs), times.order)
  const plus = context.alignment([product, knownFloats(sizes, offset.data)])
  return [context.value(context.add(node, { op: 'binary', function: 'add' }, plus.refs), plus.order)]
}

function withBatchStatistics(node: OnnxNode, x: OnnxValue, inputs: readonly (OnnxValue | undefined)[], epsilon: number, context: OnnxContext): (OnnxValue | undefined)[] {
  const [scale, offset, mean, variance] = inputs.slice(1, 5).map((v) => vectorWeight(context.known(node, v, 'a statistic')))
  const { ref, order } = channelsLast(x, context)
  const axes = naturalOrder(order.length - 1)
  noBatch(node, x, axes.map((i) => order[i]!), context)
  const y = context.add(node, { op: 'affine', scale: scale!, offset: offset! }, [context.part(node, 'normal', { op: 'normalize', axes, epsilon }, [ref])])
  const steps = stepsOf(node, context)
  const centred = steps.binary('subtract', ref, steps.reduce('mean', ref, axes, true))
  const found = [steps.reduce('mean', ref, axes, false), steps.reduce('mean', steps.unary({ kind: 'square' }, centred), axes, false)]
  const momentum = float(node, 'momentum', 0.9)
  const running = [mean!, variance!].map((before, i) => {
    if (!node.outputs[i + 1]) return undefined
    const share: Weight = repeated(1 - momentum, before.data.length)
    return context.value(context.part(node, 'running', { op: 'affine', scale: share, offset: { shape: before.shape, data: before.data.map((v) => v * momentum) } }, [found[i]!]))
  })
  return [context.value(y, order), ...running]
}

/** Statistics over the batch would mix the images. */
function noBatch(node: OnnxNode, x: OnnxValue, axes: readonly number[], context: OnnxContext): void {
  const shape = context.shape(x)
  if (axes.some((axis) => shape[axis]! % BATCH === 0)) throw unsupported(node, 'over the batch')
}

/** x·scale + offset, both of the shape of the axes from `axis` on. */
function scaledFrom(node: OnnxNode, x: OnnxValue, axis: number, scale: OnnxValue | undefined, offset: OnnxValue | undefined, context: OnnxContext): OnnxValue {
  const shape = context.shape(x)
  const last = shape.length - 1
  const isVector = (v: OnnxValue | undefined): boolean => v === undefined || (v.kind === 'known' && v.data.length === shape[last] && v.shape[v.shape.length - 1] === shape[last])
  if (axis === last && isVector(scale) && isVector(offset)) {
    const weights = [scale, offset].map((v) => (v?.kind === 'known' ? vectorWeight(v) : null))
    return scaledAlong(node, x, last, weights[0] ?? repeated(1, shape[last]!), weights[1] ?? null, context)
  }
  const steps: [OnnxValue | undefined, 'multiply' | 'add'][] = [[scale, 'multiply'], [offset, 'add']]
  const given = steps.filter(([v]) => v !== undefined) as [OnnxValue, 'multiply' | 'add'][]
  return given.reduce((value, [operand, f], i) => {
    const { refs, order } = context.alignment([value, operand])
    const operation = { op: 'binary', function: f } as const
    return context.value(i === given.length - 1 ? context.add(node, operation, refs) : context.part(node, f, operation, refs), order)
  }, x)
}

/** The second and third output are the mean and one over the standard deviation. */
const layerNormalization: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const rank = context.shape(x).length
  const axis = axisOf(node, int(node, 'axis', -1), rank)
  const epsilon = float(node, 'epsilon', 1e-5)
  noBatch(node, x, naturalOrder(rank).slice(axis), context)
  const { ref, order } = asStored(x, context)
  const axes = order.flatMap((a, i) => (a >= axis ? [i] : []))
  const normal = context.value(context.part(node, 'normal', { op: 'normalize', axes, epsilon }, [ref]), order)
  const y = scaledFrom(node, normal, axis, context.required(node, inputs[1], 'the scale'), inputs[2], context)
  if (!node.outputs[1] && !node.outputs[2]) return [y]
  const steps = stepsOf(node, context)
  const mean = steps.reduce('mean', ref, axes, true)
  const variance = steps.reduce('mean', steps.unary({ kind: 'square' }, steps.binary('subtract', ref, mean)), axes, true)
  return [y, context.value(mean, order), context.value(steps.unary({ kind: 'rsqrt' }, steps.scaled(variance, 1, epsilon)), order)]
}

/** x/√(mean(x²) + ε)·scale */
const rmsNormalization: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const rank = context.shape(x).length
  const axis = axisOf(node, int(node, 'axis', -1), rank)
  noBatch(node, x, naturalOrder(rank).slice(axis), context)
  const { ref, order } = asStored(x, context)
  const steps = stepsOf(node, context)
  const mean = steps.reduce('mean', steps.unary({ kind: 'square' }, ref), order.flatMap((a, i) => (a >= axis ? [i] : [])), true)
  const factor = steps.unary({ kind: 'rsqrt' }, steps.scaled(mean, 1, float(node, 'epsilon', 1e-5)))
  return scaledFrom(node, context.value(steps.binary('multiply', ref, factor), order), axis, context.required(node, inputs[1], 'the scale'), undefined, context)
}

/** Each image and channel by itself. */
const instanceNormalization: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const rank = context.shape(x).length
  if (rank < 3) throw unsupported(node, `on ${rank} axes`)
  const [scale, offset] = [context.known(node, inputs[1], 'the scale'), context.known(node, inputs[2], 'the offset')]
  const { ref, order } = asStored(x, context)
  const axes = order.flatMap((a, i) => (a >= 2 ? [i] : []))
  const normal = context.part(node, 'normal', { op: 'normalize', axes, epsilon: float(node, 'epsilon', 1e-5) }, [ref])
  return scaledAlong(node, context.value(normal, order), 1, vectorWeight(scale), vectorWeight(offset), context)
}

/** Each image and group of channels by itself; scale and offset are one per channel, or before operator set 21 one per group. */
const groupNormalization: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const shape = context.shape(x)
  const [batch, channels, ...sizes] = shape
  const groups = int(node, 'num_groups', 0)
  const perGroup = channels! / groups
  if (groups < 1 || !Number.isInteger(perGroup) || sizes.length === 0) throw unsupported(node, `${groups} groups of [${shape.join(', ')}]`)
  const spread = (index: number, what: string): Weight => {
    const { data } = context.known(node, inputs[index], what)
    if (data.length !== groups && data.length !== channels) throw unsupported(node, `${data.length} numbers for ${channels} channels`)
    return { shape: [channels!], data: Float32Array.from({ length: channels! }, (_, c) => data[data.length === channels ? c : Math.floor(c / perGroup)]!) }
  }
  const pixels = sizes.reduce((product, n) => product * n, 1)
  const order = [0, ...naturalOrder(shape.length).slice(2), 1]
  const stored = order.map((axis) => shape[axis]!)
  const split = context.part(node, 'groups', { op: 'reshape' }, [context.stored(x, order)], [batch!, pixels, groups, perGroup])
  const normal = context.part(node, 'normal', { op: 'normalize', axes: [1, 3], epsilon: float(node, 'epsilon', 1e-5) }, [split])
  const joined = context.part(node, 'joined', { op: 'reshape' }, [normal], stored)
  return context.value(context.add(node, { op: 'affine', scale: spread(1, 'the scale'), offset: spread(2, 'the offset') }, [joined]), order)
}

/** x divided by its length along an axis; what is zero stays zero. */
const lpNormalization: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const axis = axisOf(node, int(node, 'axis', -1), context.shape(x).length)
  const p = int(node, 'p', 2)
  if (p !== 1 && p !== 2) throw unsupported(node, `p ${p}`)
  noBatch(node, x, [axis], context)
  const { ref, order } = asStored(x, context)
  const steps = stepsOf(node, context)
  const sum = steps.reduce('sum', steps.unary({ kind: p === 1 ? 'abs' : 'square' }, ref), [order.indexOf(axis)], true)
  const length = p === 1 ? sum : steps.unary({ kind: 'sqrt' }, sum)
  return context.value(steps.binary('divide', ref, steps.binary('maximum', length, steps.number(1e-30)), true), order)
}

const meanVarianceNormalization: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const rank = context.shape(x).length
  const axes = ints(node, 'axes', [0, 2, 3]).map((a) => axisOf(node, a, rank))
  noBatch(node, x, axes, context)
  const { ref, order } = asStored(x, context)
  return context.value(context.add(node, { op: 'normalize', axes: axes.map((a) => order.indexOf(a)).sort((a, b) => a - b), epsilon: 1e-9 }, [ref]), order)
}

export const normalisationNodes: Record<string, NodeImporter> = {
  BatchNormalization: batchNormalization, LayerNormalization: layerNormalization, RMSNormalization: rmsNormalization,
  InstanceNormalization: instanceNormalization, GroupNormalization: groupNormalization, LRN: lrn, LpNormalization: lpNormalization,
  MeanVarianceNormalization: meanVarianceNormalization,
}

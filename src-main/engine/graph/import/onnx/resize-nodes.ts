import type { Ref } from '../../build.ts'
import type { Weight } from '../../graph.ts'
import type { OnnxNode } from '../../onnx-format/schema.ts'
import { alongAxis } from './along-axis.ts'
import { axisOf, float, floats, hasAttribute, int, ints, nameOf, text, unsupported } from './attributes.ts'
import type { NodeImporter, OnnxContext } from './context.ts'
import type { AxisResize } from './resize-coordinates.ts'
import { coordinatesOf, nearest } from './resize-coordinates.ts'
import { asGraphResize } from './resize-native.ts'
import { interpolationMatrix } from './resize-weights.ts'
import type { Dynamic, OnnxValue } from './value.ts'
import { BATCH, knownFloats, naturalOrder } from './value.ts'

/** What a resize does, whichever operator set says it. */
interface Plan {
  readonly mode: string
  readonly coordinates: string
  readonly nearestMode: string
  /** One per axis; null where the axis stays as it is. */
  readonly axes: readonly (AxisResize | null)[]
}

const resize: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const old = context.opset < 11
  const stated = axesOf(node, context.shape(x), context)
  const list = (index: number, what: string): readonly number[] | null => {
    const value = inputs[index] === undefined ? [] : [...context.known(node, inputs[index], what).data]
    return value.length > 0 ? value : null
  }
  const region = old ? null : list(1, 'the region')
  const scales = list(old ? 1 : 2, 'the scales')
  const sizes = old || scales ? null : list(3, 'the sizes')
  if (!scales && !sizes) throw unsupported(node, 'neither scales nor sizes are there')
  const plan: Plan = {
    mode: text(node, 'mode', 'nearest'),
    coordinates: old ? 'asymmetric' : text(node, 'coordinate_transformation_mode', 'half_pixel'),
    nearestMode: old ? 'simple' : text(node, 'nearest_mode', 'round_prefer_floor'),
    axes: scales ? scaledAxes(node, context.shape(x), stated, scales, region) : sizedAxes(node, context.shape(x), stated, sizes!, region, context.fixedBatch),
  }
  return applied(node, x, plan, context)
}

/** Operator sets before 10: scales as an attribute or an input, nothing else. */
const upsample: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const shape = context.shape(x)
  const scales = hasAttribute(node, 'scales') ? floats(node, 'scales') : [...context.known(node, inputs[1], 'the scales').data]
  return applied(node, x, { mode: text(node, 'mode', 'nearest'), coordinates: 'asymmetric', nearestMode: 'simple', axes: scaledAxes(node, shape, naturalOrder(shape.length), scales, null) }, context)
}

function axesOf(node: OnnxNode, shape: readonly number[], context: OnnxContext): number[] {
  if (context.opset < 18 || !hasAttribute(node, 'axes')) return naturalOrder(shape.length)
  return ints(node, 'axes').map((a) => axisOf(node, a, shape.length))
}

/** Start and end of the part shown, by axis; the region lists all starts, then all ends. */
function regionOf(node: OnnxNode, axes: readonly number[], region: readonly number[] | null, k: number): [number, number] {
  if (text(node, 'coordinate_transformation_mode', '') !== 'tf_crop_and_resize') return [0, 1]
  if (region?.length !== 2 * axes.length) throw unsupported(node, `a region of ${region?.length ?? 0} numbers for ${axes.length} axes`)
  return [region[k]!, region[k + axes.length]!]
}

function scaledAxes(node: OnnxNode, shape: readonly number[], axes: readonly number[], scales: readonly number[], region: readonly number[] | null): Plan['axes'] {
  if (scales.length !== axes.length || scales.some((s) => !(s > 0))) throw unsupported(node, `scales [${scales.join(', ')}] for ${axes.length} axes`)
  const result: (AxisResize | null)[] = shape.map(() => null)
  axes.forEach((axis, k) => {
    const input = shape[axis]!
    const scale = scales[k]!
    result[axis] = changed(node, { input, output: scale === 1 ? input : Math.floor(Math.fround(scale * input)), scale, region: regionOf(node, axes, region, k) })
  })
  return result
}

function sizedAxes(node: OnnxNode, shape: readonly number[], axes: readonly number[], sizes: readonly number[], region: readonly number[] | null, fixedBatch: number | null): Plan['axes'] {
  if (sizes.length !== axes.length || sizes.some((n) => !Number.isSafeInteger(n) || n < 1)) throw unsupported(node, `sizes [${sizes.join(', ')}] for ${axes.length} axes`)
  const ratios = axes.map((axis, k) => sizes[k]! / shape[axis]!)
  const policy = text(node, 'keep_aspect_ratio_policy', 'stretch')
  const common = policy === 'not_larger' ? Math.min(...ratios) : policy === 'not_smaller' ? Math.max(...ratios) : null
  const result: (AxisResize | null)[] = shape.map(() => null)
  axes.forEach((axis, k) => {
    const input = shape[axis]!
    if (input === BATCH && (sizes[k] === BATCH || sizes[k] === (fixedBatch ?? 1))) return
    const output = common === null ? sizes[k]! : Math.floor(common * input + 0.5)
    result[axis] = changed(node, { input, output, scale: common ?? ratios[k]!, region: regionOf(node, axes, region, k) })
  })
  return result
}

function changed(node: OnnxNode, axis: AxisResize): AxisResize | null {
  if (axis.output === axis.input && axis.region[0] === 0 && axis.region[1] === 1 && axis.scale === 1) return null
  if (axis.input % BATCH === 0) throw unsupported(node, 'of the batch')
  if (axis.output < 1) throw unsupported(node, `from ${axis.input} to ${axis.output}`)
  return axis
}

function applied(node: OnnxNode, x: OnnxValue, plan: Plan, context: OnnxContext): OnnxValue {
  const order = x.kind === 'node' ? x.order : naturalOrder(x.shape.length)
  const value: Dynamic = { kind: 'node', ref: context.stored(x, order), order, type: x.type }
  const resized = plan.axes.flatMap((axis, i) => (axis ? [i] : []))
  if (resized.length === 0) {
    context.builder.alias(nameOf(node), value.ref)
    return value
  }
  for (const axis of plan.axes) if (axis) context.allow(node, 16 * axis.input * axis.output) // 4096 by 4096 and no more
  const coordinates = plan.axes.map((axis) => (axis ? coordinatesOf(node, plan.coordinates, axis) : null))
  // what a cropped region reaches beyond the axis holds a value of its own
  const outside = (axis: number, at: number): boolean => plan.coordinates === 'tf_crop_and_resize' && (at < 0 || at > plan.axes[axis]!.input - 1)
  const fill = resized.some((axis) => coordinates[axis]!.some((at) => outside(axis, at))) ? float(node, 'extrapolation_value', 0) : null
  const matrices = plan.axes.map((axis, i) => (axis ? matrixOf(node, plan, axis, coordinates[i]!, (at) => outside(i, at)) : null))
  if (fill === null) {
    const native = asGraphResize(node, value, plan.mode === 'nearest' ? 'nearest' : 'bilinear', matrices, context)
    if (native) return native
  }
  const isGather = plan.mode === 'nearest' && fill === null
  const result = resized.reduce<OnnxValue>((current, axis, k) => {
    const part = k < resized.length - 1 || (fill !== null && fill !== 0) ? `axis-${axis}` : undefined
    return isGather ? gathered(node, current as Dynamic, axis, matrices[axis]!, context, part) : alongAxis(node, current, axis, matrices[axis]!, context, part)
  }, value)
  return fill === null || fill === 0 ? result : filledOutside(node, result, coordinates.map((c, axis) => c?.map((at) => outside(axis, at)) ?? null), fill, context)
}

/** [in, out] */
function matrixOf(node: OnnxNode, plan: Plan, axis: AxisResize, coordinates: readonly number[], outside: (at: number) => boolean): Weight {
  const { input, scale } = axis
  if (plan.mode === 'nearest') {
    const data = new Float32Array(input * coordinates.length)
    coordinates.forEach((at, o) => {
      if (!outside(at)) data[nearest(node, plan.nearestMode, at, input, scale < 1) * coordinates.length + o] = 1
    })
    return { shape: [input, coordinates.length], data }
  }
  if (plan.mode !== 'linear' && plan.mode !== 'cubic') throw unsupported(node, `mode ${plan.mode}`)
  const kernel = { mode: plan.mode, a: float(node, 'cubic_coeff_a', -0.75), antialias: int(node, 'antialias', 0) !== 0, excludeOutside: int(node, 'exclude_outside', 0) !== 0 } as const
  return interpolationMatrix(input, coordinates, scale, kernel, outside)
}

/** Each output is one element: no arithmetic is needed. */
function gathered(node: OnnxNode, x: Dynamic, axis: number, { shape, data }: Weight, context: OnnxContext, part: string | undefined): OnnxValue {
  const [input, output] = shape as [number, number]
  const indices = Array.from({ length: output }, (_, o) => naturalOrder(input).find((i) => data[i * output + o] === 1)!)
  const operation = { op: 'gather', axis: x.order.indexOf(axis), indices } as const
  return context.value(part === undefined ? context.add(node, operation, [x.ref]) : context.part(node, part, operation, [x.ref]), x.order, x.type)
}

/** Where any axis is outside, the value instead of nothing. */
function filledOutside(node: OnnxNode, x: OnnxValue, outside: readonly (readonly boolean[] | null)[], fill: number, context: OnnxContext): OnnxValue {
  const sizes = outside.map((flags) => flags?.length ?? 1)
  let mask = [false]
  for (const flags of outside) if (flags) mask = mask.flatMap((before) => flags.map((here) => before || here))
  const { refs, order } = context.alignment([x, knownFloats(sizes, Float32Array.from(mask, (m) => (m ? fill : 0)))])
  const ref: Ref = context.add(node, { op: 'binary', function: 'add' }, refs)
  return context.value(ref, order, x.type)
}

export const resizeNodes: Record<string, NodeImporter> = { Resize: resize, Upsample: upsample }

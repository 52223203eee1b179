import type { Ref } from '../../build.ts'
import { pads as padsOfImage } from '../../build.ts'
import type { Weight } from '../../graph.ts'
import type { OnnxNode } from '../../onnx-format/schema.ts'
import { hasAttribute, int, ints, text, unsupported } from './attributes.ts'
import type { NodeImporter, OnnxContext } from './context.ts'
import { biasOf } from './convolution-nodes.ts'
import type { Images } from './images.ts'
import { asImages, imagesOf, size2 } from './images.ts'
import { repeated } from './steps.ts'
import type { Known } from './value.ts'
import { floatsOf, spreadTaps, weightOf } from './weights.ts'
import { extentOf, halves, listOf, padsOf } from './windows.ts'

/** One axis of a transposed convolution. */
interface Axis {
  readonly stride: number
  readonly dilation: number
  /** Cut off the full result at either end; less than nothing is added as zeros. */
  readonly before: number
  readonly after: number
  /** The full result: every input pixel spread by the whole filter. */
  readonly full: number
}

/** Filter [in, out / groups, height, width] or [in, out / groups, length]. */
const convTranspose: NodeImporter = (node, inputs, context) => {
  const images = imagesOf(node, context.required(node, inputs[0], 'the data'), context)
  const filter = context.known(node, inputs[1], 'the filter')
  const groups = int(node, 'group', 1)
  const [inner, perGroup, ...window] = filter.shape as [number, number, ...number[]]
  if (window.length !== images.sizes.length || inner !== images.channels || inner % groups !== 0) {
    throw unsupported(node, `a filter of [${filter.shape.join(', ')}] in ${groups} groups on ${images.channels} channels`)
  }
  const axes = axesOf(node, images.sizes, window)
  // zeros between taps and between groups
  context.allow(node, inner * perGroup * groups * axes.reduce((product, a, i) => product * extentOf({ window: window[i]!, dilation: a.dilation }), 1))
  const spread = filterOf(filter, groups, axes.map((a) => a.dilation))
  const bias = biasOf(node, inputs[2], perGroup * groups, context)
  return asImages(node, images, context, (add) => transposedConvolution(node, images, spread, bias, axes, context, add))
}

function axesOf(node: OnnxNode, sizes: readonly number[], window: readonly number[]): Axis[] {
  const count = sizes.length
  const strides = listOf(node, 'strides', count, 1)
  const dilations = listOf(node, 'dilations', count, 1)
  const extra = hasAttribute(node, 'output_padding') ? ints(node, 'output_padding') : sizes.map(() => 0)
  const stated = ints(node, 'output_shape')
  const target = stated.length > 0 ? statedSizes(node, stated, sizes) : null
  const pads = padsOf(node, count)
  if (extra.length !== count || extra.some((n) => !Number.isSafeInteger(n) || n < 0)) throw unsupported(node, `output padding [${extra.join(', ')}]`)
  return sizes.map((size, i) => {
    const [stride, dilation] = [strides[i]!, dilations[i]!]
    const full = stride * (size - 1) + extentOf({ window: window[i]!, dilation })
    if (target === null && pads !== null) return { stride, dilation, full, before: pads[i]!, after: pads[i + count]! - extra[i]! }
    // SAME cuts down to the input's size times the stride, and adds nothing where there is less
    const output = target?.[i] ?? Math.min(size * stride, full + extra[i]!)
    const [before] = halves(Math.max(0, full + extra[i]! - output), text(node, 'auto_pad', 'NOTSET') === 'SAME_UPPER')
    // where the target is larger than what there is, the rest are zeros at the end
    return { stride, dilation, full, before, after: full - output - before }
  })
}

function statedSizes(node: OnnxNode, stated: readonly number[], sizes: readonly number[]): readonly number[] {
  const target = stated.slice(-sizes.length)
  if (target.length !== sizes.length || target.some((n) => !Number.isSafeInteger(n) || n < 1)) throw unsupported(node, `output shape [${stated.join(', ')}]`)
  return target
}

/** [height, width, out, in], zeros between dilated taps and between groups. */
function filterOf(filter: Known, groups: number, dilations: readonly number[]): Weight {
  return weightOf(filter, `transposed|${groups}|${dilations.join()}`, () => {
    const [inner, perGroup, ...window] = filter.shape as [number, number, ...number[]]
    const [height, width] = size2(window)
    const taps = height * width
    const out = perGroup * groups
    const data = new Float32Array(taps * out * inner)
    const source = floatsOf(filter)
    for (let c = 0; c < inner; c++) {
      const group = Math.floor(c / (inner / groups))
      for (let m = 0; m < perGroup; m++) {
        for (let t = 0; t < taps; t++) data[(t * out + group * perGroup + m) * inner + c] = source[(c * perGroup + m) * taps + t]!
      }
    }
    return spreadTaps({ shape: [height, width, out, inner], data }, ...size2(dilations))
  })
}

function transposedConvolution(node: OnnxNode, images: Images, filter: Weight, bias: Weight | null, axes: readonly Axis[], context: OnnxContext, add: OnnxContext['add']): Ref {
  const none: Axis = { stride: 1, dilation: 1, before: 0, after: 0, full: 1 }
  const [vertical, horizontal] = axes.length === 2 ? [axes[0]!, axes[1]!] : [none, axes[0]!]
  const [taps, across] = filter.shape as [number, number]
  // the graph cuts off less than the filter is long, and adds less than the stride; the rest is done after it
  const cut = (a: Axis, extent: number): [number, number] => [Math.min(a.before, extent - 1), Math.max(Math.min(a.after, extent - 1), 1 - a.stride)]
  const [top, bottom] = cut(vertical, taps)
  const [left, right] = cut(horizontal, across)
  const operation = {
    op: 'conv2dTranspose', filter, strides: size2(axes.map((a) => a.stride)), pads: padsOfImage([top, Math.max(0, bottom)], [left, Math.max(0, right)]), activation: null,
  } as const
  const sizes = [vertical.full - top - bottom, horizontal.full - left - right] as const
  const rest = [[vertical.before - top, vertical.after - bottom], [horizontal.before - left, horizontal.after - right]] as const
  if (sizes.some((n, i) => n - rest[i]![0] - rest[i]![1] < 1)) throw unsupported(node, 'its padding leaves nothing')
  const shape = [images.batch, ...sizes, filter.shape[2]!]
  if (rest.flat().every((n) => n === 0)) return add(node, { ...operation, bias }, [images.ref], shape)
  return withRest(node, context.part(node, 'linear', { ...operation, bias: null }, [images.ref], shape), shape, rest, bias, context, add)
}

type Rest = readonly (readonly [before: number, after: number])[]

function withRest(node: OnnxNode, linear: Ref, shape: readonly number[], rest: Rest, bias: Weight | null, context: OnnxContext, add: OnnxContext['add']): Ref {
  const paddings = [[0, 0], ...rest.map(([before, after]) => [Math.max(0, -before), Math.max(0, -after)]), [0, 0]] as [number, number][]
  const grown = paddings.flat().every((n) => n === 0) ? linear : context.part(node, 'zeros', { op: 'pad', mode: 'constant', value: 0, paddings }, [linear])
  const begin = [0, ...rest.map(([before]) => Math.max(0, before)), 0]
  const sizes = shape.map((n, i) => (i === 0 || i === 3 ? n : n - rest[i - 1]![0] - rest[i - 1]![1]))
  const slice = { op: 'slice', begin } as const
  if (!bias) return add(node, slice, [grown], sizes)
  return add(node, { op: 'affine', scale: repeated(1, bias.data.length), offset: bias }, [context.part(node, 'cut', slice, [grown], sizes)])
}

export const transposedConvolutionNodes: Record<string, NodeImporter> = { ConvTranspose: convTranspose }

import type { Pads, Weight } from '../../graph.ts'
import { hasPads } from '../../graph.ts'
import type { OnnxNode } from '../../onnx-format/schema.ts'
import { elementTypes } from '../../onnx-format/schema.ts'
import { alongAxis } from './along-axis.ts'
import { int, ints, unsupported } from './attributes.ts'
import type { NodeImporter, OnnxContext } from './context.ts'
import type { Images } from './images.ts'
import { asImages, imagesOf, padsOfSlides, size2 } from './images.ts'
import { dilatedMax, maxIndices } from './max-taps.ts'
import { asStored, stepsOf } from './steps.ts'
import type { OnnxValue } from './value.ts'
import { BATCH } from './value.ts'
import type { Slide } from './windows.ts'
import { slidesOf } from './windows.ts'

interface Pool {
  readonly x: OnnxValue
  readonly images: Images
  readonly slides: readonly Slide[]
}

function poolOf(node: OnnxNode, value: OnnxValue | undefined, context: OnnxContext): Pool {
  const x = context.required(node, value, 'the data')
  const images = imagesOf(node, x, context)
  const slides = slidesOf(node, images.sizes, ints(node, 'kernel_shape'))
  if (slides.some((s) => s.before >= s.window * s.dilation || s.after >= s.window * s.dilation)) throw unsupported(node, 'with padding as large as its window')
  return { x, images, slides }
}

/** The graph's own pool knows no dilation. */
function plainPool(node: OnnxNode, kind: 'max' | 'average', { images, slides }: Pool, countPadding: boolean, context: OnnxContext): OnnxValue {
  const pads: Pads = padsOfSlides(slides)
  const operation = {
    op: 'pool', kind, size: size2(slides.map((s) => s.window)), strides: size2(slides.map((s) => s.stride)), pads, countPadding: countPadding && hasPads(pads),
  } as const
  return asImages(node, images, context, (add) => add(node, operation, [images.ref]))
}

const isDilated = ({ slides }: Pool): boolean => slides.some((s) => s.dilation > 1)

/** The second output holds where in the whole input each maximum stands, row by row or with `storage_order` column by column. */
const maxPool: NodeImporter = (node, inputs, context) => {
  const pool = poolOf(node, inputs[0], context)
  const { images, slides } = pool
  const y = isDilated(pool) ? asImages(node, images, context, (add) => dilatedMax(node, images, slides, context, add)) : plainPool(node, 'max', pool, false, context)
  // positions in a batch of any length are not numbers that could be known here; a classifier does not read them
  if (!node.outputs[1] || images.batch % BATCH === 0) return [y]
  const columnsFirst = int(node, 'storage_order', 0) === 1
  const positions = asImages({ ...node, name: `${node.outputs[1]}` }, images, context, (add) => maxIndices(node, images, slides, columnsFirst, context, add))
  return [y, { ...positions, type: elementTypes.int64 }]
}

const averagePool: NodeImporter = (node, inputs, context) => {
  const pool = poolOf(node, inputs[0], context)
  const countPadding = int(node, 'count_include_pad', 0) !== 0
  const plain = !isDilated(pool) && !(countPadding && pool.slides.some((s) => s.overhang > 0))
  if (plain) return plainPool(node, 'average', pool, countPadding, context)
  return byAxes(node, pool, (s) => poolingMatrix(s, countPadding ? 'with padding' : 'inside'), context)
}

/** One axis after the other: the windows are products of intervals. */
function byAxes(node: OnnxNode, { x, slides }: Pool, matrix: (s: Slide) => Weight, context: OnnxContext, part?: string): OnnxValue {
  const last = slides.length - 1
  for (const s of slides) context.allow(node, s.output * (s.input + s.window))
  return slides.reduce((value, s, i) => alongAxis(node, value, i + 2, matrix(s), context, i < last ? `axis-${i + 2}` : part), x)
}

/**
 * [in, out]: what each pixel is worth in each window.
 * @param divisor of a window: its taps inside of the image, or also those on the padding, which do not count what reaches beyond that; none for a sum
 */
function poolingMatrix(s: Slide, divisor: 'inside' | 'with padding' | 'none'): Weight {
  const data = new Float32Array(s.input * s.output)
  for (let o = 0; o < s.output; o++) {
    const taps = Array.from({ length: s.window }, (_, t) => o * s.stride + t * s.dilation - s.before)
    const inside = taps.filter((at) => at >= 0 && at < s.input)
    const counted = divisor === 'none' ? 1 : divisor === 'inside' ? inside.length : taps.filter((at) => at < s.input + s.after).length
    for (const at of inside) data[at * s.output + o]! += 1 / counted
  }
  return { shape: [s.input, s.output], data }
}

/** The p-th root of the sum of p-th powers. */
const lpPool: NodeImporter = (node, inputs, context) => {
  const pool = poolOf(node, inputs[0], context)
  const p = int(node, 'p', 2)
  const steps = stepsOf(node, context)
  const { ref, order } = asStored(pool.x, context)
  const size = steps.unary({ kind: p === 2 ? 'square' : 'abs' }, ref)
  const powers = p === 1 || p === 2 ? size : steps.binary('power', size, steps.number(p))
  const sums = byAxes(node, { ...pool, x: context.value(powers, order) }, (s) => poolingMatrix(s, 'none'), context, p === 1 ? undefined : 'sums')
  if (p === 1 || sums.kind === 'known') return sums
  return context.value(p === 2 ? steps.unary({ kind: 'sqrt' }, sums.ref, true) : steps.binary('power', sums.ref, steps.number(1 / p), true), sums.order)
}

/** Over everything behind the channels, in whatever layout. */
const globalAveragePool: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const { ref, order } = asStored(x, context)
  const axes = order.flatMap((axis, i) => (axis >= 2 ? [i] : []))
  if (axes.length === 0) throw unsupported(node, `on ${order.length} axes`)
  return context.value(stepsOf(node, context).reduce('mean', ref, axes, true, true), order)
}

/** A pool with a window as large as the image: of equal maxima the first counts. */
const globalMaxPool: NodeImporter = (node, inputs, context) => {
  const x = context.required(node, inputs[0], 'the data')
  const images = imagesOf(node, x, context)
  const slides = images.sizes.map((n): Slide => ({ input: n, window: n, dilation: 1, stride: 1, before: 0, after: 0, output: 1, overhang: 0 }))
  return plainPool(node, 'max', { x, images, slides }, false, context)
}

export const poolNodes: Record<string, NodeImporter> = {
  MaxPool: maxPool, AveragePool: averagePool, LpPool: lpPool, GlobalAveragePool: globalAveragePool, GlobalMaxPool: globalMaxPool,
}

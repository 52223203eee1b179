import type { OnnxNode } from '../../onnx-format/schema.ts'
import { int, ints, text, unsupported } from './attributes.ts'
import { BATCH } from './value.ts'

/** How a window slides along one axis. */
export interface Slide {
  readonly input: number
  /** Taps of the window, and the distance between two. */
  readonly window: number
  readonly dilation: number
  readonly stride: number
  /** Padding that the node states: the only kind an average may count. */
  readonly before: number
  readonly after: number
  /** Positions of the window. */
  readonly output: number
  /** How far the last window reaches beyond the padding, where sizes are rounded up. */
  readonly overhang: number
}

/** What a window covers from its first to its last tap. */
export function extentOf({ window, dilation }: Pick<Slide, 'window' | 'dilation'>): number {
  return (window - 1) * dilation + 1
}

/**
 * The slides of a convolution or pool along the axes of an image.
 * @param sizes of the image
 * @param window taps along each axis
 * @throws UnsupportedNode where the attributes are none, or the window does not fit
 */
export function slidesOf(node: OnnxNode, sizes: readonly number[], window: readonly number[]): Slide[] {
  const strides = listOf(node, 'strides', sizes.length, 1)
  const dilations = listOf(node, 'dilations', sizes.length, 1)
  const ceil = int(node, 'ceil_mode', 0) !== 0
  const pads = padsOf(node, sizes.length)
  if (window.length !== sizes.length || window.some((n) => !Number.isSafeInteger(n) || n < 1)) throw unsupported(node, `a window of ${window.join('×')}`)
  return sizes.map((input, axis) => {
    if (input % BATCH === 0) throw unsupported(node, 'over the batch')
    const [stride, dilation] = [strides[axis]!, dilations[axis]!]
    const extent = extentOf({ window: window[axis]!, dilation })
    const [before, after] = pads === null ? samePads(node, input, extent, stride) : [pads[axis]!, pads[axis + sizes.length]!]
    const room = input + before + after - extent
    let output = (ceil && pads !== null ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1
    // a window must not begin behind the image
    if (ceil && pads !== null && (output - 1) * stride >= input + before) output--
    if (output < 1) throw unsupported(node, `a window of ${window.join('×')} on ${sizes.join('×')}`)
    const overhang = Math.max(0, (output - 1) * stride - room)
    return { input, window: window[axis]!, dilation, stride, before, after, output, overhang }
  })
}

/** One whole number per axis, at least 1. */
export function listOf(node: OnnxNode, name: string, length: number, fallback: number): readonly number[] {
  const given = ints(node, name)
  if (given.length === 0) return new Array<number>(length).fill(fallback)
  if (given.length !== length || given.some((n) => !Number.isSafeInteger(n) || n < 1)) throw unsupported(node, `${name} [${given.join(', ')}]`)
  return given
}

/** Those stated, all befores and then all afters; null where they follow from the sizes (`auto_pad` SAME). */
export function padsOf(node: OnnxNode, axes: number): readonly number[] | null {
  const auto = text(node, 'auto_pad', 'NOTSET')
  if (auto === 'SAME_UPPER' || auto === 'SAME_LOWER') return null
  const stated = ints(node, 'pads')
  if (auto !== 'NOTSET' && auto !== 'VALID' && auto !== '') throw unsupported(node, `auto_pad ${auto}`)
  if (auto === 'VALID' || stated.length === 0) return new Array<number>(2 * axes).fill(0)
  if (stated.length !== 2 * axes || stated.some((n) => !Number.isSafeInteger(n) || n < 0)) throw unsupported(node, `pads [${stated.join(', ')}]`)
  return stated
}

/** The odd pixel goes to the end, or with SAME_LOWER to the beginning. */
function samePads(node: OnnxNode, input: number, extent: number, stride: number): [number, number] {
  const total = Math.max(0, (Math.ceil(input / stride) - 1) * stride + extent - input)
  return halves(total, text(node, 'auto_pad', '') === 'SAME_UPPER')
}

export function halves(total: number, oddAtEnd: boolean): [number, number] {
  const small = Math.floor(total / 2)
  return oddAtEnd ? [small, total - small] : [total - small, small]
}

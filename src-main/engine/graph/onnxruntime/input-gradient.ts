import type { Pads, Size2, Weight } from '../graph.ts'
import { reordered } from './broadcast.ts'
import type { Emitter } from './emitter.ts'
import { spreadByZeros } from './enlarge.ts'
import { onnxPads } from './forward-linear.ts'
import { aroundImages, emitPad } from './padding.ts'

/** A convolution whose input gradient is wanted. Filters are [height, width, in / groups, out], sizes [height, width]. */
export interface Convolution {
  filter: Weight
  strides: Size2
  dilations: Size2
  pads: Pads
  groups: number
  inputSize: Size2
  outputSize: Size2
}

/**
 * The gradient of a convolution with respect to its input, both NCHW. With stride 1 it is a convolution with the flipped
 * filter, and depthwise one of dy with zeros between its pixels. Else it is a transposed convolution, which is faster than a
 * small convolution for every residue of the pixels modulo the stride.
 */
export function inputGradient(dy: string, convolution: Convolution, emitter: Emitter): string {
  const { strides, filter, groups } = convolution
  if (strides[0] === 1 && strides[1] === 1) return flippedConvolution(dy, convolution, emitter)
  if (filter.shape[2] === 1 && filter.shape[3] === groups) return spreadConvolution(dy, convolution, emitter)
  return transposedConvolution(dy, convolution, emitter)
}

/** Crops where a pad is negative: a convolution's own pads cannot be. */
function cropped(dy: string, pads: Pads, emitter: Emitter): { image: string; pads: Pads } {
  const crop: Pads = { top: Math.min(pads.top, 0), bottom: Math.min(pads.bottom, 0), left: Math.min(pads.left, 0), right: Math.min(pads.right, 0) }
  const rest: Pads = { top: Math.max(pads.top, 0), bottom: Math.max(pads.bottom, 0), left: Math.max(pads.left, 0), right: Math.max(pads.right, 0) }
  return { image: emitPad(dy, aroundImages(crop), 0, emitter), pads: rest }
}

function flippedConvolution(dy: string, { filter, dilations, pads, groups, inputSize, outputSize }: Convolution, emitter: Emitter): string {
  const [height, width] = filter.shape as [number, number]
  const top = (height - 1) * dilations[0] - pads.top
  const left = (width - 1) * dilations[1] - pads.left
  const around = cropped(dy, {
    top, bottom: inputSize[0] - outputSize[0] + (height - 1) * dilations[0] - top,
    left, right: inputSize[1] - outputSize[1] + (width - 1) * dilations[1] - left,
  }, emitter)
  const flipped = emitter.derived(filter, `flipped, ${groups} groups`, () => flippedFilter(filter, groups))
  return emitter.op('Conv', [around.image, flipped], { kernel_shape: [height, width], dilations, pads: onnxPads(around.pads), group: groups })
}

/**
 * For one channel per group: dy with zeros between its pixels, and the flipped filter. The convolution keeps its channels,
 * which ONNX Runtime is fast on.
 */
function spreadConvolution(dy: string, convolution: Convolution, emitter: Emitter): string {
  const { strides, outputSize } = convolution
  const spread = spreadByZeros(dy, outputSize, strides, emitter)
  return flippedConvolution(spread, { ...convolution, strides: [1, 1], outputSize: [outputSize[0] * strides[0], outputSize[1] * strides[1]] }, emitter)
}

/** As ONNX takes it, [in, out / groups, height, width], rows and columns in reverse. */
function flippedFilter({ shape, data }: Weight, groups: number): Weight {
  const [height, width, inner, outer] = shape as [number, number, number, number]
  const perGroup = outer / groups
  const flipped = new Float32Array(data.length)
  let at = 0
  for (let channel = 0; channel < inner * groups; channel++) {
    const [group, i] = [Math.floor(channel / inner), channel % inner]
    for (let o = group * perGroup; o < (group + 1) * perGroup; o++) {
      for (let place = height * width - 1; place >= 0; place--, at++) flipped[at] = data[(place * inner + i) * outer + o]!
    }
  }
  return { shape: [inner * groups, perGroup, height, width], data: flipped }
}

function transposedConvolution(dy: string, { filter, strides, dilations, pads, groups, inputSize, outputSize }: Convolution, emitter: Emitter): string {
  const window: Size2 = [filter.shape[0]!, filter.shape[1]!]
  // rows and columns that no window ends on
  const left = (axis: 0 | 1, around: number): number => inputSize[axis] - ((outputSize[axis] - 1) * strides[axis] + (window[axis] - 1) * dilations[axis] + 1 - around)
  const turned = emitter.derived(filter, 'out first', () => reordered(filter, [3, 2, 0, 1]))
  return emitter.op('ConvTranspose', [dy, turned], {
    kernel_shape: window, strides, dilations, pads: onnxPads(pads), group: groups,
    output_padding: [left(0, pads.top + pads.bottom), left(1, pads.left + pads.right)],
  })
}

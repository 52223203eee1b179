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
 * filter. With a stride, every residue of the pixels modulo the stride has a small filter of its own: they are the channels
 * of one convolution, spread over the pixels afterwards; depthwise, dy is spread before. What is neither is a transposed
 * convolution.
 */
export function inputGradient(dy: string, convolution: Convolution, emitter: Emitter): string {
  const { strides: [down, across], dilations, filter, groups } = convolution
  if (down === 1 && across === 1) return flippedConvolution(dy, convolution, emitter)
  const small = filter.shape[0]! < down || filter.shape[1]! < across
  if (filter.shape[2] === 1 && filter.shape[3] === groups) return spreadConvolution(dy, convolution, emitter)
  if (down !== across || dilations[0] !== 1 || dilations[1] !== 1 || small) return transposedConvolution(dy, convolution, emitter)
  return residueConvolution(dy, convolution, emitter)
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
function flippedFilter(filter: Weight, groups: number): Weight {
  return residueFilter(filter, groups, [{ stride: 1, pad: 0, first: 1 - filter.shape[0]!, taps: filter.shape[0]! }, { stride: 1, pad: 0, first: 1 - filter.shape[1]!, taps: filter.shape[1]! }])
}

/**
 * Along one axis, pixel stride·a + r gets dy[a + t] times the filter's row r + pad − stride·t, for t from `first` on.
 */
interface Residues {
  stride: number
  pad: number
  first: number
  taps: number
}

function residues(stride: number, pad: number, window: number): Residues {
  const first = -Math.floor((window - 1 - pad) / stride)
  return { stride, pad, first, taps: Math.floor((stride - 1 + pad) / stride) - first + 1 }
}

function residueConvolution(dy: string, { filter, strides, pads, groups, inputSize, outputSize }: Convolution, emitter: Emitter): string {
  const stride = strides[0]
  const [rows, columns] = [residues(stride, pads.top, filter.shape[0]!), residues(stride, pads.left, filter.shape[1]!)]
  const [height, width] = [Math.ceil(inputSize[0] / stride), Math.ceil(inputSize[1] / stride)]
  const around = cropped(dy, {
    top: -rows.first, bottom: height + rows.taps - 1 + rows.first - outputSize[0],
    left: -columns.first, right: width + columns.taps - 1 + columns.first - outputSize[1],
  }, emitter)
  const what = `residues ${stride}, pads ${pads.top} ${pads.left}, ${groups} groups`
  const small = emitter.derived(filter, what, () => residueFilter(filter, groups, [rows, columns]))
  const parts = emitter.op('Conv', [around.image, small], { kernel_shape: [rows.taps, columns.taps], pads: onnxPads(around.pads), group: groups })
  const spread = interleaved(parts, stride, [inputChannels(filter, groups), height, width], emitter)
  if (height * stride === inputSize[0] && width * stride === inputSize[1]) return spread
  return emitter.op('Slice', [spread, emitter.ints([0, 0]), emitter.ints(inputSize), emitter.ints([2, 3])])
}

const inputChannels = (filter: Weight, groups: number): number => filter.shape[2]! * groups

/** Channels of residues to the pixels they stand for, as DepthToSpace does it: columns, then rows, is several times as fast. */
function interleaved(parts: string, stride: number, [channels, height, width]: readonly [number, number, number], emitter: Emitter): string {
  const columns = emitter.op('Transpose', [emitter.reshape(parts, [-(channels * stride), stride, height, width])], { perm: [0, 2, 3, 1] })
  const rows = emitter.op('Transpose', [emitter.reshape(columns, [-channels, stride, height, width * stride])], { perm: [0, 2, 1, 3] })
  return emitter.reshape(rows, [-1, channels, height * stride, width * stride])
}

/** [in · stride², out / groups, taps, taps]: for every channel the residues of rows, and in each those of columns. */
function residueFilter({ shape, data }: Weight, groups: number, [rows, columns]: readonly [Residues, Residues]): Weight {
  const [height, width, inner, outer] = shape as [number, number, number, number]
  const perGroup = outer / groups
  const out = new Float32Array(inner * groups * rows.stride * columns.stride * perGroup * rows.taps * columns.taps)
  let at = 0
  for (let channel = 0; channel < inner * groups; channel++) {
    const [group, i] = [Math.floor(channel / inner), channel % inner]
    for (let down = 0; down < rows.stride; down++) {
      for (let across = 0; across < columns.stride; across++) {
        for (let o = group * perGroup; o < (group + 1) * perGroup; o++) {
          for (let t = 0; t < rows.taps; t++) {
            const row = down + rows.pad - rows.stride * (rows.first + t)
            for (let u = 0; u < columns.taps; u++, at++) {
              const column = across + columns.pad - columns.stride * (columns.first + u)
              if (row >= 0 && row < height && column >= 0 && column < width) out[at] = data[((row * width + column) * inner + i) * outer + o]!
            }
          }
        }
      }
    }
  }
  return { shape: [inner * groups * rows.stride * columns.stride, perGroup, rows.taps, columns.taps], data: out }
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

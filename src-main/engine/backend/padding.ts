/** Zero rows and columns around an image: all integers ≥ 0. */
export interface Pads {
  top: number
  bottom: number
  left: number
  right: number
}

export type Pair = readonly [number, number]

/** TF.js's own form of explicit pads for NHWC tensors. */
export type ExplicitPadding = [[number, number], [number, number], [number, number], [number, number]]

export function toExplicitPadding(pads: Pads): ExplicitPadding {
  return [[0, 0], [pads.top, pads.bottom], [pads.left, pads.right], [0, 0]]
}

/**
 * The pads that 'same' and 'valid' stand for, as TensorFlow defines them: 'same' gives ceil(size / stride) outputs and
 * puts the odd row or column at the bottom and right. Pass explicit pads to every convolution and pooling: the WASM
 * backend computes 'same' wrongly where the kernel is smaller than the stride.
 * @param size [height, width] of the input
 * @param kernel [height, width] of the filter or pooling window
 * @param padding as TF.js takes it; a number means that many on all four sides
 */
export function explicitPads(
  size: Pair,
  kernel: Pair,
  strides: Pair,
  dilations: Pair,
  padding: 'same' | 'valid' | number | ExplicitPadding,
): Pads {
  if (padding === 'valid') return { top: 0, bottom: 0, left: 0, right: 0 }
  if (padding === 'same') {
    const [top, bottom] = samePads(size[0], kernel[0], strides[0], dilations[0])
    const [left, right] = samePads(size[1], kernel[1], strides[1], dilations[1])
    return { top, bottom, left, right }
  }
  if (typeof padding === 'number') return { top: padding, bottom: padding, left: padding, right: padding }
  const [, [top, bottom], [left, right]] = padding
  return { top, bottom, left, right }
}

function samePads(size: number, kernel: number, stride: number, dilation: number): [number, number] {
  const outputs = Math.ceil(size / stride)
  const extent = (kernel - 1) * dilation + 1
  const total = Math.max(0, (outputs - 1) * stride + extent - size)
  const before = Math.floor(total / 2)
  return [before, total - before]
}

/** [height, width] of a convolution's output, rounded down as TF.js does unless told otherwise. */
export function convolvedSize(size: Pair, kernel: Pair, strides: Pair, dilations: Pair, pads: Pads): [number, number] {
  const along = (axis: 0 | 1, around: number): number =>
    Math.floor((size[axis] + around - (kernel[axis] - 1) * dilations[axis] - 1) / strides[axis]) + 1
  return [along(0, pads.top + pads.bottom), along(1, pads.left + pads.right)]
}

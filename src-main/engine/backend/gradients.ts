import {
  engine, getBackend, getGradient, pad as padTensor, registerGradient, reshape, slice, stridedSlice, tidy, unregisterGradient,
  type NamedAttrMap, type Tensor, type Tensor4D,
} from '@tensorflow/tfjs-core'
import { toExplicitPadding, type ExplicitPadding, type Pads, type Pair } from './padding.ts'

/**
 * The gradients of the two convolutions, for any stride, dilation and pads, on every backend. TF.js has them without
 * dilation only; on WASM our kernels take the dilation, elsewhere the filter is widened with zeros.
 */
type Padding = 'same' | 'valid' | number | ExplicitPadding
type Kind = 'Conv2D' | 'DepthwiseConv2dNative'

/**
 * @param dy [N, H', W', Cout], gradient with respect to the convolution's output
 * @param filter [kh, kw, Cin, Cout]; mark it with `markFrozen` if its values never change
 * @param inputShape [N, H, W, Cin]
 * @returns [N, H, W, Cin], the gradient with respect to its input
 */
export function conv2dInputGradient(
  dy: Tensor4D, filter: Tensor4D, inputShape: readonly number[], strides: Pair, pads: Pads, dilations: Pair = [1, 1],
): Tensor4D {
  return towardsInput('Conv2D', dy, filter, inputShape, strides, toExplicitPadding(pads), dilations)
}

/**
 * @param dy [N, H', W', C·multiplier]
 * @param filter [kh, kw, C, multiplier]; mark it with `markFrozen` if its values never change
 * @param inputShape [N, H, W, C]
 * @returns [N, H, W, C]
 */
export function depthwiseConv2dInputGradient(
  dy: Tensor4D, filter: Tensor4D, inputShape: readonly number[], strides: Pair, pads: Pads, dilations: Pair = [1, 1],
): Tensor4D {
  return towardsInput('DepthwiseConv2dNative', dy, filter, inputShape, strides, toExplicitPadding(pads), dilations)
}

/**
 * @param x [N, H, W, Cin]
 * @param dy [N, H', W', Cout]
 * @param filterShape [kh, kw, Cin, Cout]
 * @returns [kh, kw, Cin, Cout], the gradient with respect to the filter
 */
export function conv2dFilterGradient(
  x: Tensor4D, dy: Tensor4D, filterShape: readonly number[], strides: Pair, pads: Pads, dilations: Pair = [1, 1],
): Tensor4D {
  return towardsFilter('Conv2D', x, dy, filterShape, strides, toExplicitPadding(pads), dilations)
}

/** As `conv2dFilterGradient`; dy [N, H', W', C·multiplier], filter [kh, kw, C, multiplier]. */
export function depthwiseConv2dFilterGradient(
  x: Tensor4D, dy: Tensor4D, filterShape: readonly number[], strides: Pair, pads: Pads, dilations: Pair = [1, 1],
): Tensor4D {
  return towardsFilter('DepthwiseConv2dNative', x, dy, filterShape, strides, toExplicitPadding(pads), dilations)
}

function towardsInput(
  kind: Kind, dy: Tensor4D, filter: Tensor4D, inputShape: readonly number[], strides: Pair, pad: Padding, dilations: Pair,
): Tensor4D {
  if (!takesDilations(dilations)) {
    return tidy(() => towardsInput(kind, dy, widened(filter, dilations), inputShape, strides, pad, [1, 1]))
  }
  const attrs = { ...common(strides, pad, dilations), inputShape: [...inputShape] }
  return engine().runKernel(`${kind}BackpropInput`, { dy, filter }, attrs as unknown as NamedAttrMap) as Tensor4D
}

function towardsFilter(
  kind: Kind, x: Tensor4D, dy: Tensor4D, filterShape: readonly number[], strides: Pair, pad: Padding, dilations: Pair,
): Tensor4D {
  if (!takesDilations(dilations)) {
    const [kh, kw, a, b] = filterShape as [number, number, number, number]
    const wide = [(kh - 1) * dilations[0] + 1, (kw - 1) * dilations[1] + 1, a, b]
    return tidy(() => {
      const gradient = towardsFilter(kind, x, dy, wide, strides, pad, [1, 1])
      return stridedSlice(gradient, [0, 0, 0, 0], wide, [dilations[0], dilations[1], 1, 1]) as Tensor4D
    })
  }
  const attrs = { ...common(strides, pad, dilations), filterShape: [...filterShape] }
  return engine().runKernel(`${kind}BackpropFilter`, { x, dy }, attrs as unknown as NamedAttrMap) as Tensor4D
}

function common(strides: Pair, pad: Padding, dilations: Pair): object {
  return { strides: [...strides], pad, dilations: [...dilations], dataFormat: 'NHWC' }
}

function takesDilations(dilations: Pair): boolean {
  return (dilations[0] === 1 && dilations[1] === 1) || getBackend() === 'wasm'
}

/** A dilated filter as a plain one: zeros between its taps. */
function widened(filter: Tensor4D, [down, across]: Pair): Tensor4D {
  const [kh, kw, a, b] = filter.shape
  const apart = padTensor(reshape(filter, [kh, 1, kw, 1, a * b]), [[0, 0], [0, down - 1], [0, 0], [0, across - 1], [0, 0]])
  const grid = reshape(apart, [kh * down, kw * across, a, b])
  return slice(grid, [0, 0, 0, 0], [(kh - 1) * down + 1, (kw - 1) * across + 1, a, b]) as Tensor4D
}

/** Lets `tf.grad` go through dilated convolutions, which TF.js refuses. Undilated ones are left to TF.js. */
export function registerDilatedGradients(): void {
  for (const kind of ['Conv2D', 'DepthwiseConv2dNative'] as const) {
    const stock = getGradient(kind)
    unregisterGradient(kind)
    registerGradient({
      ...stock,
      gradFunc: (dy, saved, attrs) => {
        const dilations = pairOf(attrs['dilations'] ?? 1)
        if (dilations[0] === 1 && dilations[1] === 1) return stock.gradFunc(dy, saved, attrs)
        const [x, filter] = saved as unknown as [Tensor4D, Tensor4D]
        const strides = pairOf(attrs['strides'])
        const pad = attrs['pad'] as unknown as Padding
        return {
          x: () => towardsInput(kind, dy as Tensor4D, filter, x.shape, strides, pad, dilations) as Tensor,
          filter: () => towardsFilter(kind, x, dy as Tensor4D, filter.shape, strides, pad, dilations) as Tensor,
        }
      },
    })
  }
}

/** TF.js writes strides and dilations as one number or as [height, width]. */
export function pairOf(value: unknown): Pair {
  if (typeof value === 'number') return [value, value]
  const [height, width] = value as number[]
  return [height!, width ?? height!]
}

import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Geometry } from './conv-input-gradient.ts'
import { pointer, simd } from './simd/simd.ts'
import { allocate, shape4, type Shape4, type WasmBackend } from './wasm-memory.ts'

/**
 * Gradient of a depthwise convolution with respect to its filter, on WASM. It is bound by memory, and XNNPACK has no
 * depthwise convolution with a filter as large as dy, so it has a kernel of its own.
 * @param x [N, H, W, C]
 * @param dy [N, H', W', C·multiplier]
 * @param filterShape [kh, kw, C, multiplier]
 * @returns [kh, kw, C, multiplier]
 */
export function depthwiseFilterGradient(
  backend: WasmBackend, x: TensorInfo, dy: TensorInfo, filterShape: Shape4, geometry: Geometry,
): TensorInfo {
  const result = allocate(backend, filterShape)
  if (filterShape[3] > 1) {
    severalPerChannel(backend, x, dy, result, geometry)
    return result
  }
  const [kh, kw, channels] = filterShape
  const [count, height, width] = shape4(x)
  const [, outHeight, outWidth] = shape4(dy)
  const { strides, dilations, pads } = geometry
  backend.typedArrayFromHeap(result).fill(0)
  simd(backend).depthwiseFilterGradient(
    pointer(backend, x), pointer(backend, dy), pointer(backend, result), count, height, width, channels,
    outHeight, outWidth, kh, kw, strides[0], strides[1], dilations[0], dilations[1], pads.top, pads.left,
  )
  return result
}

/** The rare case of several outputs per channel, in plain loops. */
function severalPerChannel(backend: WasmBackend, x: TensorInfo, dy: TensorInfo, result: TensorInfo, geometry: Geometry): void {
  const [kh, kw, channels, multiplier] = shape4(result)
  const [count, height, width] = shape4(x)
  const [, outHeight, outWidth] = shape4(dy)
  const { strides: [sh, sw], dilations: [dh, dw], pads } = geometry
  const images = backend.typedArrayFromHeap(x)
  const gradients = backend.typedArrayFromHeap(dy)
  const outChannels = channels * multiplier
  const sums = new Float64Array(kh * kw * outChannels)
  for (let n = 0; n < count; n++) {
    for (let oy = 0; oy < outHeight; oy++) {
      const dyRow = (n * outHeight + oy) * outWidth
      for (let i = 0; i < kh; i++) {
        const row = oy * sh + i * dh - pads.top
        if (row < 0 || row >= height) continue
        const xRow = (n * height + row) * width
        for (let j = 0; j < kw; j++) {
          const shift = j * dw - pads.left
          const first = Math.max(0, Math.ceil(-shift / sw))
          const end = Math.min(outWidth, Math.floor((width - 1 - shift) / sw) + 1)
          const at = (i * kw + j) * outChannels
          for (let o = 0; o < outChannels; o++) {
            let source = (xRow + first * sw + shift) * channels + Math.floor(o / multiplier)
            let dyAt = (dyRow + first) * outChannels + o
            let sum = 0
            for (let ox = first; ox < end; ox++, source += sw * channels, dyAt += outChannels) {
              sum += images[source]! * gradients[dyAt]!
            }
            sums[at + o]! += sum
          }
        }
      }
    }
  }
  backend.typedArrayFromHeap(result).set(sums)
}

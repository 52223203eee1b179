import type { NamedAttrMap, TensorInfo } from '@tensorflow/tfjs-core'
import type { Geometry } from './conv-input-gradient.ts'
import { toExplicitPadding, type Pair } from './padding.ts'
import { pointer, simd } from './simd/simd.ts'
import { stockKernel } from './stock.ts'
import { allocate, free, shape4, type Shape4, type WasmBackend } from './wasm-memory.ts'

export interface PoolGeometry extends Geometry {
  /** [height, width] of the pooling window. */
  window: Pair
}

/**
 * Gradient of max pooling on WASM. Where several inputs of a window are the largest, the first of them, row by row, gets
 * it all.
 * @param dy [N, H', W', C]
 * @param x [N, H, W, C], the forward's input
 * @param y [N, H', W', C], the forward's output; computed again where absent
 * @returns [N, H, W, C]
 */
export function maxPoolGradient(
  backend: WasmBackend, dy: TensorInfo, x: TensorInfo, y: TensorInfo | undefined, geometry: PoolGeometry,
): TensorInfo {
  const [count, height, width, channels] = shape4(x)
  const [, outHeight, outWidth] = shape4(dy)
  const { window, strides, dilations, pads } = geometry
  const attrs = { filterSize: [...window], strides: [...strides], pad: toExplicitPadding(pads) }
  const output = y ?? (stockKernel('MaxPool')({ inputs: { x }, attrs: attrs as unknown as NamedAttrMap, backend }) as TensorInfo)
  const dx = zeros(backend, x.shape)
  simd(backend).maxPoolGradient(
    pointer(backend, x), pointer(backend, output), pointer(backend, dy), pointer(backend, dx), count, height, width, channels,
    outHeight, outWidth, window[0], window[1], strides[0], strides[1], dilations[0], dilations[1], pads.top, pads.left,
  )
  if (!y) free(backend, output)
  return dx
}

/**
 * Gradient of average pooling on WASM. Like TF.js's forward, and unlike its own gradient, it does not count padding.
 * @param dy [N, H', W', C]
 * @param inputShape [N, H, W, C]
 * @returns [N, H, W, C]
 */
export function averagePoolGradient(
  backend: WasmBackend, dy: TensorInfo, inputShape: Shape4, geometry: PoolGeometry,
): TensorInfo {
  const [count, height, width, channels] = inputShape
  const [, outHeight, outWidth] = shape4(dy)
  const { window, strides, pads } = geometry
  const dx = zeros(backend, inputShape)
  simd(backend).averagePoolGradient(
    pointer(backend, dy), pointer(backend, dx), count, height, width, channels,
    outHeight, outWidth, window[0], window[1], strides[0], strides[1], pads.top, pads.left,
  )
  return dx
}

function zeros(backend: WasmBackend, shape: readonly number[]): TensorInfo {
  const info = allocate(backend, shape)
  backend.typedArrayFromHeap(info).fill(0)
  return info
}

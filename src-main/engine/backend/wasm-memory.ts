import type { DataId, DataType, TensorInfo } from '@tensorflow/tfjs-core'

/**
 * What our kernels use of TF.js's WASM backend. These members are not in its published types; they are those of 4.22.0,
 * which package.json pins.
 */
export interface WasmBackend {
  makeOutput(shape: number[], dtype: DataType): TensorInfo
  /** A view of the tensor's memory. It dies when the heap grows: allocate every output first, then take views. */
  typedArrayFromHeap(info: TensorInfo): Float32Array
  incRef(dataId: DataId): void
  disposeData(dataId: DataId, force?: boolean): boolean
  /** Where the tensor's memory begins in the heap, in bytes. */
  getMemoryOffset(dataId: DataId): number
  wasm: { asm: { memory: object } }
}

export type Shape4 = readonly [number, number, number, number]

export function shape4(info: TensorInfo): Shape4 {
  const [a, b, c, d] = info.shape
  if (info.shape.length !== 4 || a === undefined || b === undefined || c === undefined || d === undefined) {
    throw new Error(`A tensor of rank 4 is needed, not of shape [${info.shape.join(', ')}].`)
  }
  return [a, b, c, d]
}

/** An uninitialised float32 tensor outside TF.js's bookkeeping: free it, or return it from a kernel. */
export function allocate(backend: WasmBackend, shape: readonly number[]): TensorInfo {
  return backend.makeOutput([...shape], 'float32')
}

export function free(backend: WasmBackend, ...infos: readonly TensorInfo[]): void {
  for (const info of infos) backend.disposeData(info.dataId)
}

/** The same memory under another shape of the same size. Not a new reference: free only one of the two. */
export function reshaped(info: TensorInfo, shape: readonly number[]): TensorInfo {
  return { dataId: info.dataId, shape: [...shape], dtype: info.dtype }
}

/**
 * Rows and columns cut off (or, where negative, zero rows and columns added) on each side of an NHWC tensor.
 * @returns a new tensor
 */
export function cropped(
  backend: WasmBackend,
  x: TensorInfo,
  cut: { top: number; bottom: number; left: number; right: number },
): TensorInfo {
  const [count, height, width, channels] = shape4(x)
  const outHeight = height - cut.top - cut.bottom
  const outWidth = width - cut.left - cut.right
  const out = allocate(backend, [count, outHeight, outWidth, channels])
  const from = backend.typedArrayFromHeap(x)
  const to = backend.typedArrayFromHeap(out)
  if (cut.top < 0 || cut.bottom < 0 || cut.left < 0 || cut.right < 0) to.fill(0)
  const firstColumn = Math.max(0, cut.left)
  const length = (Math.min(width, width - cut.right) - firstColumn) * channels
  if (length <= 0) return out
  for (let n = 0; n < count; n++) {
    for (let row = Math.max(0, cut.top); row < Math.min(height, height - cut.bottom); row++) {
      const source = ((n * height + row) * width + firstColumn) * channels
      const target = ((n * outHeight + row - cut.top) * outWidth + firstColumn - cut.left) * channels
      to.set(from.subarray(source, source + length), target)
    }
  }
  return out
}

import type { TensorInfo } from '@tensorflow/tfjs-core'
import { pointer, simd } from './simd/simd.ts'
import { replaceKernel, stockKernel } from './stock.ts'
import { allocate, free, type WasmBackend } from './wasm-memory.ts'

/**
 * Products of batches of matrices on WASM, as attention needs them. The stock kernel is as fast for one pair of matrices that
 * are not transposed; any other it multiplies element by element.
 */
export function registerMatrixProduct(): void {
  replaceKernel('BatchMatMul', ({ inputs, attrs, backend }) => {
    const { a, b } = inputs as { a: TensorInfo; b: TensorInfo }
    const { transposeA, transposeB } = attrs as unknown as { transposeA: boolean; transposeB: boolean }
    const outer = a.shape.slice(0, -2)
    const alike = outer.length === b.shape.length - 2 && outer.every((n, i) => n === b.shape[i])
    if (!alike || a.dtype !== 'float32' || b.dtype !== 'float32' || a.shape.includes(0) || b.shape.includes(0)) {
      return stockKernel('BatchMatMul')({ inputs, attrs: attrs!, backend })
    }
    return matrixProduct(backend as WasmBackend, a, b, transposeA, transposeB)
  })
}

/** @param a [...batch, m, k], transposed [...batch, k, m] @param b [...batch, k, n], transposed [...batch, n, k] */
function matrixProduct(backend: WasmBackend, a: TensorInfo, b: TensorInfo, transposeA: boolean, transposeB: boolean): TensorInfo {
  const outer = a.shape.slice(0, -2)
  const [aHeight, aWidth] = a.shape.slice(-2) as [number, number]
  const [bHeight, bWidth] = b.shape.slice(-2) as [number, number]
  const [m, k] = transposeA ? [aWidth, aHeight] : [aHeight, aWidth]
  const [inner, n] = transposeB ? [bWidth, bHeight] : [bHeight, bWidth]
  if (k !== inner) throw new Error(`matrices of ${m}×${k} and ${inner}×${n} cannot be multiplied`)
  const out = allocate(backend, [...outer, m, n])
  const panel = allocate(backend, [k, 8])
  const batch = outer.reduce((product, size) => product * size, 1)
  const [aRow, aColumn] = transposeA ? [1, m] : [k, 1]
  const [bRow, bColumn] = transposeB ? [1, k] : [n, 1]
  simd(backend).matrixProduct(
    pointer(backend, a), pointer(backend, b), pointer(backend, out), pointer(backend, panel), batch, m, k, n, m * k, k * n, aRow, aColumn, bRow, bColumn,
  )
  free(backend, panel)
  return out
}

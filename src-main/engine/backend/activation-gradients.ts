import type { TensorInfo } from '@tensorflow/tfjs-core'
import { pointer, simd, type Pointer, type Simd } from './simd/simd.ts'
import { allocate, type WasmBackend } from './wasm-memory.ts'

/**
 * Gradients of activations on WASM, from the gradient dy with respect to their output and that output y, both float32 of
 * one shape; each in one pass over memory.
 */

/**
 * @param limit where the unit saturates (6 for relu6), Infinity for none
 * @param guided also drop negative gradients (Springenberg et al., 2015)
 * @returns dy where 0 < y < limit, else 0
 */
export function reluGradient(backend: WasmBackend, dy: TensorInfo, y: TensorInfo, limit = Infinity, guided = false): TensorInfo {
  return pass(backend, dy, y, (kernels, ...args) => kernels.reluGradient(...args, limit, guided ? 1 : 0))
}

/** @returns dy where y > 0, else dy·slope; the slope must be positive */
export function leakyReluGradient(backend: WasmBackend, dy: TensorInfo, y: TensorInfo, slope: number): TensorInfo {
  return pass(backend, dy, y, (kernels, ...args) => kernels.leakyReluGradient(...args, slope))
}

/** @returns dy where y > 0, else dy·(y + 1): α is 1 */
export function eluGradient(backend: WasmBackend, dy: TensorInfo, y: TensorInfo): TensorInfo {
  return pass(backend, dy, y, (kernels, ...args) => kernels.eluGradient(...args))
}

/** @returns dy·y·(1 − y) */
export function sigmoidGradient(backend: WasmBackend, dy: TensorInfo, y: TensorInfo): TensorInfo {
  return pass(backend, dy, y, (kernels, ...args) => kernels.sigmoidGradient(...args))
}

type Arguments = [dy: Pointer, y: Pointer, out: Pointer, n: number]

function pass(
  backend: WasmBackend, dy: TensorInfo, y: TensorInfo, kernel: (kernels: Simd, ...args: Arguments) => void,
): TensorInfo {
  const out = allocate(backend, dy.shape)
  const n = dy.shape.reduce((product, size) => product * size, 1)
  kernel(simd(backend), pointer(backend, dy), pointer(backend, y), pointer(backend, out), n)
  return out
}

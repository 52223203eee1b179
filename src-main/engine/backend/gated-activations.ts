import type { Tensor, TensorInfo } from '@tensorflow/tfjs-core'
import { engine, getBackend, getKernel, registerKernel } from '@tensorflow/tfjs-core'
import { pointer, simd } from './simd/simd.ts'
import { allocate, type WasmBackend } from './wasm-memory.ts'

/** Activations of the form x·gate(x), numbered as in kernels.as. */
export const gates = { gelu: 0, tanhGelu: 1, swish: 2, hardSwish: 3 } as const
export type Gate = keyof typeof gates

const names = { forward: 'MaskscopeGated', gradient: 'MaskscopeGatedGradient' } as const

/** Whether the active backend computes them in one pass over memory. */
export function hasGatedActivations(): boolean {
  return getKernel(names.forward, getBackend()) !== undefined
}

export function gated(gate: Gate, x: Tensor): Tensor {
  return engine().runKernel(names.forward, { x }, { gate })
}

/** @returns dy·d(x·gate(x))/dx */
export function gatedGradient(gate: Gate, dy: Tensor, x: Tensor): Tensor {
  return engine().runKernel(names.gradient, { dy, x }, { gate })
}

const sizeOf = ({ shape }: TensorInfo): number => shape.reduce((product, n) => product * n, 1)

/** In TF.js's own operations these take up to fifteen passes. */
export function registerGatedActivations(): void {
  registerKernel({
    kernelName: names.forward, backendName: 'wasm',
    kernelFunc({ inputs, attrs, backend }) {
      const { x } = inputs as { x: TensorInfo }
      const wasm = backend as WasmBackend
      const out = allocate(wasm, x.shape)
      simd(wasm).gated(gates[attrs!['gate'] as Gate], pointer(wasm, x), pointer(wasm, out), sizeOf(x))
      return out
    },
  })
  registerKernel({
    kernelName: names.gradient, backendName: 'wasm',
    kernelFunc({ inputs, attrs, backend }) {
      const { dy, x } = inputs as { dy: TensorInfo; x: TensorInfo }
      const wasm = backend as WasmBackend
      const out = allocate(wasm, x.shape)
      simd(wasm).gatedGradient(gates[attrs!['gate'] as Gate], pointer(wasm, dy), pointer(wasm, x), pointer(wasm, out), sizeOf(x))
      return out
    },
  })
}

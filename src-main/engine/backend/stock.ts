import { getKernel, registerKernel, unregisterKernel, type KernelConfig, type NamedAttrMap, type TensorInfo } from '@tensorflow/tfjs-core'
import { toExplicitPadding, type Pads, type Pair } from './padding.ts'
import type { WasmBackend } from './wasm-memory.ts'

/** The kernels TF.js's WASM backend came with, kept when ours take their place. */
const stock = new Map<string, KernelConfig>()

/** Puts a kernel of ours in the place of the stock one (or where there is none). */
export function replaceKernel(kernelName: string, kernelFunc: KernelConfig['kernelFunc']): void {
  const before = getKernel(kernelName, 'wasm') as KernelConfig | undefined
  if (before) {
    stock.set(kernelName, before)
    unregisterKernel(kernelName, 'wasm')
  }
  // The stock kernel binds its WASM function in setupFunc, and may still be called.
  registerKernel({ ...before, kernelName, backendName: 'wasm', kernelFunc })
}

/** The kernel as TF.js ships it. */
export function stockKernel(kernelName: string): KernelConfig['kernelFunc'] {
  const config = stock.get(kernelName) ?? (getKernel(kernelName, 'wasm') as KernelConfig | undefined)
  if (!config) throw new Error(`TF.js's WASM backend has no kernel ${kernelName}.`)
  return config.kernelFunc
}

/** The stock forward convolution, NHWC, with explicit pads ≥ 0. */
export function forwardConvolution(
  backend: WasmBackend,
  kernelName: 'Conv2D' | 'DepthwiseConv2dNative',
  x: TensorInfo,
  filter: TensorInfo,
  options: { strides: Pair; pads: Pads; dilations: Pair },
): TensorInfo {
  const attrs = {
    strides: [...options.strides],
    pad: toExplicitPadding(options.pads),
    dilations: [...options.dilations],
    dataFormat: 'NHWC',
  }
  return stockKernel(kernelName)({ inputs: { x, filter }, attrs: attrs as unknown as NamedAttrMap, backend }) as TensorInfo
}

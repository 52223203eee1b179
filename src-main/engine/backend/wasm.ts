import { createRequire } from 'node:module'
import path from 'node:path'
import {
  ready, setBackend, type NamedAttrMap, type NamedTensorInfoMap, type TensorInfo,
} from '@tensorflow/tfjs-core'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
// Importing the layers is what registers TF.js's gradients: the core alone has none under Node.
import '@tensorflow/tfjs-layers'
import { filterGradient } from './conv-filter-gradient.ts'
import { registerCopyKernels } from './copy-kernels.ts'
import { inputGradient, type Geometry } from './conv-input-gradient.ts'
import { depthwiseFilterGradient } from './depthwise-filter-gradient.ts'
import { registerGatedActivations } from './gated-activations.ts'
import { pairOf, registerDilatedGradients } from './gradients.ts'
import { registerMatrixProduct } from './matrix-product.ts'
import { explicitPads, toExplicitPadding } from './padding.ts'
import { averagePoolGradient, maxPoolGradient, type PoolGeometry } from './pool-gradients.ts'
import { replaceKernel, stockKernel } from './stock.ts'
import { shape4, type Shape4, type WasmBackend } from './wasm-memory.ts'

let registered = false

/**
 * Adds to TF.js's WASM backend the kernels it lacks, and replaces those it has slowly or wrongly. Call it before the
 * first gradient; calling it again does nothing.
 */
export function registerWasmKernels(): void {
  if (registered) return
  registered = true
  // Stock Identity copies every tensor saved for a gradient, filters included.
  replaceKernel('Identity', ({ inputs, backend }) => {
    const x = inputs['x']!
    ;(backend as WasmBackend).incRef(x.dataId)
    return { dataId: x.dataId, shape: x.shape, dtype: x.dtype }
  })
  replaceKernel('Conv2DBackpropInput', ({ inputs, attrs, backend }) => {
    const { dy, filter } = required(inputs, ['dy', 'filter'])
    const inputShape = attrs!['inputShape'] as unknown as Shape4
    return inputGradient(backend as WasmBackend, 'Conv2D', dy, filter, inputShape, geometryOf(attrs!, inputShape, shape4(filter)))
  })
  replaceKernel('DepthwiseConv2dNativeBackpropInput', ({ inputs, attrs, backend }) => {
    const { dy, filter } = required(inputs, ['dy', 'filter'])
    const inputShape = attrs!['inputShape'] as unknown as Shape4
    const geometry = geometryOf(attrs!, inputShape, shape4(filter))
    return inputGradient(backend as WasmBackend, 'DepthwiseConv2dNative', dy, filter, inputShape, geometry)
  })
  replaceKernel('Conv2DBackpropFilter', ({ inputs, attrs, backend }) => {
    const { x, dy } = required(inputs, ['x', 'dy'])
    const filterShape = attrs!['filterShape'] as unknown as Shape4
    return filterGradient(backend as WasmBackend, x, dy, filterShape, geometryOf(attrs!, shape4(x), filterShape))
  })
  replaceKernel('DepthwiseConv2dNativeBackpropFilter', ({ inputs, attrs, backend }) => {
    const { x, dy } = required(inputs, ['x', 'dy'])
    const filterShape = attrs!['filterShape'] as unknown as Shape4
    return depthwiseFilterGradient(backend as WasmBackend, x, dy, filterShape, geometryOf(attrs!, shape4(x), filterShape))
  })
  replaceKernel('MaxPoolGrad', ({ inputs, attrs, backend }) => {
    const { dy, input } = required(inputs, ['dy', 'input'])
    return maxPoolGradient(backend as WasmBackend, dy, input, inputs['output'], poolGeometryOf(attrs!, shape4(input)))
  })
  replaceKernel('AvgPoolGrad', ({ inputs, attrs, backend }) => {
    const { dy, input } = required(inputs, ['dy', 'input'])
    return averagePoolGradient(backend as WasmBackend, dy, shape4(input), poolGeometryOf(attrs!, shape4(input)))
  })
  for (const name of ['Conv2D', 'DepthwiseConv2dNative', 'FusedConv2D', 'FusedDepthwiseConv2D']) resolveSamePadding(name)
  registerCopyKernels()
  registerMatrixProduct()
  registerGatedActivations()
  registerDilatedGradients()
}

/**
 * TF.js on WebAssembly, ready, with our kernels.
 * @throws Error where WebAssembly or its file cannot be loaded
 */
export async function initWasm(): Promise<void> {
  registerWasmKernels()
  // Found at run time: bundling moves this module but not the package.
  const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')
  setWasmPaths(`${path.dirname(entry)}${path.sep}`)
  if (!(await setBackend('wasm'))) throw new Error('TF.js could not start its WebAssembly backend.')
  await ready()
}

function required<K extends string>(inputs: NamedTensorInfoMap, names: readonly K[]): Record<K, TensorInfo> {
  const found = {} as Record<K, TensorInfo>
  for (const name of names) {
    const info = inputs[name]
    if (!info) throw new Error(`The kernel lacks its input ${name}.`)
    found[name] = info
  }
  return found
}

/** Explicit pads and both axes, from the attributes of any of the convolution kernels. */
function geometryOf(attrs: NamedAttrMap, inputShape: Shape4, filterShape: Shape4): Geometry {
  if (attrs['dataFormat'] !== undefined && attrs['dataFormat'] !== 'NHWC') {
    throw new Error(`The WASM backend computes convolutions in NHWC only, not ${String(attrs['dataFormat'])}.`)
  }
  const strides = pairOf(attrs['strides'])
  const dilations = pairOf(attrs['dilations'] ?? 1)
  const pads = explicitPads(
    [inputShape[1], inputShape[2]], [filterShape[0], filterShape[1]], strides, dilations,
    attrs['pad'] as Parameters<typeof explicitPads>[4],
  )
  return { strides, dilations, pads }
}

function poolGeometryOf(attrs: NamedAttrMap, inputShape: Shape4): PoolGeometry {
  const window = pairOf(attrs['filterSize'])
  const [kh, kw] = window
  return { window, ...geometryOf(attrs, inputShape, [kh, kw, 1, 1]) }
}

/** The stock forward is wrong for 'same' where the kernel is smaller than the stride, and right with the same pads given. */
function resolveSamePadding(kernelName: string): void {
  replaceKernel(kernelName, ({ inputs, attrs, backend }) => {
    const forward = stockKernel(kernelName)
    if (attrs?.['pad'] !== 'same') return forward({ inputs, backend, ...(attrs && { attrs }) })
    const { x, filter } = required(inputs, ['x', 'filter'])
    const { pads } = geometryOf(attrs, shape4(x), shape4(filter))
    return forward({ inputs, attrs: { ...attrs, pad: toExplicitPadding(pads) }, backend })
  })
}

import * as tf from '@tensorflow/tfjs-core'
import { reluGradient } from '#engine/backend/activation-gradients.ts'
import { markFrozen, releaseFrozen } from '#engine/backend/frozen.ts'
import { conv2dInputGradient, depthwiseConv2dFilterGradient, depthwiseConv2dInputGradient } from '#engine/backend/gradients.ts'
import { toExplicitPadding } from '#engine/backend/padding.ts'
import { stockKernel } from '#engine/backend/stock.ts'
import { initWasm } from '#engine/backend/wasm.ts'
import type { WasmBackend } from '#engine/backend/wasm-memory.ts'
import { medians, rounded } from './timing.ts'

type Work = Record<string, () => void>

/** Our other kernels on WASM at [8, 56, 56, 64], each beside TF.js's own where it has one, or the forward operation. */
export async function run(): Promise<object> {
  await initWasm()
  const backend = tf.backend() as unknown as WasmBackend
  const shape: [number, number, number, number] = [8, 56, 56, 64]
  const random = (of: [number, number, number, number], seed: number): tf.Tensor4D => tf.randomNormal(of, 0, 1, 'float32', seed)
  const [x, dy] = [random(shape, 1), random(shape, 2)]
  const half = random([8, 28, 28, 64], 3)
  const pooled = tf.maxPool(x, 2, 2, 'valid')
  const filter = random([3, 3, 64, 64], 4)
  const depthwise = random([3, 3, 64, 1], 5)
  markFrozen(filter)
  const around = { top: 1, bottom: 1, left: 1, right: 1 }
  const after = { top: 0, bottom: 1, left: 0, right: 1 }
  const pool = { filterSize: [2, 2], strides: [2, 2], pad: 'valid' }

  function both(name: string, inputs: object, attrs: object): Work {
    const call = (kernel: ReturnType<typeof stockKernel>) => (): void => {
      const out = kernel({ inputs: inputs as tf.NamedTensorInfoMap, attrs: attrs as tf.NamedAttrMap, backend })
      for (const info of Array.isArray(out) ? out : [out]) backend.disposeData(info.dataId)
    }
    return { stock: call(stockKernel(name)), ours: call(tf.getKernel(name, 'wasm').kernelFunc) }
  }
  const composed = (f: () => void) => (): void => void tf.tidy(f)
  const rows: Record<string, Work> = {
    'max pooling 2×2, gradient': both('MaxPoolGrad', { dy: half, input: x, output: pooled }, pool),
    'average pooling 2×2, gradient': both('AvgPoolGrad', { dy: half, input: x }, pool),
    'joining channels': both('Concat', [x, dy], { axis: 3 }),
    'cutting out half the channels': both('Slice', { x }, { begin: [0, 0, 0, 0], size: [8, 56, 56, 32] }),
    'saving a tensor (Identity)': both('Identity', { x }, {}),
    'relu6, gradient': {
      stock: composed(() => tf.mul(dy, tf.mul(tf.cast(tf.lessEqual(x, 6), 'float32'), tf.step(x)))),
      ours: () => void backend.disposeData(reluGradient(backend, dy, x, 6).dataId),
    },
    'convolution 3×3 stride 2, input gradient': {
      ...both('Conv2DBackpropInput', { dy: half, filter }, { strides: [2, 2], pad: toExplicitPadding(after), dataFormat: 'NHWC', inputShape: shape }),
      ours: () => conv2dInputGradient(half, filter, shape, [2, 2], after).dispose(),
      forward: () => tf.conv2d(x, filter, 2, toExplicitPadding(after)).dispose(),
    },
    'depthwise 3×3, input gradient': {
      ours: () => depthwiseConv2dInputGradient(dy, depthwise, shape, [1, 1], around).dispose(),
      forward: () => tf.depthwiseConv2d(x, depthwise, 1, toExplicitPadding(around)).dispose(),
    },
    'depthwise 3×3 stride 2, input gradient': {
      ours: () => depthwiseConv2dInputGradient(half, depthwise, shape, [2, 2], after).dispose(),
      forward: () => tf.depthwiseConv2d(x, depthwise, 2, toExplicitPadding(after)).dispose(),
    },
    'depthwise 3×3, filter gradient': {
      ours: () => depthwiseConv2dFilterGradient(x, dy, depthwise.shape, [1, 1], around).dispose(),
      forward: () => tf.depthwiseConv2d(x, depthwise, 1, toExplicitPadding(around)).dispose(),
    },
  }
  const milliseconds: Record<string, object> = {}
  for (const [name, work] of Object.entries(rows)) {
    const measured = await medians(work)
    milliseconds[name] = Object.fromEntries(Object.entries(measured).map(([k, v]) => [k, rounded(v)]))
  }
  releaseFrozen(filter)
  tf.dispose([x, dy, half, pooled, filter, depthwise])
  return { backend: 'wasm', milliseconds }
}

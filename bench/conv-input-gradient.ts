import * as tf from '@tensorflow/tfjs-core'
import { markFrozen, releaseFrozen } from '#engine/backend/frozen.ts'
import { conv2dInputGradient } from '#engine/backend/gradients.ts'
import { toExplicitPadding } from '#engine/backend/padding.ts'
import { stockKernel } from '#engine/backend/stock.ts'
import { initWasm } from '#engine/backend/wasm.ts'
import { medians, rounded } from './timing.ts'

/**
 * The input gradient of a 3×3 convolution [8, 56, 56, 64] → 64 with a frozen filter on WASM: ours, TF.js's own, and the
 * forward convolution, in turns in one process.
 */
export async function run(): Promise<object> {
  await initWasm()
  const shape: [number, number, number, number] = [8, 56, 56, 64]
  const pads = { top: 1, bottom: 1, left: 1, right: 1 }
  const padding = toExplicitPadding(pads)
  const x = tf.randomNormal<tf.Rank.R4>(shape, 0, 1, 'float32', 1)
  const dy = tf.randomNormal<tf.Rank.R4>(shape, 0, 1, 'float32', 2)
  const filter = tf.randomNormal<tf.Rank.R4>([3, 3, 64, 64], 0, 0.05, 'float32', 3)
  markFrozen(filter)
  const stock = stockKernel('Conv2DBackpropInput')
  const attrs = { strides: [1, 1], pad: padding, dataFormat: 'NHWC', inputShape: shape } as unknown as tf.NamedAttrMap
  const milliseconds = await medians({
    forward: () => tf.conv2d(x, filter, 1, padding).dispose(),
    ours: () => conv2dInputGradient(dy, filter, shape, [1, 1], pads).dispose(),
    stock: () => {
      const info = stock({ inputs: { dy, filter }, attrs, backend: tf.backend() }) as tf.TensorInfo
      tf.backend().disposeData(info.dataId)
    },
  })
  releaseFrozen(filter)
  tf.dispose([x, dy, filter])
  return {
    backend: 'wasm',
    milliseconds: {
      forward: rounded(milliseconds.forward), ours: rounded(milliseconds.ours), stock: rounded(milliseconds.stock),
    },
    ratioToStock: rounded(milliseconds.stock / milliseconds.ours),
    ratioToForward: rounded(milliseconds.ours / milliseconds.forward),
  }
}

import * as tf from '@tensorflow/tfjs-core'
import { conv2dFilterGradient } from '#engine/backend/gradients.ts'
import { toExplicitPadding } from '#engine/backend/padding.ts'
import { initWasm } from '#engine/backend/wasm.ts'
import { medians, rounded } from './timing.ts'

/** The filter gradient of a 3×3 convolution [8, 56, 56, 64] → 64 on WASM, against the forward convolution, in turns. */
export async function run(): Promise<object> {
  await initWasm()
  const shape: [number, number, number, number] = [8, 56, 56, 64]
  const pads = { top: 1, bottom: 1, left: 1, right: 1 }
  const x = tf.randomNormal<tf.Rank.R4>(shape, 0, 1, 'float32', 1)
  const dy = tf.randomNormal<tf.Rank.R4>(shape, 0, 1, 'float32', 2)
  const filter = tf.randomNormal<tf.Rank.R4>([3, 3, 64, 64], 0, 0.05, 'float32', 3)
  const milliseconds = await medians({
    forward: () => tf.conv2d(x, filter, 1, toExplicitPadding(pads)).dispose(),
    ours: () => conv2dFilterGradient(x, dy, filter.shape, [1, 1], pads).dispose(),
  })
  tf.dispose([x, dy, filter])
  return {
    backend: 'wasm',
    milliseconds: { forward: rounded(milliseconds.forward), ours: rounded(milliseconds.ours) },
    ratioToForward: rounded(milliseconds.ours / milliseconds.forward),
  }
}

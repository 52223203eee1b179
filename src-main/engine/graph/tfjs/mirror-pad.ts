import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'

/**
 * The adjoint of mirror padding: what was mirrored outside is added back inside. (TF.js's own gradient drops it.)
 * @param shape of the padded operation's input
 */
export function mirrorPadGradient(dy: Tensor, shape: readonly number[], paddings: readonly [number, number][], mode: 'reflect' | 'symmetric'): Tensor {
  return tf.tidy(() => {
    let gradient = tf.clone(dy)
    paddings.forEach(([before, after], axis) => {
      if (before === 0 && after === 0) return
      const n = shape[axis]!
      const skip = mode === 'reflect' ? 1 : 0
      const part = (begin: number, length: number): Tensor => {
        const from = gradient.shape.map((_, i) => (i === axis ? begin : 0))
        const size = gradient.shape.map((m, i) => (i === axis ? length : m))
        return tf.slice(gradient, from, size)
      }
      const placed = (edge: Tensor, begin: number, length: number): Tensor =>
        tf.pad(tf.reverse(edge, axis), gradient.shape.map((_, i): [number, number] => (i === axis ? [begin, n - begin - length] : [0, 0])))
      let sum = part(before, n)
      if (before > 0) sum = tf.add(sum, placed(part(0, before), skip, before))
      if (after > 0) sum = tf.add(sum, placed(part(before + n, after), n - skip - after, after))
      gradient = sum
    })
    return gradient
  })
}

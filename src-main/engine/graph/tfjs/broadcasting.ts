import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { run } from './kernels.ts'
import { sumOver } from './sums.ts'

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i])
}

/**
 * x broadcast to `shape`, as in NumPy.
 * @returns a tensor of its own
 */
export function expandedTo(x: Tensor, shape: readonly number[]): Tensor {
  if (sameShape(x.shape, shape)) return tf.clone(x)
  const own = [...new Array<number>(shape.length - x.rank).fill(1), ...x.shape]
  // by multiplication with ones: stock WASM Tile is slow, and lacks ranks
  return tf.tidy(() => run('Multiply', { a: x, b: tf.ones(shape.map((n, i) => (n === own[i] ? 1 : n))) }))
}

/**
 * The adjoint of broadcasting: dy summed to `shape`.
 * @returns a tensor of its own
 */
export function summedTo(dy: Tensor, shape: readonly number[]): Tensor {
  if (sameShape(dy.shape, shape)) return tf.clone(dy)
  const extra = dy.rank - shape.length
  const axes = dy.shape.map((_, i) => i).filter((i) => i < extra || (shape[i - extra] === 1 && dy.shape[i] !== 1))
  return tf.tidy(() => tf.reshape(axes.length > 0 ? sumOver(dy, axes, false) : dy, [...shape]))
}

import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { run } from './kernels.ts'

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1)

/**
 * The mean over some axes.
 * @param axes ascending, at least one
 */
export function meanOver(x: Tensor, axes: readonly number[], keepDims: boolean): Tensor {
  const pooled = tf.getBackend() === 'wasm' ? pooledMean(x, axes) : null
  if (!pooled) return tf.mean(x, [...axes], keepDims)
  const shape = keepDims ? x.shape.map((n, i) => (axes.includes(i) ? 1 : n)) : x.shape.filter((_, i) => !axes.includes(i))
  const shaped = run('Reshape', { x: pooled }, { shape })
  pooled.dispose()
  return shaped
}

/** The sum over some axes, likewise. */
export function sumOver(x: Tensor, axes: readonly number[], keepDims: boolean): Tensor {
  if (tf.getBackend() !== 'wasm' || !isRun(x, axes)) return tf.sum(x, [...axes], keepDims)
  return tf.tidy(() => tf.mul(meanOver(x, axes, keepDims), product(axes.map((axis) => x.shape[axis]!))))
}

/** Axes next to each other, with others behind them: stock WASM brings them to the end first, which takes ten times as long. */
function isRun(x: Tensor, axes: readonly number[]): boolean {
  const first = axes[0]!
  const next = first + axes.length
  return x.dtype === 'float32' && axes.every((axis, i) => axis === first + i) && product(x.shape.slice(next)) > 1 && product(x.shape.slice(first, next)) > 1
}

/** Such axes are the rows of images of one column, and their mean is an average pool. */
function pooledMean(x: Tensor, axes: readonly number[]): Tensor | null {
  if (!isRun(x, axes) || x.size === 0) return null
  const [first, next] = [axes[0]!, axes[0]! + axes.length]
  const rows = product(x.shape.slice(first, next))
  const columns = run('Reshape', { x }, { shape: [product(x.shape.slice(0, first)), rows, 1, product(x.shape.slice(next))] })
  const mean = run('AvgPool', { x: columns }, { filterSize: [rows, 1], strides: [1, 1], pad: 'valid' })
  columns.dispose()
  return mean
}

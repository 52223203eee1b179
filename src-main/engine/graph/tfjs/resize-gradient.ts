import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { NodeOf, Weight } from '../graph.ts'
import { resizeMatrix } from '../resize-matrix.ts'

type Resize = Pick<NodeOf<'resize'>, 'method' | 'alignCorners' | 'halfPixelCenters' | 'shape'>

/**
 * The adjoint of a resize, by the two interpolation matrices: exact for every convention. (TF.js's gradient kernels
 * ignore half-pixel centres.)
 * @param shape [n, height, width, channels] of the resize's input
 */
export function resizeGradient(dy: Tensor, shape: readonly number[], node: Resize): Tensor {
  const [n, height, width, channels] = shape as [number, number, number, number]
  const [outHeight, outWidth] = [node.shape[1]!, node.shape[2]!]
  return tf.tidy(() => {
    const rows = matrixOf(resizeMatrix(height, outHeight, node))
    const columns = matrixOf(resizeMatrix(width, outWidth, node))
    const down = tf.matMul(broadcastRows(rows, n), tf.reshape(dy, [n, outHeight, outWidth * channels]))
    const across = tf.matMul(broadcastRows(columns, n * height), tf.reshape(down, [n * height, outWidth, channels]))
    return tf.reshape(across, [n, height, width, channels])
  })
}

function broadcastRows(matrix: tf.Tensor2D, count: number): tf.Tensor3D {
  return tf.tile(tf.expandDims(matrix, 0) as tf.Tensor3D, [count, 1, 1])
}

const matrixOf = ({ shape, data }: Weight): tf.Tensor2D => tf.tensor2d(data, shape as [number, number])

import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { NodeOf } from '../graph.ts'

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
    const rows = adjointMatrix(height, outHeight, node)
    const columns = adjointMatrix(width, outWidth, node)
    const down = tf.matMul(broadcastRows(rows, n), tf.reshape(dy, [n, outHeight, outWidth * channels]))
    const across = tf.matMul(broadcastRows(columns, n * height), tf.reshape(down, [n * height, outWidth, channels]))
    return tf.reshape(across, [n, height, width, channels])
  })
}

function broadcastRows(matrix: tf.Tensor2D, count: number): tf.Tensor3D {
  return tf.tile(tf.expandDims(matrix, 0) as tf.Tensor3D, [count, 1, 1])
}

/** [inputs, outputs]: the share of input i in output o, as TF.js's kernels compute it. */
function adjointMatrix(inputs: number, outputs: number, node: Resize): tf.Tensor2D {
  const matrix = new Float32Array(inputs * outputs)
  const aligned = node.alignCorners && outputs > 1
  const scale = aligned ? (inputs - 1) / (outputs - 1) : inputs / outputs
  const last = inputs - 1
  for (let o = 0; o < outputs; o++) {
    if (node.method === 'nearest') {
      const at = node.halfPixelCenters ? (o + 0.5) * scale : o * scale
      const index = Math.min(last, node.alignCorners ? Math.round(at) : Math.floor(at))
      matrix[index * outputs + o] = 1
    } else {
      const at = node.halfPixelCenters ? (o + 0.5) * scale - 0.5 : o * scale
      const low = Math.max(0, Math.floor(at))
      const high = Math.min(last, Math.ceil(at))
      const share = at - low
      matrix[low * outputs + o]! += 1 - share
      matrix[high * outputs + o]! += share
    }
  }
  return tf.tensor2d(matrix, [inputs, outputs])
}

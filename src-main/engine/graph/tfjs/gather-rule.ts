import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { run } from './kernels.ts'
import type { Rule } from './rule.ts'

export const gather: Rule<'gather'> = {
  forward: ({ node, inputs: [x] }) => taken(x!, node.indices, node.axis),
  backward: ({ node, dy, inputShapes }) => [scattered(dy, node.indices, node.axis, inputShapes[0]![node.axis]!)],
}

function taken(x: Tensor, indices: readonly number[], axis: number): Tensor {
  return tf.tidy(() => tf.gather(x, tf.tensor1d([...indices], 'int32'), axis))
}

/** Past so many uses of one element a matrix product adds them up. */
const manyTimes = 8

/**
 * The adjoint: what was taken goes back to where it came from, and what was taken several times is added up. Gathers
 * again, once per time: exact on every backend, of which WASM has no scattering of rows.
 */
function scattered(dy: Tensor, indices: readonly number[], axis: number, size: number): Tensor {
  const uses = Array.from({ length: size }, () => [] as number[])
  indices.forEach((from, to) => uses[from]!.push(to))
  const times = Math.max(...uses.map((u) => u.length))
  if (times > manyTimes) return multipliedBack(dy, indices, axis, size)
  return tf.tidy(() => {
    const unused = uses.some((u) => u.length < times)
    // elements used less often take a zero from past the end
    const padded = unused ? run('PadV2', { x: dy }, { paddings: dy.shape.map((_, i) => [0, i === axis ? 1 : 0]), constantValue: 0 }) : dy
    const parts = Array.from({ length: times }, (_, time) => taken(padded, uses.map((u) => u[time] ?? indices.length), axis))
    return parts.reduce((sum, part) => tf.add(sum, part))
  })
}

function multipliedBack(dy: Tensor, indices: readonly number[], axis: number, size: number): Tensor {
  const [outer, inner] = [dy.shape.slice(0, axis), dy.shape.slice(axis + 1)]
  const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)
  return tf.tidy(() => {
    const share = new Float32Array(size * indices.length)
    indices.forEach((from, to) => (share[from * indices.length + to] = 1))
    const rows = tf.reshape(dy, [product(outer), indices.length, product(inner)])
    // the matrix stands first: TF.js broadcasts it over the batch
    const summed = tf.matMul(tf.tensor3d(share, [1, size, indices.length]), rows as tf.Tensor3D)
    return tf.reshape(summed, [...outer, size, ...inner])
  })
}

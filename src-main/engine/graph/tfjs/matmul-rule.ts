import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { broadcast } from '../shapes.ts'
import { expandedTo, sameShape, summedTo } from './broadcasting.ts'
import type { Rule } from './rule.ts'

export const matmul: Rule<'matmul'> = {
  forward: ({ node, inputs: [a, b] }) => tf.tidy(() => multiplied(a!, b!, node.transposeA, node.transposeB)),
  keeps: () => ({ inputs: true }),
  backward: ({ node: { transposeA, transposeB }, dy, inputs: [a, b], wanted }) => [
    !wanted[0] ? null : tf.tidy(() => summedTo(transposeA ? multiplied(b!, dy, transposeB, true) : multiplied(dy, b!, false, !transposeB), a!.shape)),
    !wanted[1] ? null : tf.tidy(() => summedTo(transposeB ? multiplied(dy, a!, true, transposeA) : multiplied(a!, dy, !transposeA, false), b!.shape)),
  ],
}

/** Matrices over the last two dimensions, the others broadcast; TF.js mixes them up unless they are alike. */
function multiplied(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor {
  const [outerA, outerB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)]
  if (sameShape(outerA, outerB)) return tf.matMul(a, b, transposeA, transposeB)
  const outer = broadcast(outerA, outerB)
  const alike = (x: Tensor): Tensor => expandedTo(x, [...outer, ...x.shape.slice(-2)])
  return tf.matMul(alike(a), alike(b), transposeA, transposeB)
}

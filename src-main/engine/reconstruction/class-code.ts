import { tensor2d, type Tensor2D } from '@tensorflow/tfjs-core'

/**
 * Classes as a generator is told them: 1 at the place of the class, else 0. Not by TF.js's oneHot: on WASM it gives whole numbers, whatever
 * type is asked for, and what takes them for floats reads zeros.
 * @returns [count, known]
 */
export function classCode(classes: ArrayLike<number>, known: number): Tensor2D {
  const code = new Float32Array(classes.length * known)
  for (let i = 0; i < classes.length; i++) code[i * known + classes[i]!] = 1
  return tensor2d(code, [classes.length, known])
}

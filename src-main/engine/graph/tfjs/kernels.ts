import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core'
import { engine } from '@tensorflow/tfjs-core'
import type { Pads } from '../graph.ts'

/** Runs a TF.js kernel with one output, past the checks that its public functions repeat at every call. */
export function run(kernel: string, inputs: Record<string, Tensor | undefined>, attributes: Record<string, unknown> = {}): Tensor {
  // undefined inputs are how TF.js itself passes an absent bias
  return engine().runKernel(kernel, inputs as unknown as NamedTensorMap, attributes as never) as Tensor
}

/** TF.js's form of explicit pads. */
export function explicit(pads: Pads): [number, number][] {
  return [[0, 0], [pads.top, pads.bottom], [pads.left, pads.right], [0, 0]]
}

import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { GraphNode, Weight } from '../graph.ts'
import { registerActivationGradient } from './activation-gradient.ts'
import { disposeAll, forwardPass, planPasses, valuesOf } from './passes.ts'
import { createWeightStore } from './weight-store.ts'

/**
 * Runs nodes with any number of inputs and outputs, once, on the active TF.js backend: for checks of single operations.
 * @param nodes in topological order, with shapes that hold numbers only, no batch
 * @param inputs values of the input nodes, by name
 * @param outputs names of nodes
 * @returns their values, in the order asked for
 */
export async function runProgram(nodes: readonly GraphNode[], inputs: ReadonlyMap<string, Float32Array>, outputs: readonly string[]): Promise<Weight[]> {
  registerActivationGradient()
  const steps = planPasses(nodes, outputs, null)
  const weights = createWeightStore()
  const values: (Tensor | null)[] = []
  try {
    forwardPass(steps, weights, 1, values, ({ name, shape }) => {
      const data = inputs.get(name)
      if (!data) throw new Error(`the input ${name} has no values`)
      return tf.tensor(data, [...shape], 'float32')
    })
    const found: Weight[] = []
    for (const name of outputs) {
      const tensor = values[nodes.findIndex((n) => n.name === name)]
      if (!tensor) throw new Error(`there is no node ${name}`)
      found.push({ shape: tensor.shape, data: Float32Array.from(await valuesOf(tensor)) })
    }
    return found
  } finally {
    disposeAll(values)
    weights.dispose()
  }
}

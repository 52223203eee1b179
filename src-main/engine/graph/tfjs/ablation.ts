import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Cut } from '../cut.ts'
import { joined } from '../joined.ts'
import { expandedTo } from './broadcasting.ts'
import { disposeAll, forwardPass, planPasses, valuesOf } from './passes.ts'
import type { WeightStore } from './weight-store.ts'

/**
 * Logits of one image with single channels of a layer put to zero, a row per channel.
 * @param image the input node's tensor, for one image; becomes the pass's own
 * @param most rows that go through the part behind the layer at once
 */
export async function ablatedLogits(cut: Cut, output: string, weights: WeightStore, image: () => Tensor, channels: readonly number[], most: number): Promise<Float32Array> {
  const before: (Tensor | null)[] = []
  const rows: Float32Array[] = []
  const index = new Map(cut.before.map((node, i) => [node.name, i]))
  const steps = planPasses(cut.behind, [output], null)
  const last = cut.behind.findIndex((node) => node.name === output)
  try {
    forwardPass(planPasses(cut.before, cut.handed, null), weights, 1, before, image)
    const chunk = cut.apart ? most : 1
    for (let from = 0; from < channels.length; from += chunk) {
      const own = channels.slice(from, from + chunk)
      const values: (Tensor | null)[] = []
      try {
        forwardPass(steps, weights, own.length, values, ({ name, shape }) => {
          const value = before[index.get(name)!]!
          if (name === cut.handed[0]) return without(value, own, cut.channels)
          return expandedTo(value, shape.map((n, i) => (n === -1 && i === 0 ? own.length : value.shape[i]!)))
        })
        rows.push(Float32Array.from(await valuesOf(values[last]!)))
      } finally {
        disposeAll(values)
      }
    }
    return joined(rows)
  } finally {
    disposeAll(before)
  }
}

/** One copy per channel, with that channel zero. */
function without(value: Tensor, channels: readonly number[], of: number): Tensor {
  const shown = new Float32Array(channels.length * of).fill(1)
  channels.forEach((channel, i) => (shown[i * of + channel] = 0))
  return tf.tidy(() => tf.mul(value, tf.tensor(shown, [channels.length, ...new Array<number>(value.rank - 2).fill(1), of])))
}

import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { NodeOf } from '../graph.ts'
import { hasPads } from '../graph.ts'
import { explicit, run } from './kernels.ts'
import type { Rule } from './rule.ts'

function attributes(node: NodeOf<'pool'>, padded: boolean): Record<string, unknown> {
  const pad = padded ? explicit(node.pads) : explicit({ top: 0, bottom: 0, left: 0, right: 0 })
  return { filterSize: [...node.size], strides: [...node.strides], pad }
}

/** Averages that count the padding are valid averages of the padded image. */
const paddedFirst = (node: NodeOf<'pool'>): boolean => node.kind === 'average' && node.countPadding && hasPads(node.pads)

/**
 * The gradient of averages over windows that padding cuts: the forward divides by the pixels inside, and TF.js's gradient
 * by the whole window (our WASM kernel excepted).
 */
function cutWindowGradient(node: NodeOf<'pool'>, dy: Tensor, input: Tensor): Tensor {
  return tf.tidy(() => {
    const [, height, width] = input.shape as [number, number, number, number]
    const ones = withPads(tf.ones([1, height, width, 1]), node)
    // the share of each window that lies inside
    const inside = run('AvgPool', { x: ones }, attributes(node, false))
    const summed = run('AvgPoolGrad', { dy: tf.div(dy, inside), input: withPads(input, node) }, attributes(node, false))
    return run('Slice', { x: summed }, { begin: [0, node.pads.top, node.pads.left, 0], size: [...input.shape] })
  })
}

const withPads = (x: Tensor, node: NodeOf<'pool'>): Tensor => run('PadV2', { x }, { paddings: explicit(node.pads), constantValue: 0 })

export const pool: Rule<'pool'> = {
  forward({ node, inputs: [x] }) {
    if (node.kind === 'max') return run('MaxPool', { x: x! }, attributes(node, true))
    if (!paddedFirst(node)) return run('AvgPool', { x: x! }, attributes(node, true))
    return tf.tidy(() => run('AvgPool', { x: withPads(x!, node) }, attributes(node, false)))
  },
  keeps: (node) => (node.kind === 'max' ? { inputs: true, output: true } : { inputs: true }),
  backward({ node, dy, inputs, output, inputShapes }) {
    const [input] = inputs
    if (node.kind === 'max') return [run('MaxPoolGrad', { dy, input: input!, output }, attributes(node, true))]
    if (!paddedFirst(node)) {
      if (hasPads(node.pads) && tf.getBackend() !== 'wasm') return [cutWindowGradient(node, dy, input!)]
      return [run('AvgPoolGrad', { dy, input: input! }, attributes(node, true))]
    }
    return [
      tf.tidy(() => {
        const padded = run('AvgPoolGrad', { dy, input: withPads(input!, node) }, attributes(node, false))
        return run('Slice', { x: padded }, { begin: [0, node.pads.top, node.pads.left, 0], size: [...inputShapes[0]!] })
      }),
    ]
  },
}

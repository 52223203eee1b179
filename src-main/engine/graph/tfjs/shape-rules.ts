import * as tf from '@tensorflow/tfjs-core'
import type { NodeOf } from '../graph.ts'
import { expandedTo, summedTo } from './broadcasting.ts'
import { run } from './kernels.ts'
import { mirrorPadGradient } from './mirror-pad.ts'
import { resizeGradient } from './resize-gradient.ts'
import type { Rule } from './rule.ts'

export const reshape: Rule<'reshape'> = {
  forward: ({ inputs: [x], shape }) => run('Reshape', { x: x! }, { shape: [...shape] }),
  backward: ({ dy, inputShapes }) => [run('Reshape', { x: dy }, { shape: [...inputShapes[0]!] })],
}

export const transpose: Rule<'transpose'> = {
  forward: ({ node, inputs: [x] }) => run('Transpose', { x: x! }, { perm: [...node.permutation] }),
  backward({ node, dy }) {
    const inverse: number[] = []
    node.permutation.forEach((from, to) => (inverse[from] = to))
    return [run('Transpose', { x: dy }, { perm: inverse })]
  },
}

const paddingsOf = (node: NodeOf<'pad'>): [number, number][] => node.paddings.map(([before, after]) => [before, after])

export const pad: Rule<'pad'> = {
  forward({ node, inputs: [x] }) {
    const paddings = paddingsOf(node)
    if (node.mode === 'constant') return run('PadV2', { x: x! }, { paddings, constantValue: node.value })
    return tf.mirrorPad(x!, paddings, node.mode)
  },
  backward({ node, dy, inputShapes }) {
    if (node.mode !== 'constant') return [mirrorPadGradient(dy, inputShapes[0]!, paddingsOf(node), node.mode)]
    return [run('Slice', { x: dy }, { begin: node.paddings.map(([before]) => before), size: [...inputShapes[0]!] })]
  },
}

export const slice: Rule<'slice'> = {
  forward: ({ node, inputs: [x], shape }) => run('Slice', { x: x! }, { begin: [...node.begin], size: [...shape] }),
  backward({ node, dy, inputShapes }) {
    const paddings = inputShapes[0]!.map((n, i) => [node.begin[i]!, n - node.begin[i]! - dy.shape[i]!])
    return [run('PadV2', { x: dy }, { paddings, constantValue: 0 })]
  },
}

export const reverse: Rule<'reverse'> = {
  forward: ({ node, inputs: [x] }) => tf.reverse(x!, [...node.axes]),
  backward: ({ node, dy }) => [tf.reverse(dy, [...node.axes])],
}

export const expand: Rule<'expand'> = {
  forward: ({ inputs: [x], shape }) => expandedTo(x!, shape),
  backward: ({ dy, inputShapes }) => [summedTo(dy, inputShapes[0]!)],
}

export const concat: Rule<'concat'> = {
  forward: ({ node, inputs }) => tf.concat([...inputs], node.axis),
  backward({ node, dy, inputShapes, wanted }) {
    let start = 0
    return inputShapes.map((shape, i) => {
      const begin = shape.map((_, axis) => (axis === node.axis ? start : 0))
      start += shape[node.axis]!
      return wanted[i] ? run('Slice', { x: dy }, { begin, size: [...shape] }) : null
    })
  },
}

export const resize: Rule<'resize'> = {
  forward({ node, inputs: [x] }) {
    const size: [number, number] = [node.shape[1]!, node.shape[2]!]
    const f = node.method === 'bilinear' ? tf.image.resizeBilinear : tf.image.resizeNearestNeighbor
    return f(x as tf.Tensor4D, size, node.alignCorners, node.halfPixelCenters)
  },
  backward: ({ node, dy, inputShapes }) => [resizeGradient(dy, inputShapes[0]!, node)],
}

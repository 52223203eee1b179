import type { NodeOf, Weight } from './graph.ts'

/**
 * The share of input i in output o of a resize along one axis, [inputs, outputs], as TF.js's kernels compute it: its
 * product with a gradient on the outputs is the gradient on the inputs, exact for every convention.
 */
export function resizeMatrix(inputs: number, outputs: number, resize: Pick<NodeOf<'resize'>, 'method' | 'alignCorners' | 'halfPixelCenters'>): Weight {
  const { method, alignCorners, halfPixelCenters } = resize
  const matrix = new Float32Array(inputs * outputs)
  const last = inputs - 1
  const scale = alignCorners && outputs > 1 ? last / (outputs - 1) : inputs / outputs
  for (let o = 0; o < outputs; o++) {
    if (method === 'nearest') {
      const at = halfPixelCenters ? (o + 0.5) * scale : o * scale
      matrix[Math.min(last, alignCorners ? Math.round(at) : Math.floor(at)) * outputs + o] = 1
    } else {
      const at = halfPixelCenters ? (o + 0.5) * scale - 0.5 : o * scale
      const low = Math.max(0, Math.floor(at))
      const high = Math.min(last, Math.ceil(at))
      const share = at - low
      matrix[low * outputs + o]! += 1 - share
      matrix[high * outputs + o]! += share
    }
  }
  return { shape: [inputs, outputs], data: matrix }
}

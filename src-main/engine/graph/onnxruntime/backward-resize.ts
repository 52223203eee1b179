import type { NodeOf } from '../graph.ts'

type Convention = Pick<NodeOf<'resize'>, 'method' | 'alignCorners' | 'halfPixelCenters'>

/**
 * The share of input i in output o along one axis, as TF.js's kernels compute it.
 * @param layout which of the two is the matrix's row
 */
export function resizeMatrix(inputs: number, outputs: number, convention: Convention, layout: 'inputs first' | 'outputs first'): Float32Array {
  const { method, alignCorners, halfPixelCenters } = convention
  const matrix = new Float32Array(inputs * outputs)
  const last = inputs - 1
  const scale = alignCorners && outputs > 1 ? last / (outputs - 1) : inputs / outputs
  const add = (i: number, o: number, share: number): void => {
    matrix[layout === 'inputs first' ? i * outputs + o : o * inputs + i]! += share
  }
  for (let o = 0; o < outputs; o++) {
    if (method === 'nearest') {
      const at = halfPixelCenters ? (o + 0.5) * scale : o * scale
      add(Math.min(last, alignCorners ? Math.round(at) : Math.floor(at)), o, 1)
      continue
    }
    const at = halfPixelCenters ? (o + 0.5) * scale - 0.5 : o * scale
    const low = Math.max(0, Math.floor(at))
    const high = Math.min(last, Math.ceil(at))
    add(low, o, 1 - (at - low))
    add(high, o, at - low)
  }
  return matrix
}

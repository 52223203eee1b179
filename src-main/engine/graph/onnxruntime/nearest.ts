import type { NodeOf } from '../graph.ts'

/** Which pixel of so many inputs each of so many outputs takes, as TF.js rounds. */
export function nearestIndices(inputs: number, outputs: number, node: Pick<NodeOf<'resize'>, 'alignCorners' | 'halfPixelCenters'>): number[] {
  const scale = node.alignCorners && outputs > 1 ? (inputs - 1) / (outputs - 1) : inputs / outputs
  return Array.from({ length: outputs }, (_, o) => {
    const at = (node.halfPixelCenters ? o + 0.5 : o) * scale
    return Math.min(inputs - 1, node.alignCorners ? Math.round(at) : Math.floor(at))
  })
}

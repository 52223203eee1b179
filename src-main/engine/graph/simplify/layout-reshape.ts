import type { Shape } from '../graph.ts'
import { find, inputOf, onlyConsumer, replace, supplant } from './draft.ts'
import type { Rewrite } from './rewrite.ts'

/** Stands for the batch in products of sizes: no real size is a multiple of it. */
const batch = 1_000_003

/** A run of axes before a reshape and the run after it that holds the same elements. */
interface Segment {
  readonly from: number[]
  readonly to: number[]
}

/**
 * Transpose, reshape, transpose: where the second one moves whole runs of axes that the reshape joins or splits, it is done with the
 * first, and the elements move once.
 */
export const transposeBeforeReshape: Rewrite = (draft, node) => {
  if (node.op !== 'transpose') return false
  const reshape = inputOf(draft, node)
  if (reshape.op !== 'reshape' || onlyConsumer(draft, reshape.name) !== node) return false
  const first = inputOf(draft, reshape)
  if (first.op !== 'transpose' || onlyConsumer(draft, first.name) !== reshape) return false
  const order = movedSegments(segmentsOf(first.shape, reshape.shape), node.permutation)
  if (order === null) return false
  const shape = order.map((axis) => first.shape[axis]!)
  supplant(draft, first, { op: 'transpose', permutation: order.map((axis) => first.permutation[axis]!) }, first.inputs)
  replace(draft, { ...find(draft, first.name), shape })
  supplant(draft, node, { op: 'reshape' }, [first.name])
  return true
}

/** The order of the axes before the reshape that has its segments as the permutation has them after it; null where it tears one apart. */
function movedSegments(segments: readonly Segment[], permutation: readonly number[]): number[] | null {
  const order: number[] = []
  for (let i = 0; i < permutation.length; ) {
    const segment = segments.find((s) => s.to[0] === permutation[i])
    if (!segment || segment.to.some((axis, k) => permutation[i + k] !== axis)) return null
    order.push(...segment.from)
    i += segment.to.length
  }
  return order.length === segments.reduce((sum, s) => sum + s.from.length, 0) ? order : null
}

function segmentsOf(before: Shape, after: Shape): Segment[] {
  const size = (n: number): number => (n < 0 ? -n * batch : n)
  const segments: Segment[] = []
  for (let i = 0, j = 0; i < before.length || j < after.length; ) {
    const segment: Segment = { from: [], to: [] }
    let a = 1
    let b = 1
    do {
      if (j >= after.length || (i < before.length && a <= b)) {
        a *= size(before[i] ?? 0)
        segment.from.push(i++)
      } else {
        b *= size(after[j]!)
        segment.to.push(j++)
      }
    } while ((a !== b || segment.to.length === 0 || segment.from.length === 0) && (i < before.length || j < after.length))
    if (a !== b) return []
    segments.push(segment)
  }
  return segments
}

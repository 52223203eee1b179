import type { GraphNode, NodeOf, Operation, Pads } from '../graph.ts'
import type { Draft } from './draft.ts'
import { find, fuse, inputOf, onlyConsumer, operationOf } from './draft.ts'
import type { Rewrite } from './rewrite.ts'

/** An explicit padding of the image becomes the pads of the convolution or pool after it. */
export const mergePads: Rewrite = (draft, node) => {
  if (node.op !== 'pad' || node.mode !== 'constant' || node.paddings.length !== 4) return false
  const next = onlyConsumer(draft, node.name)
  if (!next || (next.op !== 'conv2d' && next.op !== 'depthwiseConv2d' && next.op !== 'pool')) return false
  const [batch, vertical, horizontal, channels] = node.paddings
  if (node.paddings.flat().some((n) => n < 0) || [...batch!, ...channels!].some((n) => n !== 0)) return false
  const pads: Pads = {
    top: next.pads.top + vertical![0], bottom: next.pads.bottom + vertical![1],
    left: next.pads.left + horizontal![0], right: next.pads.right + horizontal![1],
  }
  const merged = next.op === 'pool' ? paddedPool(draft, node, next, pads) : node.value === 0 && !next.padValue ? ({ ...operationOf(next), pads } as Operation) : null
  if (!merged) return false
  fuse(draft, node, next, merged)
  return true
}

/** A maximum does not see zeros beside what is never negative; an average counts them where it counts its own. */
function paddedPool(draft: Draft, node: NodeOf<'pad'>, pool: NodeOf<'pool'>, pads: Pads): Operation | null {
  const own = Object.values(pool.pads).some((n) => n !== 0)
  const fits = Math.max(pads.top, pads.bottom) < pool.size[0] && Math.max(pads.left, pads.right) < pool.size[1]
  if (!fits) return null
  if (pool.kind === 'average') return node.value === 0 && (!own || pool.countPadding) ? { ...(operationOf(pool) as typeof pool), pads, countPadding: true } : null
  const unseen = node.value <= -3.4e38 || (node.value === 0 && isNonNegative(draft, inputOf(draft, node)))
  return unseen ? { ...(operationOf(pool) as typeof pool), pads } : null
}

/** Whether a node's values are never below zero. */
function isNonNegative(draft: Draft, node: GraphNode): boolean {
  switch (node.op) {
    case 'unary':
      return node.function.kind === 'relu' || node.function.kind === 'sigmoid' || node.function.kind === 'hardSigmoid'
    case 'pool':
    case 'reshape':
    case 'transpose':
    case 'concat':
      return node.inputs.every((name) => isNonNegative(draft, find(draft, name)))
    default:
      return false
  }
}

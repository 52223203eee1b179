import type { GraphNode } from '../graph.ts'
import type { Draft } from './draft.ts'

/** One rewrite around a node; returns whether it did anything. */
export type Rewrite = (draft: Draft, node: GraphNode) => boolean

/** Applies the rewrites until none does anything more; returns how often each did. */
export function rewriteAll(draft: Draft, rewrites: readonly Rewrite[]): number[] {
  const counts = rewrites.map(() => 0)
  for (let again = true; again; ) {
    again = false
    for (const name of [...draft.order]) {
      const node = draft.nodes.get(name)
      if (!node) continue
      const done = rewrites.findIndex((rewrite) => rewrite(draft, node))
      if (done >= 0) {
        counts[done]!++
        again = true
      }
    }
  }
  draft.order = draft.order.filter((name) => draft.nodes.has(name))
  return counts
}

import type { Spread } from './methods/queries/spread.ts'
import { createPacker, type SentShare } from './methods/queries/wire.ts'
import { splitRows } from './methods/masks/calls.ts'

export type LendingNews = { type: 'seek' } | { type: 'share'; share: number; work: SentShare }

/** What a run hears of its helpers. */
export type LendingControl = { type: 'helpers'; count: number } | { type: 'shared'; share: number; logits: Float32Array | null }

/** A run's way to other workers, over its pool. */
export interface Lending {
  spread: Spread
  hear(control: LendingControl): void
}

export function createLending(tell: (news: LendingNews) => void): Lending {
  const open = new Map<number, { count: number; resolve(rows: Float32Array[] | null): void }>()
  const pack = createPacker()
  let helpers = 0
  let sought = false
  let latest = 0
  return {
    spread: {
      get helpers() {
        return helpers
      },
      seek() {
        if (!sought) tell({ type: 'seek' })
        sought = true
      },
      give: (work) => new Promise((resolve) => {
        open.set(++latest, { count: work.masks.count, resolve })
        tell({ type: 'share', share: latest, work: pack(work) })
      }),
    },
    hear(control) {
      if (control.type === 'helpers') {
        helpers = control.count
        return
      }
      const waiting = open.get(control.share)
      open.delete(control.share)
      waiting?.resolve(control.logits && splitRows(control.logits, waiting.count))
    },
  }
}

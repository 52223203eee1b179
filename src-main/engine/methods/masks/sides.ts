import type { Random } from '#shared/random/random.ts'
import { inPlace, type Placement, type Side } from './compose.ts'

/** What an optimised mask is asked to do: keep what it marks, remove it, or both in one loss. */
export type Mode = 'preserve' | 'delete' | 'both'

/** The masked images of one mask, in the order in which they are composed. */
export function sidesOf(mode: Mode): readonly Side[] {
  return mode === 'both' ? ['preserve', 'delete'] : [mode]
}

/** Up to `shift` pixels each way, perhaps mirrored; nothing is drawn for what cannot happen. */
export function drawPlacement(random: Random, shift: number, flip = false): Placement {
  if (shift <= 0 && !flip) return inPlace
  const down = shift > 0 ? random.below(2 * shift + 1) - shift : 0
  const right = shift > 0 ? random.below(2 * shift + 1) - shift : 0
  return { down, right, flip: flip && random.uniform() < 0.5 }
}

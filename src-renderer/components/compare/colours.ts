import { useSession } from '../../stores/session.ts'
import type { Colours } from '../stage/drawing.ts'

const known = new Map<boolean, Colours>()

/** The theme's tokens that pictures need, read once for each theme. */
export function stageColours(): Colours {
  const { dark } = useSession()
  const found = known.get(dark)
  if (found) return found
  const style = getComputedStyle(document.documentElement)
  const token = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  const colours = { stage: token('stage'), hairline: token('hairline'), checkA: token('check-a'), checkB: token('check-b') }
  // Before the styles are there nothing is kept.
  if (colours.stage !== '') known.set(dark, colours)
  return colours
}

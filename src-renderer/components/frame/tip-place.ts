/** So much a tip may be wide, in px; half of it, as it is drawn centred. */
const half = 140
const height = 40

export interface TipPlace {
  left: number
  top: number
  /** Where `left` lies on the tip. */
  align: 'start' | 'middle' | 'end'
}

/** Below what it belongs to, above where there is no room, and inside the window. */
export function tipPlace(of: { left: number; right: number; top: number; bottom: number }, page: { width: number; height: number }): TipPlace {
  const middle = (of.left + of.right) / 2
  const below = of.bottom + 6 + height <= page.height
  const top = below ? of.bottom + 6 : of.top - 6 - 22
  if (middle < half) return { left: Math.max(4, of.left), top, align: 'start' }
  if (middle > page.width - half) return { left: Math.min(page.width - 4, of.right), top, align: 'end' }
  return { left: middle, top, align: 'middle' }
}

import type { Settings } from '#shared/contract/system.ts'

export type Pane = 'left' | 'right' | 'bottom'
export type Layout = Settings['layout']

/** What the window has for all panes together, in px. */
export interface Room {
  width: number
  height: number
}

/** Of each pane, in px. */
export const smallest: Layout = { left: 220, right: 220, bottom: 64 }
const largest: Layout = { left: 480, right: 520, bottom: 480 }
/** The stage keeps so much. */
export const stageLeast = { width: 360, height: 260 } as const

/** Between which sizes a pane may be drawn, given what the others have. */
export function limitsOf(pane: Pane, layout: Layout, room: Room): { min: number; max: number } {
  const left = pane === 'bottom' ? room.height - stageLeast.height : room.width - stageLeast.width - (pane === 'left' ? layout.right : layout.left)
  return { min: smallest[pane], max: Math.max(smallest[pane], Math.min(largest[pane], left)) }
}

/** What is shown: the sizes that were chosen, as far as the window has room for them. */
export function fitted(layout: Layout, room: Room): Layout {
  const least = { ...layout, left: smallest.left, right: smallest.right }
  const right = clamp(layout.right, limitsOf('right', least, room))
  const left = clamp(layout.left, limitsOf('left', { ...layout, right }, room))
  return { left, right, bottom: clamp(layout.bottom, limitsOf('bottom', layout, room)) }
}

export function clamp(value: number, { min, max }: { min: number; max: number }): number {
  return Math.round(Math.min(max, Math.max(min, value)))
}

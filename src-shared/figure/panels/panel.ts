import type { Item } from '../display-list.ts'
import type { FontFamily } from '../faces.ts'
import type { FigureFacts, FigureNumber } from '../figure-data.ts'
import { headAscent, placeText } from '../set.ts'
import { typeSizes } from '../style.ts'
import { ellipsise, textWidth, type Span } from '../text.ts'

export interface Area {
  x: number
  y: number
  width: number
  height: number
}

/** What the panels of one figure share. */
export interface PanelContext {
  facts: FigureFacts
  family: FontFamily
  /** "a", "b", …; null where the panel shows none. */
  letter: string | null
  /** The same where it shows none: in the file of numbers. */
  name: string
  /** mm between pictures. */
  gutter: number
}

/** A panel, ready to be laid out at any width. */
export interface Panel {
  /** mm that it needs at this width. @throws MaskscopeError 'usage' for a width that it cannot be drawn in */
  height(width: number): number
  draw(area: Area): Item[]
  /** It takes what height its row has left. */
  grows: boolean
  caption: Span[]
  numbers: readonly FigureNumber[]
}

/** mm from a head's base line to what stands under it. */
export const headGap = 2.2

/** mm of a head. */
export function headHeight(family: FontFamily): number {
  return headAscent(family) + headGap
}

/** The panel's letter and title in one line, from the left upper corner. */
export function drawHead({ family, letter }: PanelContext, title: string, { x, y, width }: Pick<Area, 'x' | 'y' | 'width'>): Item[] {
  const format = { family, size: typeSizes[family].head }
  const name = letter === null ? '' : `(${letter})`
  const room = width - (name === '' ? 0 : textWidth(`${name} `, format, 'bold'))
  const short = ellipsise(title, room, format)
  if (name === '' && short === '') return []
  const spans: Span[] = [...(name === '' ? [] : [{ text: name, style: 'bold' as const }]), { text: name === '' || short === '' ? short : ` ${short}` }]
  return [placeText(spans.filter(({ text }) => text !== ''), x, y + headAscent(family), format)]
}

/** The beginning of a panel's sentences in the caption. */
export function captionLetter({ letter }: PanelContext): Span[] {
  return letter === null ? [] : [{ text: ` (${letter})\u00a0`, style: 'bold' }]
}

export function sentence(context: PanelContext, text: string): Span[] {
  const letter = captionLetter(context)
  return [...letter, { text: letter.length === 0 ? ` ${text}` : text }]
}

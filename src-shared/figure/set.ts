import type { TextItem } from './display-list.ts'
import { faceId, metricsOf, type FontFamily } from './faces.ts'
import { ink, typeSizes } from './style.ts'
import { pointMm, setLine, type SetLine, type Span, type TextFormat } from './text.ts'

export interface Placing {
  anchor?: 'start' | 'middle' | 'end'
  /** What y means: the base line, or the middle of the capitals. */
  vertical?: 'baseline' | 'middle'
  colour?: string
}

/** One line of text at a place in mm. */
export function placeText(spans: string | readonly Span[], x: number, y: number, format: TextFormat, placing: Placing = {}): TextItem {
  const line = setLine(typeof spans === 'string' ? [{ text: spans }] : spans, format)
  return placeLine(line, x, y, format, placing)
}

export function placeLine(line: SetLine, x: number, y: number, format: TextFormat, placing: Placing = {}): TextItem {
  const shift = { start: 0, middle: line.width / 2, end: line.width }[placing.anchor ?? 'start']
  const drop = placing.vertical === 'middle' ? capHeight(format) / 2 : 0
  return { type: 'text', x: x - shift, y: y + drop, size: format.size, colour: placing.colour ?? ink, line }
}

/** mm */
export function capHeight({ family, size }: TextFormat): number {
  return metricsOf(faceId(family, 'regular')).capHeight * size * pointMm
}

/** mm from a head's base line up to where its letters, brackets and accents end. */
export function headAscent(family: FontFamily): number {
  return metricsOf(faceId(family, 'regular')).ascent * typeSizes[family].head * pointMm
}

import { faceId, metricsOf, type FaceId, type FontFamily, type TextStyle } from './faces.ts'

/** One point in millimetres. */
export const pointMm = 25.4 / 72

/** Stands for a character that none of the fonts has. */
const missing = '□'

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** Text of one style before it is set. */
export interface Span {
  text: string
  style?: TextStyle
  /** #rrggbb; the line's own colour where absent. */
  colour?: string
}

/** A stretch of one face, set without kerning and ligatures. */
export interface TextRun {
  face: FaceId
  text: string
  /** mm from the start of the line. */
  offset: number
  /** mm */
  width: number
  colour: string | undefined
}

export interface SetLine {
  runs: TextRun[]
  /** mm */
  width: number
}

export interface TextFormat {
  family: FontFamily
  /** pt */
  size: number
}

/** Letters and signs that all fonts have, single spaces: nothing to replace. The long way round takes a while. */
const usual = /^( ?[!-~\u00a0-\u00ac\u00ae-\u017f])* ?$/

/**
 * What can be set of a text from outside: white space collapsed (no-break spaces stay), control and format characters (also those that turn
 * the writing direction) dropped, and each character that no font has replaced by one □.
 */
export function settable(text: string): string {
  if (usual.test(text)) return text
  const plain = text.normalize('NFC').replace(/[^\S\u00a0\ufeff]+|\p{Cc}+/gu, ' ')
  let out = ''
  for (const { segment } of graphemes.segment(plain)) {
    const visible = segment.replace(/[\p{Cf}\ufe00-\ufe0f]/gu, '')
    out += [...visible].every(isCovered) ? visible : missing
  }
  return out
}

function isCovered(character: string): boolean {
  return metricsOf('dejavu-regular').advances.has(character.codePointAt(0) as number)
}

/** After an f these could be drawn as one glyph by a writer that knows no better; a new run keeps them apart. */
const mayJoin = new Set('bfhijklt')

/** Sets spans on one line: splits them into runs by style and by which font has the glyph, and measures them. */
export function setLine(spans: readonly Span[], format: TextFormat): SetLine {
  const runs: TextRun[] = []
  let width = 0
  for (const span of spans) {
    const style = span.style ?? 'regular'
    let current: TextRun | undefined
    for (const character of settable(span.text)) {
      const { face, advance } = glyph(character, format.family, style)
      if (!current || current.face !== face || (current.text.endsWith('f') && mayJoin.has(character))) {
        current = { face, text: '', offset: width, width: 0, colour: span.colour }
        runs.push(current)
      }
      const step = advance * format.size * pointMm
      current.text += character
      current.width += step
      width += step
    }
  }
  return { runs, width }
}

/** The face that has a character, and its advance in em. Every settable character is in DejaVu Sans at least. */
function glyph(character: string, family: FontFamily, style: TextStyle): { face: FaceId; advance: number } {
  const code = character.codePointAt(0) as number
  for (const face of [faceId(family, style), faceId('dejavu', style), faceId('dejavu', 'regular')]) {
    const advance = metricsOf(face).advances.get(code)
    if (advance !== undefined) return { face, advance }
  }
  return glyph(missing, family, style)
}

/** Width of a line in mm. */
export function textWidth(text: string, format: TextFormat, style: TextStyle = 'regular'): number {
  return setLine([{ text, style }], format).width
}

/**
 * The text, or as much of it as fits with an ellipsis: at its end, or before its last characters (`keepEnd`), so that
 * file names keep their extension.
 */
export function ellipsise(text: string, maxWidth: number, format: TextFormat, keepEnd = false): string {
  const whole = settable(text).trim()
  if (textWidth(whole, format) <= maxWidth) return whole
  const characters = [...whole]
  for (let kept = characters.length - 1; kept > 0; kept--) {
    const tail = keepEnd ? Math.min(7, Math.floor(kept / 3)) : 0
    const short = `${characters.slice(0, kept - tail).join('').trimEnd()}…${characters.slice(characters.length - tail).join('')}`
    if (textWidth(short, format) <= maxWidth) return short
  }
  return '…'
}

/**
 * Breaks spans into lines no wider than `maxWidth` (mm): at spaces; after hyphens, underscores and slashes of words
 * longer than half a line; anywhere in what is longer than a line.
 */
export function wrap(spans: readonly Span[], maxWidth: number, format: TextFormat): SetLine[] {
  const lines: Span[][] = [[]]
  let used = 0
  for (const unit of units(spans, maxWidth, format)) {
    if (used > 0 && used + unitWidth(unit, format, true) > maxWidth + 1e-9) {
      lines.push([])
      used = 0
    }
    for (const piece of unit) append(lines[lines.length - 1] as Span[], piece)
    used += unitWidth(unit, format, false)
  }
  return lines.map((line) => {
    const last = line[line.length - 1]
    if (last) last.text = last.text.trimEnd()
    return setLine(line, format)
  }).filter((line) => line.runs.length > 0)
}

function append(line: Span[], piece: Span): void {
  const text = line.length === 0 ? piece.text.trimStart() : piece.text
  if (text === '') return
  const last = line[line.length - 1]
  if (last && last.style === piece.style && last.colour === piece.colour) last.text += text
  else line.push({ ...piece, text })
}

function unitWidth(unit: readonly Span[], format: TextFormat, trimmed: boolean): number {
  return unit.reduce((sum, span, i) =>
    sum + textWidth(trimmed && i === unit.length - 1 ? span.text.replace(/ $/, '') : span.text, format, span.style), 0)
}

/** Pieces between which a line may break; a piece may hold several styles where no space parts them. */
function units(spans: readonly Span[], maxWidth: number, format: TextFormat): Span[][] {
  const all: Span[][] = []
  let open = false
  for (const span of spans) {
    for (const { text, breaks } of pieces(span, maxWidth, format)) {
      const piece = { ...span, text }
      if (open) (all[all.length - 1] as Span[]).push(piece)
      else all.push([piece])
      open = !breaks
    }
  }
  return all.flatMap((unit) => (unitWidth(unit, format, true) > maxWidth ? unit.map((piece) => [piece]) : [unit]))
}

function pieces(span: Span, maxWidth: number, format: TextFormat): { text: string; breaks: boolean }[] {
  return (settable(span.text).match(/[^ ]* |[^ ]+/g) ?? []).flatMap((word) => {
    const breaks = word.endsWith(' ')
    if (textWidth(word.trimEnd(), format, span.style) <= maxWidth / 2) return [{ text: word, breaks }]
    const parts = (word.match(/[^\-_/]*[\-_/] ?|[^\-_/]+/g) ?? []).flatMap((part) => chop(part, maxWidth, format, span.style))
    return parts.map((text, i) => ({ text, breaks: breaks || i < parts.length - 1 }))
  })
}

/** Pieces of a word that each fit on a line. */
function chop(word: string, maxWidth: number, format: TextFormat, style?: TextStyle): string[] {
  const parts: string[] = []
  let part = ''
  for (const character of word) {
    if (part !== '' && textWidth(part + character, format, style) > maxWidth) {
      parts.push(part)
      part = ''
    }
    part += character
  }
  return [...parts, part]
}

import { advanceTables } from './advances.ts'

/**
 * The faces a figure may use: three families that papers use, each in three styles, and DejaVu Sans for signs they
 * lack. Widths come from the fonts' own advances (advances.ts), so that every writer sets the same text in the same
 * place.
 */
export const fontFamilies = ['arimo', 'tinos', 'stix'] as const
export type FontFamily = (typeof fontFamilies)[number]
export const textStyles = ['regular', 'bold', 'italic'] as const
export type TextStyle = (typeof textStyles)[number]
export type FaceId = `${FontFamily | 'dejavu'}-${TextStyle}`

export interface Face {
  id: FaceId
  /** As in the file's name table: what SVG asks for. */
  family: string
  title: string
  weight: 400 | 700
  slant: 'normal' | 'italic' | 'oblique'
}

const families: Record<FontFamily | 'dejavu', string> = {
  arimo: 'Arimo',
  tinos: 'Tinos',
  stix: 'STIX Two Text',
  dejavu: 'DejaVu Sans',
}

export function faceId(family: FontFamily | 'dejavu', style: TextStyle): FaceId {
  return `${family}-${style}`
}

export function face(id: FaceId): Face {
  const [family, style] = id.split('-') as [FontFamily | 'dejavu', TextStyle]
  const slant = style !== 'italic' ? 'normal' : family === 'dejavu' ? 'oblique' : 'italic'
  return { id, family: families[family], title: `${families[family]} ${style}`, weight: style === 'bold' ? 700 : 400, slant }
}

export interface Metrics {
  /** Of the em, all positive upwards. */
  ascent: number
  descent: number
  capHeight: number
  xHeight: number
  /** Advance of the em by code point; a code point that is absent has no glyph (or none we use). */
  advances: ReadonlyMap<number, number>
}

const parsed = new Map<FaceId, Metrics>()

/** Metrics of a face, in units of the em. */
export function metricsOf(id: FaceId): Metrics {
  let metrics = parsed.get(id)
  if (!metrics) parsed.set(id, (metrics = parseTable(id)))
  return metrics
}

function parseTable(id: FaceId): Metrics {
  const table = advanceTables[id]
  const advances = new Map<number, number>()
  for (const range of table.advances.split(';')) {
    const [start, widths] = range.split(':') as [string, string]
    let code = Number.parseInt(start, 16)
    for (const width of widths.split(',')) advances.set(code++, Number(width) / table.unitsPerEm)
  }
  const em = (units: number) => units / table.unitsPerEm
  return {
    ascent: em(table.ascent), descent: em(table.descent), capHeight: em(table.capHeight), xHeight: em(table.xHeight), advances,
  }
}

import { readFileSync } from 'node:fs'
import { create, type Font } from 'fontkit'
import type { FaceId } from '#shared/figure/faces.ts'
import { fontFile } from './font-files.ts'
import { cmapTable, postTable, readTables, writeTables } from './sfnt.ts'

interface OpenFont {
  font: Font
  tables: Map<string, Uint8Array>
}

const opened = new Map<FaceId, OpenFont>()

function openFont(id: FaceId): OpenFont {
  let font = opened.get(id)
  if (!font) {
    const bytes = readFileSync(fontFile(id))
    font = { font: create(bytes) as Font, tables: readTables(bytes) }
    opened.set(id, font)
  }
  return font
}

/**
 * A small TrueType file with the glyphs of the given characters, complete enough for browsers (which want cmap, name,
 * OS/2 and post), without kerning and ligatures. Deterministic. fontkit makes glyf, loca, hmtx and the rest; its
 * subsets are meant for PDF and lack the tables that name and find glyphs, which are put in here.
 */
export function subsetFont(id: FaceId, characters: Iterable<string>): Uint8Array {
  const { font, tables: original } = openFont(id)
  const subset = font.createSubset()
  const glyphs = new Map<number, number>()
  for (const code of [...characters].map((c) => c.codePointAt(0) as number).sort((a, b) => a - b)) {
    if (!font.hasGlyphForCodePoint(code)) continue
    // The typings leave out that the glyph's number in the subset is returned.
    glyphs.set(code, subset.includeGlyph(font.glyphForCodePoint(code)) as unknown as number)
  }
  const tables = readTables(subset.encode())
  for (const tag of ['OS/2', 'name']) {
    const table = original.get(tag)
    if (table) tables.set(tag, table)
  }
  tables.set('cmap', cmapTable(glyphs))
  tables.set('post', postTable())
  return writeTables(tables)
}

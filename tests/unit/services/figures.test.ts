import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { create, type Font } from 'fontkit'
import sharp from 'sharp'
import { afterAll, describe, expect, test } from 'vitest'
import { renderRunFigure } from '#services/figures.ts'
import { faceIds, fontFile } from '#services/figures/font-files.ts'
import { subsetFont } from '#services/figures/subset.ts'
import type { ImageItem } from '#shared/figure/display-list.ts'
import { layOutRunFigure } from '#shared/figure/run-figure.ts'
import type { RunFigureData } from '#shared/figure/run-figure-data.ts'
import { exampleRun } from '../shared/figure/example-run.ts'

/** Poppler's tools look at PDFs with other eyes than ours; .ci/run installs them. */
const hasPoppler = ['pdffonts', 'pdftotext', 'pdftoppm'].every((tool) => spawnSync(tool, ['-v']).error === undefined)
const popplerTest = (name: string, run: () => Promise<void>) => test.skipIf(!hasPoppler)(`${name}${hasPoppler ? '' : ' [needs poppler-utils]'}`, run)

const folder = mkdtempSync(path.join(tmpdir(), 'maskscope-figures-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function saved(name: string, bytes: Uint8Array): string {
  const file = path.join(folder, name)
  writeFileSync(file, bytes)
  return file
}

/** A map of 7 × 5 cells that are all zero or one, in no regular pattern. */
const pattern = [...'10110010111010001101110010110100101'].map(Number)
const checked: RunFigureData = exampleRun({ map: { width: 7, height: 5, data: Float32Array.from(pattern) } })
const zero = [68, 1, 84]
const one = [253, 231, 37]

/** Whether the map of a drawn page shows every cell as one flat rectangle of its own colour. */
async function expectSquareCells(file: string | Uint8Array, dpi: number): Promise<void> {
  const { data, info } = await sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const map = layOutRunFigure(checked, { width: 88.9 }).items.find((item): item is ImageItem => item.type === 'image' && item.id === 'map')!
  const px = dpi / 25.4
  const cell = { width: (map.width * px) / 7, height: (map.height * px) / 5 }
  for (const [i, value] of pattern.entries()) {
    const left = map.x * px + (i % 7) * cell.width
    const top = map.y * px + Math.floor(i / 7) * cell.height
    // Up to two pixels from the cell's edge everything is the cell's colour: nothing is smoothed.
    for (let y = Math.ceil(top + 2); y < Math.floor(top + cell.height - 2); y += 5) {
      for (let x = Math.ceil(left + 2); x < Math.floor(left + cell.width - 2); x++) {
        const at = (y * info.width + x) * 3
        const colour = [...data.subarray(at, at + 3)]
        if (colour.some((c, k) => Math.abs(c - (value ? one : zero)[k]!) > 1)) throw new Error(`cell ${i} is ${colour.join(' ')} at ${x}, ${y}`)
      }
    }
  }
}

describe('PDF', () => {
  test('the same run gives the same bytes', async () => {
    const options = { format: 'pdf', widthMm: 88.9 } as const
    expect(Buffer.compare(await renderRunFigure(exampleRun(), options), await renderRunFigure(exampleRun(), options))).toBe(0)
  })

  popplerTest('every font is embedded as a subset that can be copied as text', async () => {
    for (const font of ['arimo', 'tinos', 'stix'] as const) {
      const file = saved(`${font}.pdf`, await renderRunFigure(exampleRun({ target: { index: 0, label: 'a ≤ b' } }), { format: 'pdf', font }))
      const rows = execFileSync('pdffonts', [file], { encoding: 'utf8' }).trim().split('\n').slice(2)
      expect(rows.length).toBeGreaterThanOrEqual(3)
      for (const row of rows) expect(row).toMatch(/CID TrueType\s+Identity-H\s+yes yes yes/)
      expect(rows.join()).toContain({ arimo: 'Arimo-Bold', tinos: 'Tinos-Bold', stix: 'STIXTwoText-Bold' }[font])
      expect(rows.join().includes('DejaVuSans')).toBe(font === 'stix')
    }
  })

  popplerTest('text is text: the caption can be searched, escaped characters are themselves', async () => {
    const data = exampleRun({ image: 'office <b>&amp;.png', target: { index: 3, label: 'Ελλάδα → café' } })
    const file = saved('text.pdf', await renderRunFigure(data, { format: 'pdf', widthMm: 181, font: 'stix' }))
    const text = execFileSync('pdftotext', ['-raw', file, '-'], { encoding: 'utf8' }).replace(/\s+/g, ' ')
    expect(text).toContain('office <b>&amp;.png. Ελλάδα → café (class 3, p = .99) by demo')
    expect(text).toContain('(d) Loss (log axis)')
  })

  popplerTest('the page has the width asked for', async () => {
    const file = saved('size.pdf', await renderRunFigure(exampleRun(), { format: 'pdf', widthMm: 181 }))
    const [, width] = /Page size:\s+([\d.]+) x/.exec(execFileSync('pdfinfo', [file], { encoding: 'utf8' }))!
    expect(Number(width)).toBeCloseTo((181 / 25.4) * 72, 2)
  })

  popplerTest('mask pixels are squares in poppler', async () => {
    const file = saved('mask.pdf', await renderRunFigure(checked, { format: 'pdf' }))
    execFileSync('pdftoppm', ['-r', '600', '-png', '-singlefile', file, path.join(folder, 'mask')])
    await expectSquareCells(path.join(folder, 'mask.png'), 600)
    const images = execFileSync('pdfimages', ['-list', file], { encoding: 'utf8' }).trim().split('\n').slice(2).map((row) => row.trim().split(/\s+/))
    const enlarged = images.filter(([, , , width, height]) => Number(width) % 7 === 0 && Number(height) % 5 === 0)
    expect(enlarged.some((row) => Number(row[12]) >= 600 && Number(row[13]) >= 600)).toBe(true)
    // RGB, without soft masks: no transparency
    for (const row of images) expect([row[2], row[5]]).toEqual(['image', 'rgb'])
  })
})

describe('PNG', () => {
  test('has the pixels and the resolution asked for, RGB without alpha', async () => {
    for (const dpi of [96, 300]) {
      const { width, height, density, channels } = await sharp(await renderRunFigure(exampleRun(), { format: 'png', widthMm: 88.9, dpi })).metadata()
      expect([width, density, channels]).toEqual([Math.round((88.9 / 25.4) * dpi), dpi, 3])
      expect(height! / width!).toBeCloseTo(layOutRunFigure(exampleRun(), { width: 88.9 }).height / 88.9, 2)
    }
  })

  test('mask pixels are squares in resvg', async () => {
    await expectSquareCells(await renderRunFigure(checked, { format: 'png', dpi: 600 }), 600)
  })

  test('the same run gives the same bytes', async () => {
    const options = { format: 'png', dpi: 150 } as const
    expect(Buffer.compare(await renderRunFigure(exampleRun(), options), await renderRunFigure(exampleRun(), options))).toBe(0)
  })

  test('text is drawn as wide as it was measured', async () => {
    // Ink right of the last letter would mean kerning or another font: the caption's longest line ends where the layout says.
    for (const family of ['arimo', 'tinos', 'stix'] as const) {
      const list = layOutRunFigure(exampleRun(), { width: 88.9, family })
      const bytes = await renderRunFigure(exampleRun(), { format: 'png', dpi: 600, font: family })
      const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true })
      const lines = list.items.filter((item) => item.type === 'text').slice(-3)
      for (const line of lines) {
        let end = 0
        for (let y = Math.floor(((line.y - 1.5) / 25.4) * 600); y < (line.y / 25.4) * 600; y++) {
          for (let x = end; x < info.width; x++) if (data[(y * info.width + x) * 3]! < 128) end = Math.max(end, x)
        }
        const lastLetter = line.x + line.line.width
        expect(Math.abs((end / 600) * 25.4 - lastLetter), `${family}: ${line.line.runs.map((r) => r.text).join('')}`).toBeLessThan(0.35)
      }
    }
  })

  test('resolutions that cannot be drawn are refused', async () => {
    await expect(renderRunFigure(exampleRun(), { format: 'png', dpi: 5 })).rejects.toThrow(/5 dpi/)
    await expect(renderRunFigure(exampleRun(), { format: 'png', dpi: 2400, widthMm: 400 })).rejects.toThrow(/million pixels/)
  })
})

describe('SVG', () => {
  test('carries its fonts and pictures', async () => {
    const svg = new TextDecoder().decode(await renderRunFigure(exampleRun(), { format: 'svg' }))
    expect(svg.match(/@font-face/g)).toHaveLength(3)
    expect(svg.match(/xlink:href="data:image\/png;base64,iVBOR/g)).toHaveLength(4)
    expect(svg).not.toMatch(/https?:(?!\/\/www\.w3\.org\/)/)
  })

  test.each(faceIds)('subset of %s: the same glyphs and widths, no kerning, small', (id) => {
    const characters = 'Hamburgefonstiv 0123 (λ ×) áÿ'
    const whole = create(readFileSync(fontFile(id))) as Font
    const bytes = subsetFont(id, characters)
    const subset = create(Buffer.from(bytes)) as Font
    expect(bytes.length).toBeLessThan(40_000)
    expect(subset.familyName).toBe(whole.familyName)
    for (const character of characters) {
      const code = character.codePointAt(0)!
      if (!whole.hasGlyphForCodePoint(code)) continue
      const [a, b] = [whole.glyphForCodePoint(code), subset.glyphForCodePoint(code)]
      expect(b.advanceWidth, character).toBe(a.advanceWidth)
      expect(b.path.toSVG(), character).toBe(a.path.toSVG())
    }
    expect(subset.hasGlyphForCodePoint(0x51)).toBe(false)
    expect(subset.availableFeatures).toEqual([])
    const tables = Object.keys((subset as unknown as { directory: { tables: object } }).directory.tables)
    expect(tables).toEqual(expect.arrayContaining(['OS/2', 'cmap', 'glyf', 'head', 'hhea', 'hmtx', 'loca', 'maxp', 'name', 'post']))
  })
})

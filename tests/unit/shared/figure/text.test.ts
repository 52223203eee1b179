import fc from 'fast-check'
import { create, type Font } from 'fontkit'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { faceIds, fontFile } from '#services/figures/font-files.ts'
import { fontFamilies, metricsOf, textStyles } from '#shared/figure/faces.ts'
import { ellipsise, pointMm, setLine, settable, textWidth, wrap } from '#shared/figure/text.ts'

const fonts = new Map(faceIds.map((id) => [id, create(readFileSync(fontFile(id))) as Font]))
const format = { family: 'arimo', size: 7 } as const
const plain = (line: { runs: { text: string }[] }) => line.runs.map((run) => run.text).join('')

describe('widths', () => {
  const samples = ['AVATAR Toffee fjord, 0.88 × 10⁻³ (λ ≤ ½)', 'Προσωπικό αρχείο', 'Żółć naïve façade', 'эксперимент', '∇f → ∂x ≈ √2']
  for (const id of faceIds) {
    test(`${id}: the table has fontkit's own advances`, () => {
      const font = fonts.get(id)!
      const { advances, capHeight } = metricsOf(id)
      expect(advances.size).toBeGreaterThan(400)
      expect(capHeight).toBeGreaterThan(0.6)
      for (const character of samples.join('')) {
        const code = character.codePointAt(0)!
        const expected = font.hasGlyphForCodePoint(code) ? font.glyphForCodePoint(code).advanceWidth / font.unitsPerEm : undefined
        expect(advances.get(code), `${character} in ${id}`).toBe(expected)
      }
    })
  }

  test('a line is as wide as fontkit lays it out without kerning and ligatures', () => {
    for (const family of fontFamilies) {
      for (const style of textStyles) {
        const line = setLine(samples.map((text) => ({ text, style })), { family, size: 8 })
        for (const run of line.runs) {
          const font = fonts.get(run.face)!
          const features = { kern: false, liga: false, clig: false, ccmp: false } as unknown as string[]
          const width = (font.layout(run.text, features).advanceWidth / font.unitsPerEm) * 8 * pointMm
          expect(run.width, `${run.text} in ${run.face}`).toBeCloseTo(width, 6)
        }
        const last = line.runs[line.runs.length - 1]!
        expect(last.offset + last.width).toBeCloseTo(line.width, 9)
      }
    }
  })
})

test('signs that STIX lacks come from DejaVu Sans in the same style, and the rest stays', () => {
  const line = setLine([{ text: 'a ≤ b → ∂', style: 'bold' }], { family: 'stix', size: 8 })
  expect(line.runs.map((run) => [run.face, run.text])).toEqual([
    ['stix-bold', 'a '], ['dejavu-bold', '≤'], ['stix-bold', ' b '], ['dejavu-bold', '→'], ['stix-bold', ' '], ['dejavu-bold', '∂'],
  ])
})

test('letters that fonts join after an f stand in runs of their own', () => {
  expect(setLine([{ text: 'office fjord' }], { family: 'stix', size: 8 }).runs.map((run) => run.text)).toEqual(['of', 'f', 'ice f', 'jord'])
})

describe('settable', () => {
  test('one box for each character that no font has, however many code points it takes', () => {
    expect(settable('日本😀👨‍👩‍👧é')).toBe('□□□□é')
  })
  test('drops control, format and direction characters, joins white space', () => {
    expect(settable('a\u202eb\u0000c\n\t d\u200b\ufeff')).toBe('ab c d')
    expect(settable('\ud800x')).toBe('□x')
  })
  test('composes letters and their accents, keeps no-break spaces', () => {
    expect(settable('e\u0301\u00a0x')).toBe('é\u00a0x')
  })
  test('leaves nothing without a width', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (text) => {
      for (const character of settable(text)) expect(metricsOf('dejavu-regular').advances.has(character.codePointAt(0)!)).toBe(true)
    }))
  })
})

test('ellipsise fits, and keeps the extension of file names', () => {
  const name = 'a-very-long-name-of-a-picture-from-a-camera-20260101.jpeg'
  const short = ellipsise(name, 30, format, true)
  expect(textWidth(short, format)).toBeLessThanOrEqual(30)
  expect(short).toMatch(/^a-very.*….*\.jpeg$/)
  expect(ellipsise('Italian greyhound', 12, format)).toMatch(/^Ital.*…$/)
  expect(ellipsise('short', 30, format)).toBe('short')
  expect(ellipsise('anything', 0, format)).toBe('…')
})

describe('wrap', () => {
  test('no line is wider than asked for and no letter is lost', () => {
    const word = fc.string({ unit: fc.constantFrom(...'abcWi-_/.日é'), minLength: 1, maxLength: 60 })
    const spans = fc.array(fc.record({ text: fc.array(word).map((w) => w.join(' ')), style: fc.constantFrom(...textStyles) }), { maxLength: 6 })
    fc.assert(fc.property(spans, fc.integer({ min: 8, max: 90 }), (given, width) => {
      const lines = wrap(given, width, format)
      for (const line of lines) expect(line.width).toBeLessThanOrEqual(width + 1e-6)
      const letters = (text: string) => text.replace(/ /g, '')
      expect(letters(lines.map(plain).join(''))).toBe(letters(settable(given.map((s) => s.text).join(''))))
    }), { numRuns: 60 })
  })
  test('does not part what a no-break space or a change of style joins', () => {
    const spans = [{ text: 'of which ' }, { text: '(c)\u00a0', style: 'bold' as const }, { text: 'Overlay' }]
    const width = textWidth('of which (c)', format) + 1
    expect(wrap(spans, width, format).map(plain)).toEqual(['of which', '(c)\u00a0Overlay'])
  })
})

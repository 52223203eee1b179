import { describe, expect, test } from 'vitest'
import { expectGolden } from '../../../golden.ts'
import type { DisplayList } from '#shared/figure/display-list.ts'
import { layOutRunFigure } from '#shared/figure/run-figure.ts'
import { escapeXml, usedCharacters, writeSvg } from '#shared/figure/svg.ts'
import { exampleRun, examplePicture } from './example-run.ts'

/** Pictures are compared elsewhere; here their ids stand for them. */
function svgOf(list: DisplayList): string {
  const images = new Map(list.items.flatMap((item) => (item.type === 'image' ? [[item.id, new TextEncoder().encode(`${item.id}.png`)] as const] : [])))
  return writeSvg(list, { images, fonts: new Map() })
}

const shortRun = () => {
  const run = exampleRun()
  const every = <T>(values: readonly T[]) => values.filter((_, i) => i % 20 === 0)
  const { iterations, terms, probability } = run.losses
  return { ...run, losses: { iterations: every(iterations), terms: terms.map((t) => ({ ...t, values: every(t.values) })), probability: every(probability!) } }
}

describe('golden', () => {
  test('one column, Arimo', () => {
    expectGolden('run-88.9-arimo.svg', svgOf(layOutRunFigure(shortRun(), { width: 88.9 })))
  })
  test('two columns, STIX, a crop', () => {
    const data = {
      ...shortRun(), picture: examplePicture(160, 90),
      view: { picture: { width: 160, height: 90 }, crop: { left: 41, top: 6, width: 78, height: 78 }, size: { width: 64, height: 64 } },
    }
    expectGolden('run-181-stix.svg', svgOf(layOutRunFigure(data, { width: 181, family: 'stix' })))
  })
  test('texts from outside, Tinos', () => {
    const data = { ...shortRun(), image: '<script>alert("1")</script> & \u0000\u202e日本 "x".png', target: { index: 1, label: "]]><b>'&amp;" } }
    expectGolden('run-84.7-tinos-texts.svg', svgOf(layOutRunFigure(data, { width: 84.7, family: 'tinos' })))
  })
})

describe('escaping', () => {
  test('all that has a meaning in XML', () => {
    expect(escapeXml(`<a b="c" d='e'>&</a>`)).toBe('&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;&lt;/a&gt;')
  })
  test('what XML forbids is dropped', () => {
    expect(escapeXml('a\u0000\u0008\u000b\ufffe\ud800b😀')).toBe('ab😀')
  })
  test('no markup from outside gets into the file', () => {
    const evil = '"><script>alert(1)</script><image xlink:href="http://x/"/>'
    const svg = svgOf(layOutRunFigure(exampleRun({ image: evil, model: evil, method: evil, target: { index: 0, label: evil }, settings: [evil], score: evil }), { width: 88.9 }))
    expect(svg).not.toMatch(/<script/)
    const elements = new Set([...svg.matchAll(/<([a-z]+)/gi)].map((match) => match[1]))
    expect([...elements].sort()).toEqual(['desc', 'image', 'path', 'rect', 'style', 'svg', 'text', 'title', 'tspan'])
    for (const [, link] of svg.matchAll(/href="([^"]*)"/g)) expect(link).toMatch(/^data:image\/png;base64,/)
    expect([...svg.matchAll(/<image/g)]).toHaveLength(4)
  })
})

test('masks and colour bars ask for square pixels, in both dialects', () => {
  const svg = svgOf(layOutRunFigure(exampleRun(), { width: 88.9 }))
  const styles = [...svg.matchAll(/<image[^>]*>/g)].map(([tag]) => tag.includes('style="image-rendering:pixelated;image-rendering:optimizeSpeed"'))
  expect(styles).toContain(true)
})

test('usedCharacters lists each face with its characters', () => {
  const used = usedCharacters(layOutRunFigure(exampleRun({ target: { index: 0, label: 'a ≤ b' } }), { width: 88.9, family: 'stix' }))
  expect([...used.keys()].sort()).toEqual(['dejavu-regular', 'stix-bold', 'stix-italic', 'stix-regular'])
  expect([...used.get('dejavu-regular')!]).toEqual(['≤'])
})

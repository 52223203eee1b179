import { expect, test } from 'vitest'
import { placeSection } from '../../../scripts/evidence/sections.ts'

const page = 'By hand.\n\n<!-- a: written by npm run evidence -->\n\nOld a.\n\n## Of a\n\n<!-- b: written by npm run evidence -->\n\nOld b.\n'

test('a section is replaced up to the next mark, the last up to the end', () => {
  expect(placeSection(page, { name: 'a', text: 'New a.\n' })).toBe(page.replace('Old a.\n\n## Of a', 'New a.'))
  expect(placeSection(page, { name: 'b', text: 'New b.' })).toBe(page.replace('Old b.', 'New b.'))
})

test('one without a mark is added at the end, and replaced the next time', () => {
  const once = placeSection(page, { name: 'c', text: 'A c.' })
  expect(once).toBe(`${page}\n<!-- c: written by npm run evidence -->\n\nA c.\n`)
  expect(placeSection(once, { name: 'c', text: 'Another c.' })).toBe(once.replace('A c.', 'Another c.'))
})

test('a mark with nothing below it is filled', () => {
  expect(placeSection('<!-- a: written by npm run evidence -->\n<!-- b: written by npm run evidence -->\n', { name: 'a', text: 'An a.' }))
    .toBe('<!-- a: written by npm run evidence -->\n\nAn a.\n\n<!-- b: written by npm run evidence -->\n')
})

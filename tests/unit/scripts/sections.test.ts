import { expect, test } from 'vitest'
import { placeSection } from '../../../scripts/evidence/sections.ts'

const page = 'By hand.\n\n<!-- a: written by npm run evidence -->\n\nOld a.\n\n## Of a\n\nYesterday.\n\n<!-- b: written by npm run evidence -->\n\nOld b.\n\nYesterday.\n'

test('a section is replaced up to the next mark, the last up to the end', () => {
  expect(placeSection(page, { name: 'a', text: 'New a.\n' }, 'Today.')).toBe(page.replace('Old a.\n\n## Of a\n\nYesterday.', 'New a.\n\nToday.'))
  expect(placeSection(page, { name: 'b', text: 'New b.' }, 'Today.')).toBe(page.replace('Old b.\n\nYesterday.', 'New b.\n\nToday.'))
})

test('one without a mark is added at the end, and replaced the next time', () => {
  const once = placeSection(page, { name: 'c', text: 'A c.' }, 'Today.')
  expect(once).toBe(`${page}\n<!-- c: written by npm run evidence -->\n\nA c.\n\nToday.\n`)
  expect(placeSection(once, { name: 'c', text: 'Another c.' }, 'Tomorrow.')).toBe(once.replace('A c.\n\nToday.', 'Another c.\n\nTomorrow.'))
})

test('one that is as it was keeps when and how it was measured; one that has only begun alike does not', () => {
  expect(placeSection(page, { name: 'a', text: 'Old a.\n\n## Of a\n' }, 'Today.')).toBe(page)
  expect(placeSection(page, { name: 'b', text: 'Old b.' }, 'Today.')).toBe(page)
  expect(placeSection(page, { name: 'a', text: 'Old a.' }, 'Today.')).toBe(page.replace('Old a.\n\n## Of a\n\nYesterday.', 'Old a.\n\nToday.'))
})

test('a mark with nothing below it is filled', () => {
  expect(placeSection('<!-- a: written by npm run evidence -->\n<!-- b: written by npm run evidence -->\n', { name: 'a', text: 'An a.' }, 'Today.'))
    .toBe('<!-- a: written by npm run evidence -->\n\nAn a.\n\nToday.\n\n<!-- b: written by npm run evidence -->\n')
})

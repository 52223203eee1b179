import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const page = readFileSync('docs/security.md', 'utf8')
const rows = page.split('\n').filter((line) => /^\| \d+ \|/.test(line))

test('every item of the checklist has its row', () => {
  expect(rows.map((row) => Number(/\d+/.exec(row)![0]))).toEqual(Array.from({ length: 23 }, (_, i) => i + 1))
})

test('every file that the page names is there', () => {
  const named = [...page.matchAll(/`((?:src-main|src-shared|src-renderer|tests)\/[^`]*)`/g)].map((match) => match[1]!)
  expect(named.length).toBeGreaterThan(60)
  expect(named.filter((file) => !existsSync(file))).toEqual([])
})

test('a test that names an item stands in that item\'s row', () => {
  const cited = [...page.matchAll(/`(tests\/[^`]*\.test\.ts)`/g)].map((match) => match[1]!)
  for (const file of new Set(cited)) {
    for (const [, numbers] of readFileSync(file, 'utf8').matchAll(/['\`](?:\[\w+\] )?security ([\d, ]+):/g)) {
      for (const number of numbers!.split(', ')) expect(rows[Number(number) - 1], `${file}, security ${number}`).toContain(file)
    }
  }
})

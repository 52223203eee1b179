import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeLosses, encodeLosses, lossTable } from '#storage/losses.ts'

test('a header and one line per iteration', () => {
  const table = lossTable([
    { iteration: 0, losses: { preservation: 0.5, area: 2, total: 2.5 }, probability: 0.25 },
    { iteration: 1, losses: { preservation: 0.1 + 0.2, area: 1e-9, total: Number.NaN }, probability: 1 },
  ])
  expect(encodeLosses(table)).toBe('iteration,preservation,area,total,probability\n0,0.5,2,2.5,0.25\n1,0.30000000000000004,1e-9,NaN,1\n')
})

test('every number reads back to the same double, and any name of a loss', () => {
  const value = fc.oneof(fc.double(), fc.float())
  const names = fc.uniqueArray(fc.string({ minLength: 1, unit: fc.constantFrom('a', 'λ', ',', '"', ' ') }), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(names, fc.array(fc.array(value, { minLength: 5, maxLength: 5 }), { maxLength: 5 }), (losses, rows) => {
      const columns = ['iteration', ...losses, 'probability']
      const table = { columns, rows: rows.map((row, i) => [i, ...row.slice(0, losses.length), 0.5]) }
      const read = decodeLosses(encodeLosses(table), 'losses.csv')
      expect(read.columns).toEqual(columns)
      // Negative zero is written as 0.
      expect(read.rows).toEqual(table.rows.map((row) => row.map((v) => (v === 0 ? 0 : v))))
    }),
  )
})

test.each([
  ['a missing cell', 'iteration,total,probability\n0,1\n'],
  ['words', 'iteration,total,probability\n0,much,1\n'],
  ['another table', 'a,b\n1,2\n'],
  ['nothing', ''],
])('%s is refused with the name of the file', (_, text) => {
  expect(() => decodeLosses(text, 'losses.csv')).toThrow(expect.objectContaining({ code: 'storage', subject: 'losses.csv' }) as Error)
})

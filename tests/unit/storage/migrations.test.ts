import { expect, test } from 'vitest'
import { formatJson, migrate, parseRunRecord, parseStudyManifest } from '#storage/migrations.ts'

test('old documents are brought up step by step', () => {
  const steps = {
    1: (d: Record<string, unknown>) => ({ ...d, b: d['a'] }),
    2: (d: Record<string, unknown>) => ({ ...d, c: (d['b'] as number) + 1 }),
  }
  const target = { format: 'f', version: 3, steps }
  expect(migrate({ format: 'f', version: 1, a: 5 }, target, 'x')).toEqual({ format: 'f', version: 3, a: 5, b: 5, c: 6 })
  expect(migrate({ format: 'f', version: 3, a: 5 }, target, 'x')).toEqual({ format: 'f', version: 3, a: 5 })
})

test('a newer document is refused with the advice to update, a gap in the steps as unreadable', () => {
  const target = { format: 'f', version: 2, steps: {} }
  expect(() => migrate({ format: 'f', version: 3 }, target, 'x.maskscope')).toThrow(/x\.maskscope was written by a newer Maskscope.*Update/)
  expect(() => migrate({ format: 'f', version: 1 }, target, 'x')).toThrow('no longer')
})

test.each([
  ['not JSON', '{"format": "maskscope-st', 'not whole JSON'],
  ['a list', '[]', 'not a JSON object'],
  ['another format', '{"format": "other", "version": 1}', '"format"'],
  ['no version', '{"format": "maskscope-study"}', '"version"'],
  ['a wrong field', '{"format": "maskscope-study", "version": 1, "name": 3, "created": "", "runs": []}', 'name'],
])('%s is refused, naming file and field', (_, text, words) => {
  expect(() => parseStudyManifest(text, 'S.maskscope')).toThrow(words)
  expect(() => parseStudyManifest(text, 'S.maskscope')).toThrow('S.maskscope')
})

test('lists of numbers stand on one line; what looks like one in a string stays as it is', () => {
  const value = { crop: [1, 2.5, -3e-7], text: '[ 1,  2 ]\n[\n 3 ]', words: ['a', 'b'], none: [] }
  const text = formatJson(value)
  expect(text).toContain('"crop": [1, 2.5, -3e-7],')
  expect(JSON.parse(text)).toEqual(value)
})

test('a record that says no format is of the first version; a newer one is refused', () => {
  expect(() => parseRunRecord('{"id": "x", "order": {}}', 'record.json')).toThrow(/record\.json cannot be read: state/)
  expect(() => parseRunRecord('{"format": "maskscope-record", "version": 4}', 'record.json')).toThrow('newer Maskscope')
})

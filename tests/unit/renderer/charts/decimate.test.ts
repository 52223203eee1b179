import { expect, test } from 'vitest'
import { decimate } from '#renderer/components/charts/decimate.ts'
import { createRandom } from '#shared/random/random.ts'

test('few points are all drawn', () => {
  expect(decimate([0, 1, 2], [[5, 6, 7]], 100)).toEqual([0, 1, 2])
})

test('long courses keep both ends and every series\' extremes, in order', () => {
  const random = createRandom(3)
  const count = 20_000
  const x = Array.from({ length: count }, (_, i) => i)
  const series = [0, 1, 2].map(() => Array.from({ length: count }, () => random.uniform()))
  series[0]![1234] = 99
  series[1]![15_001] = -99
  const kept = decimate(x, series, 200)
  expect(kept.length).toBeLessThanOrEqual(200 * 8)
  expect([kept[0], kept.at(-1)]).toEqual([0, count - 1])
  expect(kept).toContain(1234)
  expect(kept).toContain(15_001)
  expect(kept.every((index, i) => i === 0 || index > kept[i - 1]!)).toBe(true)
  for (const values of series) {
    const all = values.reduce((a, b) => Math.max(a, b))
    expect(kept.some((i) => values[i] === all)).toBe(true)
  }
})

test('values that are no numbers do not hide the others', () => {
  const x = Array.from({ length: 1000 }, (_, i) => i)
  const values = x.map((i) => (i % 2 === 0 ? Number.NaN : i === 501 ? 7 : 1))
  expect(decimate(x, [values], 10)).toContain(501)
})

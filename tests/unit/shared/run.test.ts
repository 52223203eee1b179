import { expect, test } from 'vitest'
import { storedIterations } from '#shared/domain/run.ts'

test('stored iterations: the early ones, then evenly, the last, at most 64', () => {
  expect(storedIterations(0)).toEqual([0])
  expect(storedIterations(7)).toEqual([0, 1, 2, 5, 6, 7])
  for (const n of [1, 3, 49, 50, 51, 63, 64, 100, 200, 499, 1000, 2000, 5000, 100_000]) {
    const stored = storedIterations(n)
    expect(stored.length).toBeLessThanOrEqual(64)
    expect(stored[0]).toBe(0)
    expect(stored.at(-1)).toBe(n)
    for (const early of [1, 2, 5, 10, 20, 50]) if (early <= n) expect(stored).toContain(early)
    const late = stored.filter((i) => i >= 50 && i < n)
    const gaps = new Set(late.slice(1).map((value, i) => value - late[i]!))
    expect(gaps.size).toBeLessThanOrEqual(1)
  }
  expect(storedIterations(2000).length).toBeGreaterThan(50)
})

import { expect, test } from 'vitest'
import { median, medians } from '../../../bench/timing.ts'

test('the median of odd and even counts', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 3, 2])).toBe(2.5)
})

test('work is timed in turns, once more than it counts', async () => {
  const calls: string[] = []
  const times = await medians({ a: () => void calls.push('a'), b: () => void calls.push('b') }, 5)
  expect(calls.join('')).toBe('ab'.repeat(6))
  expect(times.a).toBeGreaterThanOrEqual(0)
  expect(Object.keys(times)).toEqual(['a', 'b'])
})

import { expect, test } from 'vitest'
import { createTimeLeft } from '#services/benchmark/time-left.ts'

test('each kind of work as long as it took so far, unknown ones as long as the mean, side by side as before', () => {
  let milliseconds = 5000
  const clock = createTimeLeft(() => milliseconds)
  expect(clock.left(['slow'])).toBeNull()
  // Two at once: 6 seconds of one kind and 2 of the other in 6 seconds.
  const [slow, fast] = [clock.begin('slow'), clock.begin('fast')]
  milliseconds += 2000
  fast()
  milliseconds += 4000
  slow()
  expect(clock.left([])).toBe(0)
  expect(clock.left(['slow'])).toBeCloseTo(6 * (6 / 8), 12)
  expect(clock.left(['slow', 'fast', 'fast'])).toBeCloseTo(10 * (6 / 8), 12)
  expect(clock.left(['new'])).toBeCloseTo(4 * (6 / 8), 12)
})

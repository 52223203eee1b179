// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { pace, paced } from '#renderer/stores/pace.ts'

beforeEach(() => {
  pace.interval = 66
  vi.useFakeTimers()
})
afterEach(() => vi.useRealTimers())

test('at once after a pause, then at most fifteen times a second, and the last time is not lost', () => {
  const act = vi.fn()
  const touch = paced(act)
  touch()
  touch()
  vi.advanceTimersByTime(20)
  expect(act).toHaveBeenCalledTimes(1)
  for (let ms = 0; ms < 1000; ms++) {
    touch()
    vi.advanceTimersByTime(1)
  }
  expect(act.mock.calls.length).toBeGreaterThanOrEqual(11)
  expect(act.mock.calls.length).toBeLessThanOrEqual(16)
  const before = act.mock.calls.length
  touch()
  vi.advanceTimersByTime(200)
  expect(act).toHaveBeenCalledTimes(before + 1)
})

import { afterEach, expect, test, vi } from 'vitest'
import type { RunEvent } from '#shared/domain/run.ts'
import { duration, progressLine } from '../../../../src-main/shells/cli/progress.ts'

afterEach(() => {
  vi.useRealTimers()
})

function terminal(isTTY: boolean, columns: number): { stream: NodeJS.WriteStream; written(): string; last(): string } {
  const texts: string[] = []
  const stream = { isTTY, columns, write: (text: string) => texts.push(text) > 0 } as unknown as NodeJS.WriteStream
  return { stream, written: () => texts.join(''), last: () => texts[texts.length - 1] ?? '' }
}

function progress(run: string, iteration: number): RunEvent {
  return { type: 'progress', run, progress: { image: 0, iteration, iterations: 100, losses: { prediction: 1, total: 2.345678 }, probability: 0.5 } }
}

test('iteration, loss, probability and the time left, over all runs', () => {
  vi.useFakeTimers()
  const { stream, last } = terminal(true, 200)
  const line = progressLine(2, stream)
  line.event({ type: 'started', run: 'a', worker: 1, target: 0, original: null })
  vi.advanceTimersByTime(10_000)
  line.event(progress('a', 50))
  // A quarter of the work took 10 s, so three quarters take 30.
  expect(last()).toBe(`[${'='.repeat(6)}${' '.repeat(18)}] 0/2 runs  iteration 50/100  loss 2.346  p 0.500  30 s left`)
  line.event({ type: 'finished', run: 'a', seconds: 10 })
  vi.advanceTimersByTime(10_000)
  line.event(progress('b', 50))
  expect(last()).toContain(`[${'='.repeat(18)}${' '.repeat(6)}] 1/2 runs  iteration 50/100  loss 2.346  p 0.500  7 s left`)
})

test('stays within the terminal and is not redrawn more often than eyes see', () => {
  vi.useFakeTimers()
  const { stream, written, last } = terminal(true, 40)
  const line = progressLine(1, stream)
  line.event({ type: 'started', run: 'a', worker: 1, target: 0, original: null })
  for (let i = 0; i < 100; i++) {
    vi.advanceTimersByTime(5)
    line.event(progress('a', i))
  }
  expect(last().length).toBeLessThan(40)
  expect(written().match(/\[=*/g)!.length).toBeLessThanOrEqual(8 * 2)
})

test('says nothing where standard error is no terminal', () => {
  const { stream, written } = terminal(false, 80)
  const line = progressLine(1, stream)
  line.event({ type: 'started', run: 'a', worker: 1, target: 0, original: null })
  line.event(progress('a', 100))
  line.clear()
  expect(written()).toBe('')
})

test.each([[Number.NaN, '?'], [400, '0 s'], [59_400, '59 s'], [185_000, '3 min 5 s'], [7_800_000, '2 h 10 min']])('%d ms is %s', (ms, text) => {
  expect(duration(ms)).toBe(text)
})

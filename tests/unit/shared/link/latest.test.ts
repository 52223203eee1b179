import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { createClient } from '#shared/link/client.ts'
import { memoryWires } from '#shared/link/memory-wire.ts'
import { createPacer } from '#shared/link/pacer.ts'
import type { Wire } from '#shared/link/wire.ts'
import { serveExample, type Example, type RunHandler } from './example-contract.ts'

const map = new Float32Array(4)

/** What a window hears of a run; the server's wire can be made to seem full, the window's deaf. */
function watchRun(run: RunHandler, { interval = 5 } = {}) {
  const [here, there] = memoryWires()
  let buffered = 0
  let deaf = false
  const slow: Wire = { ...there, buffered: () => buffered }
  const late: (() => void)[] = []
  const window: Wire = {
    ...here,
    onMessage: (listener) => here.onMessage((message) => {
      if (deaf) late.push(() => listener(message))
      else listener(message)
    }),
  }
  serveExample(slow, { run }, { interval, mostBuffered: 1000 })
  const losses: number[] = []
  const frames: Record<string, number[]> = {}
  createClient<Example>(window).watch('run', {}, (event) => {
    if (event.type === 'loss') losses.push(event.i)
    else (frames[event.run] ??= []).push(event.i)
  })
  return {
    losses, frames, late,
    fill: (bytes: number) => void (buffered = bytes),
    stopHearing: () => void (deaf = true),
    hearAgain() {
      deaf = false
      for (const tell of late.splice(0)) tell()
    },
  }
}

const ascending = (values: readonly number[]): boolean => values.every((value, i) => i === 0 || value > values[i - 1]!)
const all = Array.from({ length: 10_000 }, (_, i) => i)

async function tenThousand(emit: Parameters<RunHandler>[0], runs: readonly string[]): Promise<void> {
  for (const i of all) {
    emit({ type: 'loss', i })
    for (const run of runs) emit.latest(run, { type: 'frame', run, i, map })
    if (i % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

describe('a fast run', () => {
  test('loses frames and never a loss value, each in order, and its last frame arrives', async () => {
    const { losses, frames } = watchRun((emit) => tenThousand(emit, ['a', 'b']))
    await vi.waitFor(() => expect([frames['a']?.at(-1), frames['b']?.at(-1)]).toEqual([9999, 9999]), 10_000)
    expect(losses).toEqual(all)
    for (const run of ['a', 'b']) {
      expect(ascending(frames[run]!)).toBe(true)
      expect(frames[run]!.length).toBeLessThan(5000)
    }
  })

  test('sends no frame over a wire that is full, and the latest when it is free', async () => {
    const { losses, frames, fill } = watchRun((emit) => tenThousand(emit, ['a']))
    fill(1000)
    await vi.waitFor(() => expect(losses).toHaveLength(10_000), 10_000)
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(frames['a']).toBeUndefined()
    fill(999)
    await vi.waitFor(() => expect(frames['a']).toEqual([9999]))
  })

  test('has at most three frames on their way to a window that does not answer, on any wire', async () => {
    const watched = watchRun((emit) => tenThousand(emit, ['a']))
    watched.stopHearing()
    await vi.waitFor(() => expect(watched.late.length).toBeGreaterThan(10_000 - 1), 10_000)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(watched.late).toHaveLength(10_003)
    watched.hearAgain()
    await vi.waitFor(() => expect(watched.frames['a']!.at(-1)).toBe(9999))
    expect(watched.frames['a']).toHaveLength(4)
    expect(watched.losses).toEqual(all)
  })

  test('is shown at display rate at most', async () => {
    const { frames } = watchRun(async (emit, signal) => {
      for (let i = 0; !signal.aborted && i < 200; i++) {
        emit.latest('a', { type: 'frame', run: 'a', i, map })
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    }, { interval: 33 })
    const start = performance.now()
    await vi.waitFor(() => expect(frames['a']!.at(-1)).toBe(199), 10_000)
    expect(frames['a']!.length).toBeLessThanOrEqual((performance.now() - start) / 33 + 2)
  })
})

test('a pacer keeps the order of each key and its last event, whatever is offered, seen and refused', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  try {
    const step = fc.oneof(
      fc.record({ do: fc.constant('offer'), key: fc.constantFrom('a', 'b') }),
      fc.record({ do: fc.constant('seen'), key: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ do: fc.constant('wait'), ms: fc.integer({ min: 1, max: 50 }) }),
      fc.record({ do: fc.constant('ready'), ready: fc.boolean() }),
    )
    fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let ready = true
      const sent: Record<string, { event: number; at: number }[]> = { a: [], b: [] }
      const last: Record<string, number> = {}
      const pacer = createPacer({ ready: () => ready, send: (key, event) => sent[key]!.push({ event: event as number, at: performance.now() }), interval: 33, inFlight: 2 })
      steps.forEach((one, i) => {
        if ('key' in one && one.do === 'offer') pacer.offer(one.key, (last[one.key] = i))
        else if ('key' in one) pacer.seen(one.key)
        else if ('ms' in one) vi.advanceTimersByTime(one.ms)
        else ready = one.ready
      })
      ready = true
      for (let i = 0; i < 4; i++) {
        vi.advanceTimersByTime(34)
        for (const key of ['a', 'b']) pacer.seen(key)
      }
      for (const key of ['a', 'b']) {
        expect(sent[key]!.at(-1)?.event).toBe(last[key])
        expect(ascending(sent[key]!.map(({ event }) => event))).toBe(true)
        sent[key]!.forEach(({ at }, i) => expect(i === 0 || at - sent[key]![i - 1]!.at >= 33).toBe(true))
      }
      pacer.stop()
      expect(vi.getTimerCount()).toBe(0)
    }), { numRuns: 300 })
  } finally {
    vi.useRealTimers()
  }
})

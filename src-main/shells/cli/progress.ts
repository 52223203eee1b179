import { clearLine, cursorTo } from 'node:readline'
import type { RunEvent } from '#shared/domain/run.ts'

/** A line at the foot of a terminal that tells how far the runs are. */
export interface ProgressLine {
  event(event: RunEvent): void
  /** Takes the line away, so that something else can be written; the next event brings it back. */
  clear(): void
}

const width = 24
const interval = 100

/** Does nothing where standard error is no terminal. */
export function progressLine(total: number, stream: NodeJS.WriteStream = process.stderr): ProgressLine {
  if (!stream.isTTY) return { event: () => undefined, clear: () => undefined }
  const fractions = new Map<string, number>()
  let ended = 0
  let begun: number | undefined
  let drawn = 0

  function clear(): void {
    clearLine(stream, 0)
    cursorTo(stream, 0)
  }

  function event(event: RunEvent): void {
    if (event.type === 'started') begun ??= performance.now()
    if (event.type === 'finished' || event.type === 'failed' || event.type === 'cancelled') {
      fractions.delete(event.run)
      ended++
    }
    if (event.type !== 'progress') return
    const { iteration, iterations, losses, probability } = event.progress
    fractions.set(event.run, iteration / Math.max(1, iterations))
    const now = performance.now()
    if (now - drawn < interval && iteration < iterations) return
    drawn = now
    const done = (ended + [...fractions.values()].reduce((sum, f) => sum + f, 0)) / total
    const left = done > 0 && begun !== undefined ? ((now - begun) / done) * (1 - done) : Number.NaN
    const filled = Math.round(done * width)
    const runs = total > 1 ? `${ended}/${total} runs  ` : ''
    const loss = losses['total'] === undefined ? '' : `  loss ${losses['total'].toPrecision(4)}`
    const text = `[${'='.repeat(filled)}${' '.repeat(width - filled)}] ${runs}iteration ${iteration}/${iterations}${loss}  p ${probability.toFixed(3)}  ${duration(left)} left`
    clear()
    stream.write(text.slice(0, Math.max(20, (stream.columns || 80) - 1)))
  }

  return { event, clear }
}

/** E.g. "12 s", "3 min 5 s", "2 h 10 min". */
export function duration(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return '?'
  const seconds = Math.round(milliseconds / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
}

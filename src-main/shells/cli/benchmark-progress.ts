import { clearLine, cursorTo } from 'node:readline'
import type { BenchmarkNews } from '#services/benchmark/perform.ts'
import { duration } from './progress.ts'

/** How far a long work is: a line at the foot of a terminal, or now and then a line in a log. */
export interface WorkLine {
  tell(news: Omit<BenchmarkNews, 'failures'>): void
  clear(): void
}

const width = 24
/** Between two lines of a log, in ms. */
const logEvery = 30_000

export function workLine(stream: NodeJS.WriteStream = process.stderr): WorkLine {
  let logged = -Infinity

  function text({ done, total, unit, secondsLeft }: Omit<BenchmarkNews, 'failures'>): string {
    const filled = Math.round((done / Math.max(1, total)) * width)
    const left = secondsLeft === null ? '' : `  ${duration(1000 * secondsLeft)} left`
    return `[${'='.repeat(filled)}${' '.repeat(width - filled)}] ${done}/${total}${left}  ${unit}`
  }

  return {
    tell(news) {
      if (stream.isTTY) {
        clearLine(stream, 0)
        cursorTo(stream, 0)
        stream.write(text(news).slice(0, Math.max(20, (stream.columns || 80) - 1)))
        return
      }
      const now = performance.now()
      if (now - logged < logEvery && news.done < news.total) return
      logged = now
      stream.write(`${text(news)}\n`)
    },
    clear() {
      if (!stream.isTTY) return
      clearLine(stream, 0)
      cursorTo(stream, 0)
    },
  }
}

import type { CDPSession } from 'playwright-core'
import { rounded } from './timing.ts'

/** As Chromium's own trace has it; times in microseconds. */
export interface TraceEvent {
  name: string
  ph: string
  dur?: number
  /** Of the processor. */
  tdur?: number
  ts: number
  pid: number
  tid: number
  args?: { name?: string; data?: { type?: string; duration?: number; interactionId?: number; timeStamp?: number; commitFinishTime?: number } }
}

/** What Chromium did during some work. @param categories besides those that tell of the main thread */
export async function record(session: CDPSession, work: () => Promise<void>, categories: readonly string[] = []): Promise<TraceEvent[]> {
  const events: TraceEvent[] = []
  session.on('Tracing.dataCollected', ({ value }) => void events.push(...(value as unknown as TraceEvent[])))
  const includedCategories = ['devtools.timeline', 'disabled-by-default-devtools.timeline', 'toplevel', '__metadata', ...categories]
  await session.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories } })
  await work()
  const complete = new Promise<void>((resolve) => session.once('Tracing.tracingComplete', () => resolve()))
  await session.send('Tracing.end')
  await complete
  return events
}

export function isTask(event: TraceEvent): boolean {
  return event.ph === 'X' && event.name.endsWith('RunTask')
}

/** ms */
export function spread(values: readonly number[]): { median: number; p95: number; worst: number } {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number): number => rounded(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN, 1)
  return { median: at(0.5), p95: at(0.95), worst: at(1) }
}

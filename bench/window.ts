import { availableParallelism } from 'node:os'
import type { Page } from 'playwright-core'
import { startShell } from '../tests/e2e/shell.ts'
import { closeBrowser, openWindow } from '../tests/e2e/window.ts'
import { rounded } from './timing.ts'
import { isTask, record, spread, type TraceEvent } from './trace.ts'

const coldStarts = 5
const clicks = 20
const watchedMs = 10_000

/**
 * The window under load: time from starting the web shell to a window that can be used; then, while WASM computes on
 * every core, the longest task of the page and the time from a click to the frame that shows it, from Chromium's trace.
 */
export async function run(): Promise<object> {
  const cold: number[] = []
  for (let i = 0; i < coldStarts; i++) cold.push(await coldStart())
  const load = await underLoad()
  await closeBrowser()
  return { coldStartMs: { median: median(cold), worst: Math.max(...cold) }, cores: availableParallelism(), ...load }
}

async function coldStart(): Promise<number> {
  const begun = performance.now()
  const shell = await startShell()
  const window = await openWindow(shell.url)
  await window.page.getByRole('button', { name: 'Try the demo' }).first().waitFor()
  const ms = performance.now() - begun
  await window.close()
  await shell.stop()
  return Math.round(ms)
}

async function underLoad(): Promise<object> {
  const shell = await startShell()
  const window = await openWindow(shell.url)
  const { page } = window
  try {
    await page.getByRole('button', { name: 'Try the demo' }).first().click()
    await page.getByRole('table').waitFor({ timeout: 20_000 }).catch(() => undefined)
    // More than are worked on at a time, so that no core is idle while we watch.
    for (let i = 0; i < 3 * availableParallelism(); i++) await page.keyboard.press('Control+Enter')
    await page.waitForTimeout(1000)
    const session = await window.context.newCDPSession(page)
    const trace = await record(session, () => useWindow(page))
    const main = mainThread(trace)
    const tasks = trace.filter((e) => isTask(e) && e.pid === main.pid && e.tid === main.tid).map((e) => (e.dur ?? 0) / 1000)
    const interactions = trace.flatMap(({ name, args }) => (name === 'EventTiming' && args?.data?.interactionId ? [args.data] : []))
    // What the page itself needs, and until the frame was presented: without a GPU that is drawn on the cores that compute.
    const committed = interactions.map(({ timeStamp = 0, commitFinishTime }) => (commitFinishTime ?? Infinity) - timeStamp).filter(Number.isFinite)
    const reactions = interactions.map(({ duration }) => duration ?? 0)
    const slowest = interactions.toSorted((a, b) => (b.duration ?? 0) - (a.duration ?? 0))[0]
    return {
      longestTaskMs: rounded(Math.max(...tasks), 1),
      tasksOver50Ms: tasks.filter((ms) => ms > 50).length,
      interactions: reactions.length,
      committedMs: spread(committed),
      presentedMs: { ...spread(reactions), worstIsA: slowest?.type },
    }
  } finally {
    await window.close()
    await shell.stop()
  }
}

/** What a person does while it computes: toggles pictures, scrubs, types a filter, opens and closes the palette. */
async function useWindow(page: Page): Promise<void> {
  const until = Date.now() + watchedMs
  for (let i = 0; i < clicks || Date.now() < until; i++) {
    await page.keyboard.press(['1', '2', 'ArrowLeft', 'L'][i % 4]!)
    await page.waitForTimeout(100)
    if (i % 5 === 0) {
      await page.keyboard.press('Control+k')
      await page.waitForTimeout(100)
      await page.keyboard.press('Escape')
    }
    await page.mouse.click(640, 300)
    await page.waitForTimeout(100)
  }
}

/** The renderer's main thread: of those so named, the one with the most work. */
function mainThread(trace: readonly TraceEvent[]): { pid: number; tid: number } {
  const named = trace.filter((e) => e.name === 'thread_name' && e.args?.name === 'CrRendererMain')
  const work = (t: TraceEvent): number => trace.filter((e) => isTask(e) && e.pid === t.pid && e.tid === t.tid).reduce((sum, e) => sum + (e.dur ?? 0), 0)
  const busiest = named.sort((a, b) => work(b) - work(a))[0]
  if (!busiest) throw new Error('The trace names no main thread of the page.')
  return busiest
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { Page } from 'playwright-core'
import { closeBrowser, openWindow } from '../../tests/e2e/window.ts'
import { startShell } from '../../tests/e2e/shell.ts'
import { layDesk } from './desk.ts'
import { journey, type State, type Theme } from './journey.ts'

/**
 * npm run screenshots [-- --out DIR] [--theme light|dark] [--until STATE]
 *
 * Pictures of every state of the window, from the real program with the real engine, in both themes and at both sizes:
 * DIR/STATE-THEME-SIZE.png. States that need real models and photos are taken where MASKSCOPE_DATA names them.
 */
const sizes = [{ width: 1280, height: 800 }, { width: 1920, height: 1080 }] as const

/** Until a change of size has been laid out and drawn. */
const settleMs = 250

const { values: flags } = parseArgs({ options: { out: { type: 'string', default: 'screenshots' }, theme: { type: 'string' }, until: { type: 'string' } } })
const out = path.resolve(flags.out)

async function takeAll(page: Page, theme: Theme, state: State): Promise<void> {
  const name = nameOf(state)
  // The smaller last: the journey goes on in it.
  for (const size of [...sizes].reverse()) {
    await page.setViewportSize(size)
    await page.waitForTimeout(settleMs)
    if (typeof state !== 'string') await state.pose()
    await page.screenshot({ path: path.join(out, `${name}-${theme}-${size.width}x${size.height}.png`) })
  }
  console.log(`${theme}: ${name}`)
}

function nameOf(state: State): string {
  return typeof state === 'string' ? state : state.name
}

async function walk(theme: Theme): Promise<readonly string[]> {
  const desk = await layDesk()
  const shell = await startShell({ folders: desk.places })
  try {
    const { page, complaints } = await openWindow(shell.url, { theme, ...sizes[0] })
    page.setDefaultTimeout(20_000)
    for await (const state of journey(page, shell, desk)) {
      await takeAll(page, theme, state)
      if (nameOf(state) === flags.until) break
    }
    return complaints
  } finally {
    await shell.stop()
    await closeBrowser()
    await rm(desk.folder, { recursive: true, force: true })
  }
}

await mkdir(out, { recursive: true })
for (const theme of ['light', 'dark'] as const) {
  if (flags.theme !== undefined && flags.theme !== theme) continue
  const started = performance.now()
  const complaints = await walk(theme)
  console.log(`${theme}: ${((performance.now() - started) / 1000).toFixed(0)} s`)
  for (const complaint of complaints) console.log(`  the page says: ${complaint}`)
}

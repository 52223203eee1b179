import { copyFile, mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { Page } from 'playwright-core'
import { closeBrowser, openWindow } from '../../tests/e2e/window.ts'
import { startShell } from '../../tests/e2e/shell.ts'
import { layDesk } from './desk.ts'
import { root } from '../build/ensure-built.js'
import { journey, shortJourney, type State } from './journey.ts'
import { viewPrefix } from './views.ts'

/**
 * npm run screenshots [-- --views] [--out DIR] [--theme light|dark] [--until STATE]
 *
 * Pictures of every state of the window, from the real program with the real engine, in both themes and at both sizes:
 * DIR/STATE-THEME-SIZE.png; with --views those alone that stand in docs/images: each view as somebody works in it. States that need
 * real models and photos are taken where MASKSCOPE_DATA names them.
 */
const sizes = [{ width: 1280, height: 800 }, { width: 1920, height: 1080 }] as const
const themes = ['dark', 'light'] as const

/** Until a change of size or theme has been laid out and drawn. */
const settleMs = 200

const { values: flags } = parseArgs({
  options: { out: { type: 'string', default: 'screenshots' }, theme: { type: 'string' }, until: { type: 'string' }, views: { type: 'boolean', default: false } },
})
const out = path.resolve(flags.out)
const documented = path.join(root, 'docs', 'images')

async function takeAll(page: Page, state: State): Promise<void> {
  const name = nameOf(state)
  // The smaller and lighter last: the journey goes on in it.
  for (const size of [...sizes].reverse()) {
    await page.setViewportSize(size)
    for (const theme of themes) {
      if (flags.theme !== undefined && flags.theme !== theme) continue
      await page.emulateMedia({ colorScheme: theme })
      await page.waitForTimeout(settleMs)
      if (typeof state !== 'string') await state.pose()
      const file = `${name}-${theme}-${size.width}x${size.height}.png`
      await page.screenshot({ path: path.join(out, file) })
      if (flags.views && name.startsWith(viewPrefix)) await copyFile(path.join(out, file), path.join(documented, file))
    }
  }
  console.log(name)
}

function nameOf(state: State): string {
  return typeof state === 'string' ? state : state.name
}

async function walk(): Promise<readonly string[]> {
  const desk = await layDesk()
  const shell = await startShell({ folders: desk.places })
  try {
    const { page, complaints } = await openWindow(shell.url, { ...sizes[0] })
    page.setDefaultTimeout(30_000)
    for await (const state of flags.views ? shortJourney(page) : journey(page, shell, desk)) {
      await takeAll(page, state)
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
const started = performance.now()
const complaints = await walk()
console.log(`${((performance.now() - started) / 1000).toFixed(0)} s`)
for (const complaint of complaints) console.log(`  the page says: ${complaint}`)

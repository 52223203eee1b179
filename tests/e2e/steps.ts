import type { Download, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'
import { findBrowser } from '../find-browser.ts'
import { startShell, type Shell, type ShellOptions } from './shell.ts'
import { closeWindows, openWindow, type Window, type WindowOptions } from './window.ts'

/** However slow a machine computes, the demo comes that far in this time, ms. */
export const patience = 90_000

export interface Stand {
  shell: Shell
  window: Window
  page: Page
}

/** One shell and one window for all tests of a file: the address that opens a window works once. */
export function standOfFile(options: WindowOptions & Pick<ShellOptions, 'executor'> = {}): () => Stand {
  let stand: Stand | undefined
  beforeAll(async () => {
    if (findBrowser() === undefined) return
    const shell = await startShell(options)
    const window = await openWindow(shell.url, options)
    stand = { shell, window, page: window.page }
  })
  afterAll(async () => {
    await closeWindows()
    await stand?.shell.stop()
  })
  return () => stand!
}

/** The demo's model and scene, from the empty window. */
export async function openDemo(page: Page): Promise<void> {
  await stageOf(page).getByRole('button', { name: 'Try the demo' }).click()
  await readyToRun(page).waitFor()
}

export const stageOf = (page: Page): Locator => page.getByRole('region', { name: 'Stage' })

/** The button, once it can be pressed. */
export const readyToRun = (page: Page): Locator => page.getByRole('group', { name: 'Run', exact: true }).getByRole('button', { name: 'Run', exact: true, disabled: false })

export const grid = (page: Page): Locator => page.getByRole('grid', { name: 'Runs of this study' })

/** @param number of the run in its study, from 1 */
export const rowOf = (page: Page, number: number): Locator => grid(page).locator(`tr[data-run^="${String(number).padStart(4, '0')}-"]`)

export const progressOf = (page: Page, number: number): Locator => rowOf(page, number).getByRole('progressbar')

/** The steps that a row tells. */
export async function stepsOf(page: Page, number: number): Promise<number> {
  return Number((await rowOf(page, number).locator('td').nth(5).innerText()).replaceAll(',', ''))
}

/** Until a live run has made so many steps. */
export async function reached(page: Page, number: number, steps: number): Promise<void> {
  await until(async () => (await stepsOf(page, number)) >= steps, `run ${number} makes ${steps} steps`)
}

export async function finished(page: Page, number: number): Promise<void> {
  await rowOf(page, number).getByText('finished', { exact: true }).waitFor({ timeout: patience })
}

export async function setNumber(page: Page, name: string, value: number): Promise<void> {
  const field = page.getByRole('spinbutton', { name, exact: true })
  await field.fill(String(value))
  await field.press('Enter')
}

/** Asks again and again until it holds. */
export async function until(holds: () => Promise<boolean> | boolean, what: string): Promise<void> {
  const end = Date.now() + patience
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`It never happened that ${what}.`)
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
}

/** How many different colours the pictures of a figure on the stage have; 0 where nothing is drawn. */
export async function coloursOf(page: Page, title: string): Promise<number> {
  return stageOf(page).getByRole('figure', { name: new RegExp(`^${title}`) }).first().locator('canvas').evaluateAll((canvases) => {
    const colours = new Set<number>()
    for (const canvas of canvases as HTMLCanvasElement[]) {
      const context = canvas.getContext('2d')
      if (!context || canvas.width === 0 || canvas.height === 0) continue
      for (const colour of new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer)) colours.add(colour)
    }
    return colours.size
  })
}

/** The next file that the page saves whose name ends so; what is saved at once may come in any order. */
export function downloadOf(page: Page, extension: string): Promise<Download> {
  return page.waitForEvent('download', (download) => download.suggestedFilename().endsWith(extension))
}

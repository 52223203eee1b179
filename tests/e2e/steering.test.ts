import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect } from 'vitest'
import { root } from '../../scripts/build/ensure-built.js'
import { browserTest } from '../browser.ts'
import { findBrowser } from '../find-browser.ts'
import { startShell, type Shell } from './shell.ts'
import { until } from './steps.ts'
import { closeWindows, openWindow } from './window.ts'

/** One window with the demo; the runs are counted on from test to test. */
const folder = mkdtempSync(path.join(tmpdir(), 'maskscope-steering-'))
let shell: Shell
let page: Page
let complaints: string[]

/** Of the first run: not over before it is paused. */
const iterations = 200

beforeAll(async () => {
  if (findBrowser() === undefined) return
  shell = await startShell({ executor: 'tfjs' })
  ;({ page, complaints } = await openWindow(shell.url))
  page.setDefaultTimeout(20_000)
  await page.getByRole('button', { name: 'Try the demo' }).first().click()
  await section('Target class').waitFor()
})
afterAll(async () => {
  await closeWindows()
  await shell?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const section = (name: string): Locator => page.getByRole('region', { name, exact: true })
const runBar = (): Locator => page.getByRole('group', { name: 'Run', exact: true })
const button = (name: string | RegExp): Locator => runBar().getByRole('button', { name, exact: typeof name === 'string' })
const scrubber = (): Locator => page.getByRole('slider', { name: 'Iteration shown' })
const row = (number: number): Locator => page.locator(`tr[data-run^="${String(number).padStart(4, '0')}-"]`)
const parameter = (name: string): Locator => section('Method').getByRole('spinbutton', { name, exact: true })

async function set(name: string, value: number): Promise<void> {
  await parameter(name).fill(String(value))
  await parameter(name).press('Enter')
}

/** The number of iterations is short or long as the test needs it. @returns the run's number */
async function start(iterations: number, seed: number): Promise<number> {
  await set('Iterations', iterations)
  await set('Seed', seed)
  const before = await page.locator('tr[data-run]').count()
  await button('Run').click()
  await page.waitForFunction((count) => document.querySelectorAll('tr[data-run]').length > count, before)
  // Of the table: the folder of a run that waits may not be there yet.
  return page.evaluate(() => Math.max(...[...document.querySelectorAll<HTMLElement>('tr[data-run]')].map(({ dataset }) => Number.parseInt(dataset['run']!, 10))))
}

/** Of the one study that the window writes. */
function study(): string {
  const [name] = readdirSync(shell.studies)
  return path.join(shell.studies, name!)
}
const runNames = (): string[] => readdirSync(path.join(study(), 'runs'))

interface Stored {
  order: { changes: { iteration: number; parameters: Record<string, unknown> }[] }
  arrays: Record<string, { sha256: string }>
}

function stored(number: number): Stored {
  const name = runNames().find((found) => Number.parseInt(found, 10) === number)!
  return JSON.parse(readFileSync(path.join(study(), 'runs', name, 'run.json'), 'utf8')) as Stored
}

async function reaches(iteration: number): Promise<void> {
  await page.waitForFunction((least) => Number(document.querySelector('[aria-label="Iteration shown"]')?.getAttribute('aria-valuenow')) >= least, iteration)
}

async function underWay(number: number): Promise<void> {
  await expect.poll(async () => Number(await row(number).getByRole('progressbar').getAttribute('aria-valuenow')), { timeout: 20_000 }).toBeGreaterThan(0)
}

const finished = (number: number): Promise<void> => row(number).getByText('finished').waitFor()
const cancel = async (number: number): Promise<void> => {
  await row(number).click()
  await button('Cancel').click()
  await row(number).getByText('cancelled').waitFor()
}
const chooseFor = async (number: number, item: string): Promise<void> => {
  await row(number).getByRole('button', { name: /^What to do with/ }).click()
  await page.getByRole('menuitem', { name: item }).click()
}

/** What is drawn in a picture of the stage. */
function drawn(picture: string): Promise<string> {
  return page.getByRole('img', { name: new RegExp(`^${picture}\\b`) }).locator('canvas').last().evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL())
}

/** The same, once it stays: what is live is drawn a little after it is told of. */
async function settled(picture: string): Promise<string> {
  let before = await drawn(picture)
  await until(async () => {
    await setTimeout(300)
    const now = await drawn(picture)
    const same = now === before
    before = now
    return same
  }, `${picture} stays as it is`)
  return before
}

/** Notes for each run in which turn of the page it was first seen to be under way. */
async function watchBeginnings(): Promise<void> {
  await page.evaluate(() => {
    const begun: Record<string, number> = {}
    let turn = 0
    Object.assign(globalThis, { begun })
    new MutationObserver(() => {
      turn++
      for (const bar of document.querySelectorAll('tr[data-run] [role="progressbar"]')) begun[bar.closest('tr')!.dataset['run']!] ??= turn
    }).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ['aria-valuenow'] })
  })
}

browserTest('a run is paused, looked through, changed, goes on, and its line makes the same bytes', async () => {
  const number = await start(iterations, 4)
  await reaches(10)
  await button('Pause').click()
  await section('Method').getByText(/The run is paused after iteration \d+/).waitFor()

  // Through what there is so far.
  const latest = await settled('Mask')
  const last = Number(await scrubber().getAttribute('aria-valuenow'))
  await scrubber().press('Home')
  await expect.poll(() => scrubber().getAttribute('aria-valuenow')).toBe('0')
  await expect.poll(() => drawn('Mask')).not.toBe(latest)
  // All that the study keeps is there once the run rests, also what it was too quick to be told of.
  await expect.poll(async () => {
    await scrubber().press('Home')
    await scrubber().press('ArrowRight')
    return scrubber().getAttribute('aria-valuenow')
  }).toBe('1')
  await scrubber().press('End')
  await expect.poll(() => scrubber().getAttribute('aria-valuenow')).toBe(String(last))
  await expect.poll(() => drawn('Mask')).toBe(latest)

  // What was set at the start stays; what can change on the way is applied when it is said so.
  expect(await parameter('Iterations').isDisabled()).toBe(true)
  expect(await button(/^Apply from iteration/).isDisabled()).toBe(true)
  await set('Sparsity λs', 5000)
  await section('Method').getByRole('alert').filter({ hasText: 'Enter a number from 0 to 1000.' }).waitFor()
  expect(await button(/^Apply from iteration/).isDisabled()).toBe(true)
  await set('Sparsity λs', 20)
  await runBar().getByText('What you have set is not applied yet.').waitFor()
  const apply = await button(/^Apply from iteration \d+ on$/).innerText()
  const from = Number(/\d+/.exec(apply)![0])
  expect(from).toBe(last + 1)
  await button(apply).click()
  await section('Method').getByRole('list', { name: 'Changed on the way' }).getByText(`From iteration ${from}: λs 20`).waitFor()
  await runBar().getByText('What you have set is not applied yet.').waitFor({ state: 'detached' })
  await button('Resume').click()
  await finished(number)
  await section('Course of the run').getByText(`from ${from}`).waitFor()

  const run = stored(number)
  expect(run.order.changes).toEqual([{ iteration: from, parameters: { 'sparsity-weight': 20 } }])
  await chooseFor(number, 'Copy as command')
  const said = await section('Notices').getByText(/^Copied: /).innerText()
  const line = said.replace('Copied: ', '')
  expect(line).toContain(`--change ${from}:sparsity-weight=20`)
  const out = path.join(folder, 'again')
  const printed = execFileSync('sh', ['-c', `${line} --out '${out}' --json`], {
    encoding: 'utf8', cwd: folder, env: { ...process.env, PATH: `${path.join(root, 'bin')}:${process.env['PATH']}` }, stdio: ['ignore', 'pipe', 'ignore'],
  })
  const { runs: [made] } = JSON.parse(printed) as { runs: { id: string }[] }
  const again = JSON.parse(readFileSync(path.join(out, 'runs', made!.id, 'run.json'), 'utf8')) as Stored
  expect(again.arrays).toEqual(run.arrays)
})

browserTest('a run made again with changes is compared with the first by blinking', async () => {
  // Something else stands in the form first, so that what follows waits until the run's own values have come.
  await set('Seed', 77)
  await chooseFor(1, 'Run again with changes')
  await expect.poll(() => parameter('Seed').inputValue()).toBe('4')
  expect(await parameter('Iterations').inputValue()).toBe(String(iterations))
  const number = await start(40, 9)
  await finished(number)
  await row(1).click()
  await row(number).click({ modifiers: ['Control'] })
  const pane = page.getByRole('complementary', { name: 'Two runs compared' })
  await pane.getByRole('row', { name: 'Seed 4 9' }).waitFor()
  await pane.getByRole('row', { name: `Iterations ${iterations} 40` }).waitFor()
  await page.getByText(/^Shown: A .*0001.* seed 4/).waitFor()
  await expect.poll(() => scrubber().getAttribute('aria-valuenow')).toBe(String(iterations))
  const first = await settled('Mask')
  await pane.getByRole('button', { name: /^Blink/ }).click()
  await page.getByText(/^Shown: B .*0002.* seed 9/).waitFor()
  await expect.poll(() => scrubber().getAttribute('aria-valuenow')).toBe('40')
  await expect.poll(() => drawn('Mask')).not.toBe(first)
  await row(1).press('b')
  await page.getByText(/^Shown: A .*0001.* seed 4/).waitFor()
  await expect.poll(() => drawn('Mask')).toBe(first)
  await pane.getByRole('button', { name: 'Stop comparing' }).click()
  await pane.waitFor({ state: 'detached' })
})

browserTest('a deleted run comes back, by its notice and by Ctrl+Z', async () => {
  const kept = stored(2)
  await chooseFor(2, 'Delete')
  await row(2).waitFor({ state: 'detached' })
  expect(runNames().some((name) => name.startsWith('0002-'))).toBe(false)
  await section('Notices').getByRole('button', { name: 'Undo' }).click()
  await row(2).waitFor()
  expect(stored(2)).toEqual(kept)

  await row(2).click()
  await page.keyboard.press('Delete')
  await row(2).waitFor({ state: 'detached' })
  await page.keyboard.press('Control+z')
  await row(2).waitFor()
  expect(existsSync(path.join(study(), '.deleted', runNames().find((name) => name.startsWith('0002-'))!))).toBe(false)
  await row(2).click()
  await expect.poll(() => scrubber().getAttribute('aria-valuenow')).toBe('40')
})

browserTest('several runs wait for their turn, one that is paused lets others pass, and one can be cancelled', async () => {
  const workers = Number(/(\d+) worker/.exec(await page.getByRole('banner').innerText())?.[1] ?? 1)
  // As many as there are workers run at the same time, each with its own progress.
  const besides: number[] = []
  for (let k = 1; k < workers; k++) besides.push(await start(20_000, 100 + k))
  const long = await start(20_000, 1)
  await reaches(5)
  for (const number of besides) {
    await underWay(number)
    await cancel(number)
  }
  await row(long).click()
  await button('Pause').click()
  await row(long).getByRole('progressbar').waitFor()
  await button('Resume').waitFor()
  // The form is the paused run's own; that of the next run stands there once another is looked at.
  await row(1).click()

  await watchBeginnings()
  // The paused run keeps its worker, and where that is the only one there is one more. None of these ends by itself.
  const places = Math.max(1, workers - 1)
  const first: number[] = []
  for (let seed = 2; seed < 2 + places; seed++) first.push(await start(20_000, seed))
  const waiting = [await start(300, 90), await start(300, 91)]
  for (const number of first) await underWay(number)
  for (const number of waiting) expect(await row(number).getByRole('progressbar').count()).toBe(0)
  // One place becomes free, so that those that wait take their turns there.
  await cancel(first[0]!)
  for (const number of waiting) await finished(number)
  const turns = await page.evaluate(() => (globalThis as unknown as { begun: Record<string, number> }).begun)
  const [former, latter] = waiting.map((number) => Object.entries(turns).find(([name]) => Number.parseInt(name, 10) === number)?.[1])
  expect(former).toBeLessThan(latter!)
  for (const number of first.slice(1)) await cancel(number)
  expect(await row(long).getByRole('progressbar').isVisible()).toBe(true)

  await row(long).click()
  await button('Resume').click()
  await button('Pause').waitFor()
  await cancel(long)
  // What it had reached is still there to be looked at.
  await expect.poll(async () => Number(await scrubber().getAttribute('aria-valuenow'))).toBeGreaterThanOrEqual(5)
  expect(complaints).toEqual([])
})

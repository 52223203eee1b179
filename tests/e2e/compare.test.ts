import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import type { FigureSpec, PanelOf } from '#shared/figure/spec.ts'
import { resolveScenes } from '#services/datasets.ts'
import { root } from '../../scripts/build/ensure-built.js'
import { browserTest } from '../browser.ts'
import { bringAxe, faults } from './axe.ts'
import { dropFiles, type Given } from './give-files.ts'
import { downloadOf, patience, standOfFile, until } from './steps.ts'

const stand = standOfFile({ executor: 'tfjs' })

/** Quick ones, and one that lasts long enough to be reloaded in. */
const methods = ['Grad-CAM', 'Gradient', 'Integrated gradients', 'NeuroMask']

const grid = (page: Page): Locator => page.getByRole('grid', { name: 'Comparison' })
const cell = (page: Page, row: number, column: number): Locator => grid(page).getByRole('row').nth(row).getByRole('gridcell').nth(column - 1)

/** The colours of a cell, as one number. */
async function seen(of: Locator): Promise<number> {
  return of.locator('canvas').evaluate((canvas: HTMLCanvasElement) => {
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
    return data.reduce((sum, value, i) => (sum * 31 + value * (i % 7)) % 2_147_483_647, 7)
  })
}

function modelFiles(): Given[] {
  const folder = path.join(root, 'models', 'demo')
  return readdirSync(folder).map((name) => ({ name, bytes: readFileSync(path.join(folder, name)) }))
}

/** A picture that no data set knows anything of. */
async function photo(seed: number): Promise<Given> {
  const { bytes } = await resolveScenes(`scene:${seed}`)[0]!.load()
  return { name: `photo-${seed}.png`, bytes, type: 'image/png' }
}

async function closePopover(page: Page): Promise<void> {
  await page.keyboard.press('Escape')
  await page.locator('.popover').waitFor({ state: 'detached' })
}

async function finishedAll(page: Page, count: number): Promise<void> {
  await page.getByText(`${count} of ${count} run`).waitFor({ timeout: patience })
}

browserTest('four methods on two dropped images: reload on the way, scrub, blink, other parameters, cancel, a drawn box and its metric', async () => {
  const { page, window, shell } = stand()
  page.setDefaultTimeout(30_000)
  await page.keyboard.press('ControlOrMeta+2')
  await page.getByText('Each image becomes a row').waitFor()
  await dropFiles(page, [...modelFiles(), await photo(2_000_007), await photo(2_000_008)])
  await page.getByText('Each method becomes a column').waitFor({ timeout: patience })
  await page.getByRole('button', { name: 'Methods', exact: true }).click()
  for (const method of methods) await page.locator('.picker').getByRole('button', { name: new RegExp(`^${method}(?! ?\\+|-| ×)`) }).first().click()
  await closePopover(page)
  expect(await grid(page).getByRole('columnheader').allInnerTexts()).toEqual(['Image', ...methods.map((name) => expect.stringContaining(name))])
  expect(await grid(page).getByRole('row').count()).toBe(3)

  await page.keyboard.press('ControlOrMeta+Enter')
  // The first results are there while others still wait, and the page goes in the middle of it.
  await until(async () => /queued|running/.test(await grid(page).innerText()), 'runs are under way')
  await page.reload()
  await grid(page).getByRole('gridcell').first().waitFor()
  expect(await grid(page).getByRole('gridcell').count()).toBe(8)
  await finishedAll(page, 8)
  await until(async () => new Set(await Promise.all([1, 2, 3, 4].map((column) => seen(cell(page, 1, column))))).size === 4, 'each method shows its own map')

  // All cells go back in their courses together.
  const slow = cell(page, 1, 4)
  const atEnd = await seen(slow)
  const progress = page.getByRole('slider', { name: "Share of each run's course" })
  await progress.press('Home')
  await until(async () => (await seen(slow)) !== atEnd, 'the first mask is shown')
  await progress.press('End')
  await until(async () => (await seen(slow)) === atEnd, 'the last mask is back')

  await cell(page, 1, 2).click()
  const other = await seen(cell(page, 1, 2))
  await page.keyboard.press('m')
  await page.keyboard.press('ArrowLeft')
  const own = await seen(cell(page, 1, 1))
  await page.keyboard.down('b')
  await until(async () => (await seen(cell(page, 1, 1))) === other, 'the second map stands in the place of the first')
  await page.keyboard.up('b')
  await until(async () => (await seen(cell(page, 1, 1))) === own, 'the first map is back')

  // Other parameters ask for other runs; what is taken back brings the old ones.
  await page.getByRole('button', { name: /^NeuroMask.*parameters and more$/ }).click()
  const iterations = page.getByRole('spinbutton', { name: 'Iterations', exact: true })
  await iterations.fill('900')
  await iterations.press('Enter')
  await page.getByRole('button', { name: 'Run 2 cells' }).click()
  await closePopover(page)
  await until(async () => (await cell(page, 1, 4).innerText()).includes('of 900'), 'it runs with the other parameters')
  await page.keyboard.press('ControlOrMeta+.')
  await until(async () => (await cell(page, 1, 4).innerText()).includes('cancelled'), 'it is cancelled')
  await page.keyboard.press('ControlOrMeta+z')
  await until(async () => (await seen(slow)) === atEnd, 'the run with the old parameters is back')

  // A box around the object of the first image, and what is measured against it.
  await page.getByRole('button', { name: /^What to do with the row/ }).first().press('Enter')
  await page.getByRole('menuitem', { name: 'Where the object lies' }).click()
  const picture = page.getByRole('dialog').getByRole('img')
  const bounds = (await picture.boundingBox())!
  await page.mouse.move(bounds.x + bounds.width * 0.25, bounds.y + bounds.height * 0.25)
  await page.mouse.down()
  await page.mouse.move(bounds.x + bounds.width * 0.75, bounds.y + bounds.height * 0.8, { steps: 3 })
  await page.mouse.up()
  await page.getByRole('button', { name: 'Box 32 × 35' }).waitFor()
  await page.getByRole('button', { name: 'Done' }).click()
  await page.getByRole('button', { name: /^Measure \d/ }).click()
  await until(async () => (await cell(page, 1, 4).innerText()).includes('AP '), 'the cell tells its average precision')
  expect(await cell(page, 2, 4).innerText(), 'where no box was drawn').not.toContain('AP ')
  const table = page.getByRole('table', { name: /^Average precision of each column/ })
  await until(async () => /^\.\d\d$|^1\.00$/.test(await table.getByRole('row', { name: /^NeuroMask/ }).getByRole('cell').first().innerText()), 'the table has its mean')

  await bringAxe(page)
  expect(await faults(page)).toEqual([])

  // The grid as it stands becomes a figure of the study.
  await page.getByRole('button', { name: 'Make figure' }).click()
  await page.getByRole('button', { name: 'Export', exact: true }).click()
  const [download] = await Promise.all([downloadOf(page, '.pdf'), page.getByRole('dialog', { name: 'Export the figure' }).getByRole('button', { name: 'Save', exact: true }).click()])
  expect(readFileSync(await download.path()).subarray(0, 5).toString()).toBe('%PDF-')
  const figures = path.join(shell.studies, readdirSync(shell.studies)[0]!, 'figures')
  const [spec] = readdirSync(figures).filter((name) => name.endsWith('.json')).map((name) => JSON.parse(readFileSync(path.join(figures, name), 'utf8')) as FigureSpec)
  expect(spec!.panels[0]).toMatchObject({ kind: 'grid', show: 'overlay', scale: 'each', columns: methods.map((label) => ({ label })) })
  expect((spec!.panels[0] as PanelOf<'grid'>).rows.map(({ cells }) => cells.filter((run) => run !== null).length)).toEqual([4, 4])

  // The comparison as a command; deleted, and back.
  await page.keyboard.press('ControlOrMeta+2')
  const menu = page.getByRole('button', { name: /^Comparison .*: others$/ })
  const choose = async (item: string): Promise<void> => {
    await menu.press('Enter')
    await page.getByRole('menuitem', { name: item, exact: true }).click()
  }
  await choose('Copy as command')
  const line = await page.getByText(/^Copied: maskscope compare /).innerText()
  expect(line).toContain('photo-2000007.png')
  expect(line).toContain('--methods grad-cam,gradient,integrated-gradients,neuromask')
  await choose('Delete')
  await page.getByText('Comparison deleted.').first().waitFor()
  await page.getByText('Each image becomes a row').waitFor()
  await page.keyboard.press('ControlOrMeta+z')
  await finishedAll(page, 8)
  expect(window.complaints).toEqual([])
})

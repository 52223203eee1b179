import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Page } from 'playwright-core'
import sharp from 'sharp'
import { expect } from 'vitest'
import { browserTest } from '../browser.ts'
import { coloursOf, finished, openDemo, patience, readyToRun, rowOf, setNumber, standOfFile, until } from './steps.ts'

const stand = standOfFile()

async function choose(page: Page, field: string, option: string | RegExp): Promise<void> {
  await page.getByRole('combobox', { name: field, exact: true }).click()
  await page.getByRole('option', { name: option, exact: typeof option === 'string' }).click()
}

/** Two pictures with a box each. */
async function layPairs(folder: string): Promise<void> {
  await mkdir(folder)
  for (const [i, name] of ['a', 'b'].entries()) {
    const data = Buffer.alloc(32 * 32 * 3, 60 + 80 * i)
    await sharp(data, { raw: { width: 32, height: 32, channels: 3 } }).png().toFile(path.join(folder, `${name}.png`))
    await writeFile(path.join(folder, `${name}.txt`), `arrow ${4 + i} 4 20 20\n`)
  }
}

browserTest('a population is seen as it changes, a method of one step has no course, and the scene judges its map', async () => {
  const { page } = stand()
  await openDemo(page)
  await choose(page, 'Method', /^DE-CAM/)
  await setNumber(page, 'Queries', 5000)
  await readyToRun(page).click()
  const strip = page.getByRole('list', { name: /population, best first$/i })
  await until(async () => (await strip.getByRole('listitem').count()) > 1 && !(await rowOf(page, 1).innerText()).includes('finished'), 'the population is there before the run ends')
  await finished(page, 1)
  expect(await strip.getByRole('listitem').count()).toBeGreaterThan(1)

  await choose(page, 'Method', 'Grad-CAM')
  await readyToRun(page).click()
  await finished(page, 2)
  await until(async () => (await coloursOf(page, 'Map')) > 5, 'the map is drawn')
  expect(await strip.count()).toBe(0)
  expect(await page.getByRole('slider', { name: 'Iteration shown' }).count()).toBe(0)

  const course = page.getByRole('region', { name: 'Course of the run' })
  await course.getByRole('button', { name: 'Measure', exact: true }).click()
  const measured = course.getByRole('table', { name: 'Metrics of this run' })
  await measured.getByRole('row', { name: /^Average precision/ }).waitFor({ timeout: patience })
  expect(Number((await measured.getByRole('row', { name: /^Average precision/ }).innerText()).match(/[\d.]+\s*$/)?.[0])).toBeGreaterThan(0.1)
  const cancel = course.getByRole('button', { name: 'Cancel' })
  if (await cancel.count() > 0) await cancel.click({ timeout: 2000 }).catch(() => undefined)
  await course.getByRole('button', { name: 'Measure again' }).waitFor({ timeout: patience })
})

browserTest('a data set is looked through, and its images come with their classes and objects', async () => {
  const { page, shell, window } = stand()
  await layPairs(path.join(path.dirname(shell.studies), 'pairs'))
  await page.getByRole('button', { name: 'Open a data set' }).click()
  await choose(page, 'Kind of data set', 'Images with boxes')
  await page.getByRole('dialog').getByRole('button', { name: 'Choose the folder' }).first().click()
  await page.getByRole('listbox', { name: 'Files' }).getByRole('option', { name: 'pairs' }).click()
  await page.getByRole('button', { name: 'Choose pairs' }).click()
  const images = page.getByRole('listbox', { name: 'Images of the data set' }).getByRole('option')
  await images.nth(1).waitFor()
  expect(await images.allInnerTexts()).toEqual([expect.stringMatching(/arrow\s+#0/), expect.stringMatching(/arrow\s+#1/)])
  await page.getByText('0 to 1 of 2; where their objects lie is known').waitFor()
  await page.getByRole('button', { name: 'Mark all shown' }).click()
  await page.getByRole('button', { name: 'Open 2 images' }).click()
  const atHand = page.getByRole('listbox', { name: 'Images at hand' }).getByRole('option')
  await atHand.nth(2).waitFor()
  expect(await atHand.evaluateAll((entries) => entries.map((entry) => [entry.ariaLabel, entry.ariaSelected]))).toEqual([
    ['a.png', 'true'], ['b.png', 'false'], ['scene:2000007', 'false'],
  ])
  await page.getByText('shows: arrow, object known').waitFor()
  expect(window.complaints).toEqual([])
})

import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { browserTest } from '../browser.ts'
import { bringAxe, faults } from './axe.ts'
import { finished, openDemo, patience, readyToRun, setNumber, standOfFile } from './steps.ts'

const stand = standOfFile()

async function closeDialog(page: Page): Promise<void> {
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
}

browserTest('axe finds nothing serious, in light and dark: the empty window and its dialogs', async () => {
  const { page, window } = stand()
  await bringAxe(page)
  // The tool does find faults where there are some.
  await page.evaluate(() => document.body.append(Object.assign(document.createElement('button'), { id: 'nameless' })))
  expect((await faults(page)).join()).toContain('button-name')
  await page.evaluate(() => document.querySelector('#nameless')!.remove())

  expect(await faults(page), 'the empty window').toEqual([])

  await page.getByRole('button', { name: 'Choose a scene' }).click()
  await page.getByRole('dialog').getByRole('option').first().waitFor()
  expect(await faults(page), 'the scenes').toEqual([])
  await closeDialog(page)

  await page.getByRole('button', { name: 'Open a data set' }).click()
  await page.getByRole('dialog', { name: 'Data set' }).waitFor()
  expect(await faults(page), 'the data sets').toEqual([])
  await closeDialog(page)

  await page.keyboard.press('ControlOrMeta+k')
  await page.getByRole('dialog').getByRole('option').first().waitFor()
  expect(await faults(page), 'the palette').toEqual([])
  await closeDialog(page)

  await page.keyboard.press('?')
  await page.getByRole('dialog').waitFor()
  expect(await faults(page), 'the shortcuts').toEqual([])
  await closeDialog(page)
  expect(window.complaints).toEqual([])
})

browserTest('axe finds nothing serious, in light and dark: a run, its export, and what it computes on', async () => {
  const { page, window } = stand()
  await openDemo(page)
  await page.getByRole('button', { name: 'Optimisation' }).click()
  await setNumber(page, 'Iterations', 40)
  await readyToRun(page).click()
  await finished(page, 1)
  expect(await faults(page), 'a finished run').toEqual([])

  await page.keyboard.press('ControlOrMeta+e')
  await page.getByRole('dialog').getByRole('img').waitFor()
  expect(await faults(page), 'the export').toEqual([])
  await closeDialog(page)

  await page.getByRole('button', { name: /^Computes on/ }).click()
  await page.getByRole('button', { name: 'Measure and compare' }).click()
  await page.getByRole('dialog').getByRole('button', { name: /^Measure/ }).click()
  await page.getByRole('dialog').getByRole('table').first().waitFor({ timeout: patience })
  expect(await faults(page), 'the doctor').toEqual([])
  await closeDialog(page)

  await page.keyboard.press('ControlOrMeta+,')
  await page.getByRole('dialog', { name: 'Settings' }).waitFor()
  expect(await faults(page), 'the settings').toEqual([])
  await closeDialog(page)
  expect(window.complaints).toEqual([])
})

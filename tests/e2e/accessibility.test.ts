import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { browserTest } from '../browser.ts'
import { bringAxe, faults } from './axe.ts'
import { finished, openDemo, patience, readyToRun, setNumber, standOfFile } from './steps.ts'

const stand = standOfFile()

async function goTo(page: Page, view: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name: view, exact: true }).click()
}

async function closeDialog(page: Page): Promise<void> {
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
}

browserTest('axe finds nothing serious, in light and dark: the empty window and its dialogs', async () => {
  const { page, window } = stand()
  await bringAxe(page)
  // The tool does find faults where there are some.
  await page.evaluate(() => document.body.append(Object.assign(document.createElement('button'), { id: 'nameless' })))
  await page.evaluate(() => document.querySelector('#nameless')!.setAttribute('tabindex', '-1'))
  expect((await faults(page)).join()).toMatch(/no key leads to it: button.*button-name/)
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

  await goTo(page, 'Compare')
  await page.getByRole('button', { name: 'Try the demo' }).waitFor()
  expect(await faults(page), 'nothing to compare').toEqual([])
  await goTo(page, 'Reconstruct')
  await page.getByRole('button', { name: /^Try the demo: / }).waitFor()
  expect(await faults(page), 'nothing to reconstruct').toEqual([])
  await goTo(page, 'Figures')
  await page.getByRole('button', { name: 'Go to Explain' }).waitFor()
  expect(await faults(page), 'no figures').toEqual([])
  await goTo(page, 'Benchmark')
  await page.getByRole('button', { name: 'Set up a benchmark' }).waitFor()
  expect(await faults(page), 'no benchmarks').toEqual([])
  await goTo(page, 'Explain')
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

  await page.getByRole('button', { name: 'Inspect the model' }).click()
  await page.getByRole('dialog').waitFor()
  expect(await faults(page), 'what the model is made of').toEqual([])
  await closeDialog(page)
  expect(window.complaints).toEqual([])
})

browserTest('axe finds nothing serious, in light and dark: the other views with something in them, and their dialogs', async () => {
  const { page, window } = stand()
  await goTo(page, 'Figures')
  await page.getByRole('button', { name: /Evolution of a mask/ }).click()
  await page.getByRole('region', { name: 'The figure as it is printed' }).getByRole('img').waitFor()
  expect(await faults(page), 'a figure').toEqual([])
  await page.getByRole('button', { name: 'Export', exact: true }).click()
  await page.getByRole('dialog', { name: 'Export the figure' }).waitFor()
  expect(await faults(page), 'the export of a figure').toEqual([])
  await closeDialog(page)

  await goTo(page, 'Compare')
  await page.getByRole('button', { name: 'Add the open image' }).click()
  await page.getByRole('button', { name: 'Methods', exact: true }).click()
  for (const method of ['Gradient', 'Grad-CAM']) await page.locator('.picker').getByRole('button', { name: new RegExp(`^${method}(?! ?\\+|-| ×)`) }).first().click()
  expect(await faults(page), 'the choice of methods').toEqual([])
  await page.keyboard.press('Escape')
  await page.keyboard.press('ControlOrMeta+Enter')
  await page.getByText('2 of 2 run').waitFor({ timeout: patience })
  expect(await faults(page), 'a comparison').toEqual([])
  await page.getByRole('button', { name: /^What to do with the row/ }).first().press('Enter')
  await page.getByRole('menuitem', { name: 'Where the object lies' }).click()
  await page.getByRole('dialog').getByRole('img').waitFor()
  expect(await faults(page), 'where the object lies').toEqual([])
  await page.getByRole('button', { name: 'Done' }).click()
  expect(window.complaints).toEqual([])
})

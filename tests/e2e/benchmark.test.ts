import { expect } from 'vitest'
import { browserTest } from '../browser.ts'
import { bringAxe, faults } from './axe.ts'
import { patience, standOfFile } from './steps.ts'

const stand = standOfFile()

browserTest('a small benchmark from the empty view: watched, cancelled, gone on with after a reload, a number clicked, an image opened in Explain', async () => {
  const { page, window } = stand()
  await page.keyboard.press('ControlOrMeta+k')
  await page.keyboard.type('Go to Benchmark')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Try a small one' }).waitFor()
  await bringAxe(page)
  expect(await faults(page), 'the empty view').toEqual([])
  await page.getByRole('button', { name: 'Try a small one' }).click()

  const table = page.getByRole('grid', { name: 'Methods by metrics' })
  await table.waitFor({ timeout: patience })
  await page.getByText(/^\d+ of 8 pieces/).waitFor()
  // The first numbers, before all are there.
  await table.getByRole('button', { name: /^Deletion of .*: 0\.\d+/ }).first().waitFor({ timeout: patience })
  await page.getByRole('button', { name: 'Cancel', exact: true }).click()
  await page.getByRole('button', { name: 'Go on', exact: true }).waitFor()

  await page.reload()
  await page.getByRole('button', { name: 'Go on', exact: true }).click()
  await page.getByRole('status').filter({ hasText: ': finished' }).waitFor({ state: 'attached', timeout: patience })
  await page.getByText(/^So far\./).waitFor({ state: 'detached' })
  // Sorted by a metric, its better end first.
  await table.getByRole('button', { name: /^Average precision/ }).first().click()
  const means = (await table.locator('tbody tr').locator('td:nth-of-type(1) .mean').allInnerTexts()).map((text) => Number(/[\d.]+/.exec(text)![0]))
  expect(means).toEqual(means.toSorted((a, b) => b - a))

  await table.getByRole('button', { name: /^Deletion of Gradient: / }).focus()
  await page.keyboard.press('Enter')
  const images = page.getByRole('listbox', { name: 'Images by Deletion' })
  await images.getByRole('option').nth(2).waitFor()
  await images.getByRole('img', { name: 'Map of scene:2000000' }).or(images.getByRole('img').first()).first().waitFor()
  const values = (await images.locator('.value').allInnerTexts()).map(Number)
  expect(values.length).toBeGreaterThan(4)
  expect(values).toEqual(values.toSorted((a, b) => b - a))
  await bringAxe(page)
  expect(await faults(page), 'the numbers and the images behind one').toEqual([])

  const chosen = (await images.getByRole('option').nth(1).locator('.name').innerText()).trim()
  await images.getByRole('option').first().focus()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.getByRole('region', { name: 'Stage' }).waitFor()
  expect(await page.getByRole('region', { name: 'Image', exact: true }).innerText()).toContain(chosen)
  expect(await page.getByRole('combobox', { name: 'Method' }).innerText()).toContain('Gradient')

  await page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name: 'Benchmark' }).click()
  await page.getByRole('button', { name: 'Set up a benchmark' }).click()
  await page.getByRole('group', { name: 'Methods, by kind' }).getByRole('checkbox').first().waitFor()
  await page.getByRole('region', { name: 'Methods', exact: true }).getByRole('checkbox', { name: /^Gradient/ }).check()
  await page.getByRole('region', { name: 'Metrics', exact: true }).getByRole('checkbox', { name: /^Deletion(?!,)/ }).check()
  await page.getByText(/explanations, about|it is not known how long/).waitFor()
  expect(await faults(page), 'setting one up').toEqual([])
  await page.getByRole('textbox', { name: 'Scenes' }).fill('scenes:0@1')
  await page.getByRole('alert').filter({ hasText: 'ask for 1 to' }).waitFor()
  expect(await page.getByRole('button', { name: 'Start', exact: true }).isDisabled()).toBe(true)
  expect(window.complaints).toEqual([])
})

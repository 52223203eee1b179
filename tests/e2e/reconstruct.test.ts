import { readdir } from 'node:fs/promises'
import path from 'node:path'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { browserTest } from '../browser.ts'
import { bringAxe, faults } from './axe.ts'
import { patience, setNumber, standOfFile, until } from './steps.ts'

const stand = standOfFile()

const images = 24
const epochs = 5

const stage = (page: Page) => page.getByRole('region', { name: 'Reconstruction', exact: true })
const rows = (page: Page) => page.getByRole('grid', { name: 'Reconstructions of this study' }).locator('tbody tr')
const sheet = (page: Page) => page.getByRole('group', { name: 'Contact sheet' })

browserTest('from scenes to a trained generator over a reload in the middle, its variations, its classes and its report', async () => {
  const { page, shell, window } = stand()
  await page.getByRole('button', { name: 'Reconstruct', exact: true }).first().click()
  await stage(page).getByRole('button', { name: 'Try the demo: scenes' }).waitFor()
  const start = page.getByRole('group', { name: 'Start' })
  await start.getByText('Open a model first.').waitFor()
  await page.getByRole('button', { name: 'Bundled models' }).click()
  await page.getByRole('group', { name: 'Bundled models' }).getByRole('button', { name: /^Demo Ten/ }).click()
  await page.getByRole('button', { name: 'Take the demo’s judge' }).click()
  // The quickest that finds objects: what is looked at here is what comes after the masks.
  await page.getByRole('combobox', { name: 'Method that finds the salient pixels' }).click()
  await page.getByRole('option', { name: 'Grad-CAM', exact: true }).click()
  await setNumber(page, 'Images to learn from', images)
  await setNumber(page, 'Test images', 6)
  await setNumber(page, 'Epochs', epochs)
  await page.getByRole('button', { name: 'Training', exact: true }).click()
  await setNumber(page, 'Batch', 8)
  await start.getByRole('button', { name: 'Reconstruct', disabled: false }).click()

  await sheet(page).getByText('epoch 1', { exact: true }).waitFor({ timeout: patience })
  // Told as it happens, not at the end.
  await page.getByRole('button', { name: 'Losses by epoch' }).waitFor()
  expect(await sheet(page).getByText(`epoch ${epochs}`, { exact: true }).count()).toBe(0)
  await page.reload()
  await rows(page).first().waitFor()
  // What was seen before is there again, and the training goes on.
  await sheet(page).getByText('epoch 1', { exact: true }).waitFor()
  await sheet(page).getByText(`epoch ${epochs}`, { exact: true }).waitFor({ timeout: patience })
  await rows(page).first().getByText('finished', { exact: true }).waitFor({ timeout: patience })
  await page.getByRole('button', { name: 'Losses by epoch' }).click()
  const losses = await page.getByRole('region', { name: 'Course of the training' }).locator('tbody tr').allInnerTexts()
  expect(losses).toHaveLength(epochs)
  const reconstruction = losses.map((line) => Number(line.split('\t')[1]!.split('\n')[0]))
  expect(reconstruction.every(Number.isFinite)).toBe(true)
  // The latest first: the network has learned something.
  expect(reconstruction[0]).toBeLessThan(reconstruction.at(-1)!)

  await page.getByRole('tab', { name: 'Variations' }).click()
  const gallery = page.getByRole('region', { name: 'Variations' })
  const told = gallery.getByText(/^\d+ of 24 keep the outcome$/)
  await told.waitFor({ timeout: patience })
  const kept = Number.parseInt(await told.innerText(), 10)
  const filter = async (name: string): Promise<number> => {
    await page.getByRole('group', { name: 'Variations shown' }).getByRole('button', { name }).click()
    return gallery.getByRole('listitem').count()
  }
  expect(await filter('Accepted')).toBe(kept)
  expect(await filter('Refused')).toBe(24 - kept)
  expect(await filter('All')).toBe(24)
  const first = gallery.getByRole('listitem').first().locator('canvas')
  const pixels = (): Promise<string> => first.evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL())
  const free = await pixels()
  await page.getByRole('switch', { name: 'Pin the salient pixels' }).click()
  await until(async () => (await pixels()) !== free, 'pinning changes the variations')
  await bringAxe(page)
  expect(await faults(page), 'the variations').toEqual([])

  await page.getByRole('tab', { name: 'Classes' }).click()
  const common = page.getByText(/^\d+ images whose outcome is/)
  const few = stage(page).getByText(/^Only \d of the images/)
  // Of so many images some share an outcome.
  for (const name of await page.getByRole('navigation', { name: 'Classes' }).getByRole('button').all()) {
    await name.click()
    await common.or(few).first().waitFor({ timeout: patience })
    if (await common.isVisible()) break
  }
  await common.waitFor()
  expect(await page.getByText(/of draws accepted$/).count()).toBeGreaterThan(0)

  await page.getByRole('tab', { name: 'Report' }).click()
  const shares = page.getByRole('table', { name: /^The headline and its controls/ })
  await shares.waitFor()
  expect(await shares.getByRole('row').nth(1).innerText()).toMatch(/^Outcome kept\s+[01]\.\d{3} \([01]\.\d{3} to [01]\.\d{3}\)/)
  expect(await faults(page), 'the report').toEqual([])

  const [study] = await readdir(shell.studies)
  const [folder] = await readdir(path.join(shell.studies, study!, 'reconstructions'))
  expect(await readdir(path.join(shell.studies, study!, 'reconstructions', folder!, 'generator', 'decoder'))).toEqual(['model.json', 'weights.bin'])
  expect(window.complaints).toEqual([])
})

browserTest('a reconstruction is deleted and comes back by undo', async () => {
  const { page, window } = stand()
  await rows(page).first().getByRole('button', { name: /^What to do with/ }).click()
  await page.getByRole('menuitem', { name: 'Delete' }).click()
  await page.getByText('Reconstruction deleted.').waitFor()
  await until(async () => (await rows(page).count()) === 0, 'the list is empty')
  await page.keyboard.press('ControlOrMeta+z')
  await rows(page).first().waitFor()
  expect(window.complaints).toEqual([])
})

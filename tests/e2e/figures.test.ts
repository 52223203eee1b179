import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { expect } from 'vitest'
import { root } from '../../scripts/build/ensure-built.js'
import { browserTest } from '../browser.ts'
import { bringAxe, faults } from './axe.ts'
import { downloadOf, finished, openDemo, patience, readyToRun, setNumber, standOfFile, until } from './steps.ts'

const stand = standOfFile()

browserTest('a figure from a finished run: template, options, previews, undo, export, the same by command', async () => {
  const { page, window, shell } = stand()
  await openDemo(page)
  await page.getByRole('button', { name: 'Optimisation' }).click()
  await setNumber(page, 'Iterations', 40)
  await readyToRun(page).click()
  await finished(page, 1)

  await page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name: 'Figures' }).click()
  await page.getByRole('button', { name: /Evolution of a mask/ }).click()
  const picture = page.getByRole('region', { name: 'The figure as it is printed' }).getByRole('img')
  await picture.waitFor()
  expect(await picture.getAttribute('alt')).toContain('the map of NeuroMask at iterations 0,')

  await bringAxe(page)
  expect(await faults(page)).toEqual([])

  const before = await picture.getAttribute('src')
  await page.getByRole('switch', { name: 'Caption under the figure' }).click()
  await until(async () => (await picture.getAttribute('src')) !== before, 'the preview follows')
  await page.keyboard.press('ControlOrMeta+z')
  await until(async () => (await page.getByRole('switch', { name: 'Caption under the figure' }).getAttribute('aria-checked')) === 'false', 'the caption is off again')
  await page.getByRole('combobox', { name: 'How the figure is seen' }).click()
  await page.getByRole('option', { name: /Without green/ }).click()
  expect(await picture.evaluate((image) => getComputedStyle(image).filter)).toContain('eye-deuteranopia')

  await page.keyboard.press('ControlOrMeta+e')
  const dialog = page.getByRole('dialog', { name: 'Export the figure' })
  const downloads = Promise.all([downloadOf(page, '.pdf'), downloadOf(page, '.json')])
  await dialog.getByRole('button', { name: 'Save', exact: true }).click()
  const [pdf, sidecar] = await downloads
  expect(JSON.parse(readFileSync(await sidecar.path(), 'utf8'))).toMatchObject({ format: 'maskscope-provenance', runs: [{ order: { method: 'neuromask' } }] })
  const out = path.join(shell.studies, 'by-command.pdf')
  const study = path.join(shell.studies, readdirSync(shell.studies).find((name) => name.startsWith('Untitled'))!)
  execFileSync(process.execPath, [path.join(root, 'out', 'main', 'cli.js'), 'figure', study, '--spec', 'evolution', '--out', out])
  expect(Buffer.compare(readFileSync(out), readFileSync(await pdf.path()))).toBe(0)
  expect(window.complaints).toEqual([])
}, patience)

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Locator, Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, expect } from 'vitest'
import { browserDataTest } from '../browser.ts'
import { dataPath, hasData } from '../data.ts'
import { findBrowser } from '../find-browser.ts'
import { dropFiles, pasteFiles, type Given } from './give-files.ts'
import { startShell, type Shell } from './shell.ts'
import { closeWindows, openWindow } from './window.ts'

/** A network pretrained on ImageNet, without a card, and a photo: as a person brings them. */
const folder = mkdtempSync(path.join(tmpdir(), 'maskscope-own-'))
const mobilenet = path.join(folder, 'mobilenet')
const labels = 'labels1001.txt'
let shell: Shell
let page: Page
let complaints: string[]

beforeAll(async () => {
  if (findBrowser() === undefined || !hasData) return
  // A copy, for its card is written beside it.
  mkdirSync(mobilenet)
  for (const file of readdirSync(dataPath('models/imagenet/mobilenet_v1_0.25_128/layers'))) {
    copyFileSync(dataPath('models/imagenet/mobilenet_v1_0.25_128/layers', file), path.join(mobilenet, file))
  }
  copyFileSync(dataPath('models/imagenet', labels), path.join(folder, labels))
  shell = await startShell({ folders: [folder] })
  ;({ page, complaints } = await openWindow(shell.url))
  page.setDefaultTimeout(20_000)
})
afterAll(async () => {
  await closeWindows()
  await shell?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const section = (name: string): Locator => page.getByRole('region', { name, exact: true })
const top = (): Locator => section('Model').getByRole('table', { name: 'What the model sees in the picture' })
const range = (name: string): Locator => section('Model').getByRole('group', { name: 'Values of black and white' }).getByRole('button', { name, exact: true })
const best = (): Locator => top().getByRole('row').first()
const photo = (name: string): Given => ({ name, bytes: readFileSync(dataPath('photos', name)), type: name.endsWith('.png') ? 'image/png' : 'image/jpeg' })

function filesOf(model: string): Given[] {
  const from = dataPath('models/imagenet', model)
  return readdirSync(from).map((name) => ({ name, bytes: readFileSync(path.join(from, name)) }))
}

const asksForRange = (): Promise<void> => section('Model').getByText(/does not say what black and white become .* State the range/).waitFor()

async function runs(iterations: number, number: number): Promise<string> {
  const field = section('Method').getByRole('spinbutton', { name: 'Iterations', exact: true })
  await field.fill(String(iterations))
  await field.press('Enter')
  await page.getByRole('group', { name: 'Run', exact: true }).getByRole('button', { name: 'Run' }).click()
  const row = page.locator(`tr[data-run^="${String(number).padStart(4, '0')}-"]`)
  await row.getByText('finished').waitFor({ timeout: 90_000 })
  return (await row.getAttribute('data-run'))!
}

/** Of the one study that the window writes. */
function runFolder(run: string): string {
  return path.join(shell.studies, readdirSync(shell.studies)[0]!, 'runs', run)
}

/** float32 of a .npy file, and its sides. */
function readMap(file: string): { height: number; width: number; at(y: number, x: number): number } {
  const bytes = readFileSync(file)
  const start = 10 + bytes.readUInt16LE(8)
  const [, height, width] = /\((\d+), (\d+)\)/.exec(bytes.toString('latin1', 10, start))!.map(Number)
  return { height: height!, width: width!, at: (y, x) => bytes.readFloatLE(start + 4 * (y * width! + x)) }
}

browserDataTest('a dropped network asks for its range; what it sees follows what is stated; labels name the classes', async () => {
  await dropFiles(page, filesOf('mobilenet_v1_0.25_128/layers'))
  await asksForRange()
  await dropFiles(page, [photo('zebra.jpg')])
  await section('Image').getByText('500 × 375').waitFor()
  expect(await page.getByRole('group', { name: 'Run', exact: true }).getByRole('button', { name: 'Run' }).isDisabled()).toBe(true)

  await range('0 to 255').click()
  await best().waitFor()
  const wrong = await top().innerText()
  await range('−1 to 1').click()
  await best().filter({ hasText: 'class 341' }).waitFor()
  const squashed = await top().innerText()
  expect(squashed).not.toBe(wrong)
  await section('Model').getByRole('button', { name: 'Central crop' }).click()
  await section('Image').getByText('500 × 375, central crop 87.5%').waitFor()
  await expect.poll(() => top().innerText()).not.toBe(squashed)
  await best().filter({ hasText: 'class 341' }).waitFor()

  await section('Model').getByRole('button', { name: 'File', exact: true }).click()
  await page.getByRole('listbox', { name: 'Files' }).getByRole('option', { name: labels }).dblclick()
  await best().filter({ hasText: 'zebra' }).waitFor()
  await section('Model').getByText(labels).waitFor()
})

browserDataTest('chosen below the root, its card is saved beside it and asks for nothing the next time', async () => {
  const open = async (): Promise<void> => {
    await section('Model').getByRole('button', { name: 'Open a model' }).click()
    await page.getByRole('listbox', { name: 'Files' }).getByRole('option', { name: 'mobilenet' }).dblclick()
  }
  await open()
  await asksForRange()
  // In quick succession: all of it counts.
  await range('−1 to 1').click()
  await section('Model').getByRole('button', { name: 'Central crop' }).click()
  await section('Model').getByRole('button', { name: 'File', exact: true }).click()
  await page.getByRole('listbox', { name: 'Files' }).getByRole('option', { name: labels }).dblclick()
  await best().filter({ hasText: 'zebra' }).waitFor()
  await section('Model').getByRole('button', { name: 'Save model card' }).click()
  await section('Notices').getByText(/Model card saved: .*model-card\.json/).waitFor()
  const card = JSON.parse(readFileSync(path.join(mobilenet, 'model-card.json'), 'utf8')) as Record<string, unknown>
  // The labels were copied beside the model, so that the folder can be taken elsewhere.
  expect(card).toMatchObject({ range: [-1, 1], fit: 'crop', labels })
  expect(readFileSync(path.join(mobilenet, labels), 'utf8')).toContain('zebra')
  expect(existsSync(dataPath('models/imagenet/mobilenet_v1_0.25_128/layers/model-card.json'))).toBe(false)

  await section('Model').getByRole('button', { name: 'Bundled models' }).click()
  await page.getByRole('group', { name: 'Bundled models' }).getByRole('button').first().click()
  await section('Model').getByText('bundled').waitFor()
  await open()
  await section('Model').getByText('bundled').waitFor({ state: 'detached' })
  expect(await section('Model').getByRole('group', { name: 'Values of black and white' }).count()).toBe(0)
  await page.getByText(/^zebra \(top class\)$/i).or(page.getByPlaceholder(/^zebra \(top class\)$/i)).first().waitFor()
})

browserDataTest('NeuroMask marks the zebra, and the figure of it is previewed as it prints', async () => {
  const run = await runs(60, 1)
  await page.getByRole('img', { name: /^Masked input, p = 0?\.\d+/ }).waitFor()
  // The head fills the middle and the right of the photo; the rock wall above at the right corner is none of it.
  const map = readMap(path.join(runFolder(run), 'saliency.npy'))
  const mean = (top: number, left: number, bottom: number, right: number): number => {
    let sum = 0
    let count = 0
    for (let y = Math.floor(top * map.height); y < bottom * map.height; y++) for (let x = Math.floor(left * map.width); x < right * map.width; x++, count++) sum += map.at(y, x)
    return sum / count
  }
  expect(mean(0.1, 0.15, 0.8, 0.75)).toBeGreaterThan(1.5 * mean(0, 0.8, 0.4, 0.93))
  await page.keyboard.press('Control+e')
  const sheet = page.getByRole('dialog').getByRole('img', { name: /^The figure as it will be printed/ })
  await sheet.waitFor()
  await expect.poll(() => sheet.evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBeGreaterThan(0)
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click()
})

browserDataTest('MobileNet V2 with quantised weights sees the bird that was pasted', async () => {
  await dropFiles(page, filesOf('mobilenet_v2_1.0_224/graph-uint8'))
  await asksForRange()
  await range('−1 to 1').click()
  const bytes = await sharp(dataPath('photos', 'bird.png')).png().toBuffer()
  await pasteFiles(page, [{ name: 'image.png', bytes, type: 'image/png' }])
  await section('Image').getByText('Pasted image').first().waitFor()
  await dropFiles(page, [{ name: labels, bytes: readFileSync(path.join(folder, labels)) }])
  await best().filter({ hasText: /chickadee.*0\.\d\d/ }).waitFor()
  await runs(4, 2)
  await section('Runs').getByText('chickadee').first().waitFor()
  expect(complaints).toEqual([])
})

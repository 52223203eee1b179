import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Locator, Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, expect } from 'vitest'
import { browserTest } from '../browser.ts'
import { findBrowser } from '../find-browser.ts'
import { tinyCard, writeTinyModel } from '../fixtures/tiny-model.ts'
import { dropFiles, pasteFiles, type Given } from './give-files.ts'
import { startShell, type Shell } from './shell.ts'
import { closeWindows, openWindow } from './window.ts'

/** All of it in one window: each refusal must leave it usable for the next. */
const folder = mkdtempSync(path.join(tmpdir(), 'maskscope-refusals-'))
let shell: Shell
let page: Page
let complaints: string[]
let png: Buffer

beforeAll(async () => {
  if (findBrowser() === undefined) return
  const noise = Uint8Array.from({ length: 200 * 150 * 3 }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 11) & 255)
  png = await sharp(noise, { raw: { width: 200, height: 150, channels: 3 } }).png().toBuffer()
  shell = await startShell({ folders: [folder] })
  ;({ page, complaints } = await openWindow(shell.url))
  await page.getByRole('button', { name: 'Try the demo' }).first().click()
  await currentImage().getByText('Scene').waitFor()
  await page.getByRole('combobox', { name: 'Target class' }).waitFor()
})
afterAll(async () => {
  await closeWindows()
  await shell?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const section = (name: string): Locator => page.getByRole('region', { name, exact: true })
const currentImage = (): Locator => section('Image')
const notices = (): Locator => section('Notices').getByRole('alert')
const alertIn = (name: string): Locator => section(name).getByRole('alert')

/** What stands there as an error, as soon as it does. */
async function said(place: Locator, text: RegExp): Promise<string> {
  const found = place.filter({ hasText: text })
  await found.first().waitFor()
  return found.first().innerText()
}

const picture = (name: string, bytes: Uint8Array): Given => ({ name, bytes, type: 'image/png' })

/** The files of a small model that was spoilt, as they lie in its folder. */
function modelFiles(spoil: (folder: string) => void, card: Record<string, unknown> | null = tinyCard): Given[] {
  const own = mkdtempSync(path.join(folder, 'model-'))
  writeTinyModel(own, card ? { card } : {})
  spoil(own)
  return readdirSync(own).map((name) => ({ name, bytes: readFileSync(path.join(own, name)) }))
}

const shard = 'model-shard1of1.bin'

/** Drops a model and expects why it is not taken, in the section of the model; the one before stays. */
async function modelRefused(spoil: (folder: string) => void, text: RegExp): Promise<void> {
  await dropFiles(page, modelFiles(spoil))
  await said(alertIn('Model'), text)
  expect(await section('Model').getByText('Demo', { exact: false }).first().isVisible()).toBe(true)
}

browserTest('pictures that are damaged, cut off, empty or no pictures are refused beside the image, which stays', async () => {
  const corrupt = Buffer.from(png)
  corrupt.fill(0xff, Math.floor(png.length / 2), Math.floor(png.length / 2) + 200)
  const cut = png.subarray(0, png.length / 2)
  for (const [given, text] of [
    [picture('corrupt.png', corrupt), /corrupt\.png is damaged or cut off \(.+\); copy or download it again/],
    [picture('cut.png', cut), /cut\.png is damaged or cut off \(.+\); copy or download it again/],
    [picture('text.png', Buffer.from('I am text')), /text\.png is in no format that is read here \(JPEG, PNG, .*\); save it as PNG/],
    [picture('empty.png', Buffer.alloc(0)), /empty\.png is (empty|in no format)/],
  ] as const) {
    await dropFiles(page, [given])
    await said(alertIn('Image'), text)
    await currentImage().getByText('Scene').waitFor()
  }
  await pasteFiles(page, [picture('image.png', cut)])
  await said(alertIn('Image'), /Pasted image is damaged or cut off/)
  // Of several, each is told, and the good one is there.
  await dropFiles(page, [picture('bad.png', cut), picture('good.png', png), picture('worse.png', Buffer.from('x'))])
  await said(notices(), /bad\.png is damaged or cut off/)
  await said(notices(), /worse\.png is in no format/)
  await currentImage().getByText('good.png').first().waitFor()
  await dismissNotices()
})

async function dismissNotices(): Promise<void> {
  const buttons = section('Notices').getByRole('button', { name: 'Dismiss' })
  while (await buttons.count() > 0) await buttons.first().click()
}

browserTest('files that are no model, another kind of model, or a part of one', async () => {
  await dropFiles(page, [{ name: shard, bytes: Buffer.alloc(100) }])
  await said(notices(), /model-shard1of1\.bin holds weights\. They are read together with the model\.json or \.onnx file/)
  await dropFiles(page, [{ name: 'notes.md', bytes: Buffer.from('# Notes') }])
  await said(notices(), /notes\.md: this is no image, model, study or list of labels/)
  await dismissNotices()
  await dropFiles(page, [{ name: 'network.onnx', bytes: Buffer.from('abc') }])
  // By its name alone: where the server keeps it says nothing to anybody.
  expect(await said(alertIn('Model'), /network\.onnx/)).not.toMatch(/[/\\]/)
  await dropFiles(page, [{ name: 'network.h5', bytes: Buffer.from('abc') }])
  await said(alertIn('Model'), /^network\.h5 is a Keras HDF5 model, which this version does not read/)
  await dropFiles(page, [{ name: 'labels.txt', bytes: Buffer.from('a\nb\n') }])
  await said(alertIn('Model'), /labels\.txt does not fit the model .*2 labels for 10 classes/)
  await dismissNotices()
})

browserTest('models that are cut off, miss a part, hold no numbers, or take no picture', async () => {
  await modelRefused((own) => truncateSync(path.join(own, 'model.json'), 300), /model\.json is cut off.*copy or download it again/)
  await modelRefused((own) => rmSync(path.join(own, shard)), /model-shard1of1\.bin is missing; put it beside model\.json/)
  await modelRefused((own) => truncateSync(path.join(own, shard), 100), /model-shard1of1\.bin of .* is too short \(100 bytes where .*\); copy/)
  await modelRefused((own) => {
    const bytes = readFileSync(path.join(own, shard))
    bytes.writeFloatLE(Number.NaN, 40)
    writeFileSync(path.join(own, shard), bytes)
  }, /conv\/kernel.*(not a number|NaN|not finite)/i)
  await modelRefused((own) => {
    const json = JSON.parse(readFileSync(path.join(own, 'model.json'), 'utf8'))
    const { layers } = json.modelTopology.model_config.config
    layers.splice(1, 2)
    layers[0].config.batch_input_shape = [null, 6]
    json.weightsManifest[0].weights.splice(0, 2)
    writeFileSync(path.join(own, 'model.json'), JSON.stringify(json))
    writeFileSync(path.join(own, shard), new Uint8Array((6 * 4 + 4) * 4))
  }, /input.*(shape|rank|image)/i)
})

browserTest('a model without a range asks for it and can be given up; labels of another number stand at their field', async () => {
  await dropFiles(page, modelFiles(() => undefined, null))
  await section('Model').getByText(/does not say what black and white become .* State the range/).waitFor()
  expect(await section('Model').getByRole('group', { name: 'Values of black and white' }).getByRole('button', { pressed: true }).count()).toBe(0)
  await section('Model').getByRole('button', { name: /^Keep .* instead$/ }).click()
  expect(await section('Model').getByRole('group', { name: 'Values of black and white' }).count()).toBe(0)

  await dropFiles(page, modelFiles(() => undefined, null))
  await section('Model').getByRole('button', { name: '0 to 1' }).click()
  await section('Model').getByRole('button', { name: 'Save model card' }).waitFor()
  await section('Model').getByRole('button', { name: 'File', exact: true }).click()
  const chosen = page.getByRole('dialog').locator('input[type=file]')
  await chosen.setInputFiles({ name: 'two.txt', mimeType: 'text/plain', buffer: Buffer.from('a\nb\n') })
  await said(alertIn('Model'), /two\.txt does not fit the model .*2 labels for 4 classes/)
  // An impossible range explains itself where it is typed.
  await section('Model').getByRole('button', { name: 'Own' }).click()
  await section('Model').getByRole('spinbutton', { name: 'Value of black' }).fill('2')
  await section('Model').getByRole('spinbutton', { name: 'Value of black' }).press('Enter')
  await said(alertIn('Model'), /The first number must be less than the second/)
  await section('Model').getByRole('spinbutton', { name: 'Value of black' }).fill('-1')
  await section('Model').getByRole('spinbutton', { name: 'Value of black' }).press('Enter')
  await alertIn('Model').filter({ hasText: 'must be less' }).waitFor({ state: 'detached' })
  await section('Model').getByRole('table', { name: 'What the model sees in the picture' }).waitFor()
})

browserTest('a class that does not exist cannot be chosen; parameters out of range explain themselves while they are typed', async () => {
  const target = page.getByRole('combobox', { name: 'Target class' })
  await target.fill('4')
  await page.getByText('No class has this in its name.').waitFor()
  await target.press('Enter')
  await target.press('Escape')
  const run = page.getByRole('group', { name: 'Run' })
  for (const [name, text, message] of [
    ['Iterations', '0', 'Enter a whole number from 1 to 20000.'], ['Iterations', '1.5', 'Enter a whole number from 1 to 20000.'],
    ['Sparsity λs', 'much', 'Enter a number from 0 to 1000.'], ['Seed', '-1', 'Enter a whole number from 0 to 4294967295.'],
  ] as const) {
    const field = section('Method').getByRole('spinbutton', { name, exact: true })
    await field.fill(text)
    await said(alertIn('Method'), new RegExp(message))
    expect(await field.getAttribute('aria-invalid')).toBe('true')
    expect(await run.getByRole('button', { name: 'Run' }).isDisabled()).toBe(true)
    await run.getByText('A parameter has a value that will not do.').waitFor()
    await field.press('Escape')
    await alertIn('Method').waitFor({ state: 'detached' })
  }
  expect(await run.getByRole('button', { name: 'Run' }).isEnabled()).toBe(true)
})

browserTest('an upload that breaks off half way, or is stopped, is told and leaves the window as it was', async () => {
  const files = modelFiles(() => undefined)
  let pieces = 0
  await page.route('**/upload?*', (route) => (++pieces === 2 ? route.abort('connectionreset') : route.continue()))
  await dropFiles(page, files)
  await said(notices(), /The file could not be sent: .* the connection to Maskscope broke\. Try again\./)
  await dismissNotices()
  await page.unroute('**/upload?*')

  let held: () => void = () => undefined
  const onTheWay = new Promise<void>((resolve) => (held = resolve))
  await page.route('**/upload?*', (route) => (new URL(route.request().url()).searchParams.has('abandon') ? route.continue() : held()))
  await dropFiles(page, [picture('slow.png', png)])
  await onTheWay
  await page.getByRole('group', { name: 'Sending files' }).getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('group', { name: 'Sending files' }).waitFor({ state: 'detached' })
  await page.unroute('**/upload?*')
  expect(await notices().count()).toBe(0)

  await dropFiles(page, [picture('arrived.png', png)])
  await currentImage().getByText('arrived.png').first().waitFor()
})

browserTest('a study that cannot be written says so, and what stands in its place is kept', async () => {
  const dialog = page.getByRole('dialog')
  const begin = async (name: string): Promise<void> => {
    await page.getByRole('button', { name: /^Study / }).click()
    await page.getByRole('button', { name: 'New study' }).click()
    await dialog.getByRole('textbox', { name: 'Name' }).fill(name)
    await dialog.getByRole('button', { name: 'Begin' }).click()
  }
  mkdirSync(shell.studies, { recursive: true })
  writeFileSync(path.join(shell.studies, 'Taken'), 'mine')
  await begin('Taken')
  await said(dialog.getByRole('alert'), /Taken/)
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  expect(readFileSync(path.join(shell.studies, 'Taken'), 'utf8')).toBe('mine')

  // The folder is made with the first run; by then a file stands in its place.
  await begin('Blocked')
  await dialog.waitFor({ state: 'detached' })
  rmSync(path.join(shell.studies, 'Blocked'), { recursive: true, force: true })
  writeFileSync(path.join(shell.studies, 'Blocked'), 'mine')
  await page.getByRole('button', { name: /^Run\b/ }).first().click()
  await said(page.getByRole('group', { name: 'Run' }).getByRole('alert'), /Cannot create .*Blocked: something else with this name is in the way; choose another folder/)
  expect(readFileSync(path.join(shell.studies, 'Blocked'), 'utf8')).toBe('mine')
})

const bar = (): Locator => page.getByRole('group', { name: 'Run', exact: true })
const run = (): Locator => bar().getByRole('button', { name: 'Run', exact: true })
const grid = (): Locator => page.getByRole('grid', { name: 'Runs of this study' })

async function set(name: string, value: string): Promise<void> {
  await section('Method').getByRole('spinbutton', { name, exact: true }).fill(value)
  await section('Method').getByRole('spinbutton', { name, exact: true }).press('Enter')
}

browserTest('a run whose picture has gone meanwhile fails and says why', async () => {
  await page.getByRole('button', { name: /^Study / }).click()
  await page.getByRole('button', { name: 'New study' }).click()
  await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).fill('Fine')
  await page.getByRole('dialog').getByRole('button', { name: 'Begin' }).click()
  await page.getByRole('button', { name: 'Bundled models' }).click()
  await page.getByRole('group', { name: 'Bundled models' }).getByRole('button', { name: /^Demo\b/ }).first().click()
  await section('Model').getByText('bundled').waitFor()

  writeFileSync(path.join(folder, 'gone.png'), png)
  await section('Image').getByRole('button', { name: 'Open an image' }).click()
  await page.getByRole('listbox', { name: 'Files' }).getByRole('option', { name: 'gone.png' }).dblclick()
  await section('Image').getByText('gone.png').first().waitFor()
  rmSync(path.join(folder, 'gone.png'))
  await run().click()
  await grid().getByRole('button', { name: 'failed: why' }).waitFor()
  await said(alertIn('Stage'), /gone\.png does not exist; check its name/)
})

browserTest('a network that fails in the middle of a run says so, and after all of that a run of the demo finishes', async () => {
  // Its weights are so large that it overflows on anything but black; noise is added in the middle of the run.
  await dropFiles(page, modelFiles((own) => {
    const bytes = readFileSync(path.join(own, shard))
    for (let i = 0; i < 3 * 3 * 3 * 6; i++) bytes.writeFloatLE(1e38, 4 * i)
    bytes.fill(0, 4 * 162, 4 * 168)
    writeFileSync(path.join(own, shard), bytes)
  }, { ...tinyCard, name: 'brittle', range: [0, 1] }))
  const black = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#000000' } }).png().toBuffer()
  await dropFiles(page, [picture('black.png', black)])
  await section('Image').getByText('black.png').first().waitFor()
  await section('Model').getByText('brittle').first().waitFor()
  await set('Iterations', '20000')
  await section('Method').getByRole('combobox', { name: 'Fill', exact: true }).click()
  await page.getByRole('option', { name: 'Black', exact: true }).click()
  await run().click()
  await bar().getByRole('button', { name: 'Pause' }).click()
  await section('Method').getByText(/The run is paused after iteration \d+/).waitFor()
  await section('Method').getByRole('button', { name: 'Randomisation' }).click()
  await set('Noise', '0.5')
  await bar().getByRole('button', { name: /^Apply from iteration/ }).click()
  await bar().getByText('What you have set is not applied yet.').waitFor({ state: 'detached' })
  await bar().getByRole('button', { name: 'Resume' }).click()
  await grid().getByRole('button', { name: 'failed: why' }).nth(1).waitFor()
  await said(alertIn('Stage'), /The model brittle answered NaN instead of a number\. Check that its preprocessing .* fits, or use another model/)

  await page.getByRole('button', { name: 'Bundled models' }).click()
  await page.getByRole('group', { name: 'Bundled models' }).getByRole('button', { name: /^Demo\b/ }).first().click()
  await section('Model').getByText('bundled').waitFor()
  await section('Image').getByRole('option', { name: 'good.png' }).click()
  await set('Iterations', '20')
  await run().click()
  await grid().getByText('finished').first().waitFor()
  // The browser itself tells requests that were refused or broken off.
  expect(complaints.filter((complaint) => !/Failed to load resource|ERR_CONNECTION_RESET/.test(complaint))).toEqual([])
})

import { readFileSync } from 'node:fs'
import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import { browserDataTest } from '../browser.ts'
import { dataPath } from '../data.ts'
import { hasOnnxruntime, onnxruntimeTest } from '../onnx.ts'
import { bringAxe, faults } from './axe.ts'
import { dropFiles, type Given } from './give-files.ts'
import { finished, readyToRun, setNumber, standOfFile } from './steps.ts'

/** Exported networks, as people bring them: dropped, their facts stated, looked into, explained by both executors. */
const stand = standOfFile()

function runtimeTest(name: string, fn: () => Promise<void>, timeout?: number): void {
  if (hasOnnxruntime) browserDataTest(name, fn, timeout)
  else onnxruntimeTest(name, fn, timeout)
}

const given = (name: string, ...place: string[]): Given => ({ name, bytes: readFileSync(dataPath(...place)), type: name.endsWith('.png') ? 'image/png' : '' })
const section = (page: Page, name: string): Locator => page.getByRole('region', { name, exact: true })
const pixels = (page: Page, name: string): Locator => section(page, 'Model').getByRole('group', { name: 'Values of black and white' }).getByRole('button', { name, exact: true })
const best = (page: Page): Locator => section(page, 'Model').getByRole('table', { name: 'What the model sees in the picture' }).getByRole('row').first()
const layerOf = (page: Page, name: string): Locator => page.getByRole('grid', { name: 'Layers' }).getByRole('row', { name: new RegExp(`^${name} `) })

async function runOn(page: Page, executor: string, number: number): Promise<void> {
  await page.keyboard.press('ControlOrMeta+,')
  const settings = page.getByRole('dialog', { name: 'Settings' })
  await settings.getByRole('group', { name: 'What runs classifiers' }).getByRole('button', { name: executor }).click()
  await settings.getByText(executor === 'TensorFlow.js' ? /: TF\.js, WebAssembly\./ : /: ONNX Runtime, \d+ threads?\./).waitFor()
  await page.keyboard.press('Escape')
  await readyToRun(page).click()
  await finished(page, number)
}

/** In its details, short and in full. */
async function ranOn(page: Page, words: RegExp): Promise<void> {
  const details = page.getByRole('region', { name: 'Course of the run' })
  await details.getByText(words).first().waitFor()
}

runtimeTest('a dropped ResNet is refused while it is cut off, and asks for its facts when it is whole', async () => {
  const { page } = stand()
  const whole = given('resnet20.onnx', 'models/cifar10/resnet20/model.onnx')
  await dropFiles(page, [{ name: 'cut.onnx', bytes: whole.bytes.subarray(0, 200_000) }])
  // By its own name, not by where the server keeps it.
  const refusal = section(page, 'Model').getByRole('alert')
  await refusal.filter({ hasText: 'cut.onnx' }).waitFor()
  expect(await refusal.innerText()).not.toMatch(/[/\\]/)

  await dropFiles(page, [whole, given('cat.png', 'photos/cat.png')])
  await section(page, 'Model').getByText(/does not say what black and white become/).waitFor()
  await pixels(page, 'Own').click()
  for (const [name, value] of [
    ['Mean, red', 0.485], ['Mean, green', 0.456], ['Mean, blue', 0.406],
    ['Standard deviation, red', 0.229], ['Standard deviation, green', 0.224], ['Standard deviation, blue', 0.225],
  ] as const) await setNumber(page, name, value)
  // The ten classes have no names here; 3 is the cat.
  await best(page).filter({ hasText: 'class 3' }).waitFor()
  await section(page, 'Model').getByText(/^(ONNX Runtime, \d+ threads?|TF\.js, WebAssembly)$/).waitFor()
})

runtimeTest('its layers are listed and drawn, and one of them is chosen for CAM methods', async () => {
  const { page } = stand()
  await bringAxe(page)
  await page.getByRole('button', { name: 'Inspect the model' }).click()
  const dialog = page.getByRole('dialog', { name: 'resnet20' })
  await dialog.getByText('ONNX model, opset 13').waitFor()
  await dialog.getByText('40,551,040').waitFor()
  await layerOf(page, '/layer3/layer3.2/conv2/Conv').getByText('default').waitFor()
  expect(await dialog.locator('tr[data-layer] svg path').count()).toBeGreaterThan(40)
  expect(await faults(page), 'the inspector').toEqual([])

  await dialog.getByRole('switch', { name: 'Convolutions only' }).click()
  await dialog.getByText('19 of 48 layers').waitFor()
  await dialog.getByRole('textbox', { name: 'Filter layers' }).fill('layer2.2')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('End')
  await page.keyboard.press('Enter')
  await dialog.getByText('CAM methods take this layer.').waitFor()
  expect(await layerOf(page, '/layer2/layer2.2/conv2/Conv').getByRole('button').getAttribute('aria-pressed')).toBe('true')
  await page.keyboard.press('Escape')
  await page.keyboard.press('ControlOrMeta+z')
  await page.getByRole('button', { name: 'Inspect the model' }).click()
  await layerOf(page, '/layer3/layer3.2/conv2/Conv').getByRole('button', { pressed: true }).waitFor()
  await page.keyboard.press('Escape')
})

runtimeTest('NeuroMask runs on both executors, and each run tells which it was', async () => {
  const { page } = stand()
  await setNumber(page, 'Iterations', 40)
  await runOn(page, 'ONNX Runtime', 1)
  await ranOn(page, /ONNX Runtime 1\.\d+\.\d+ \(onnxruntime\)/)
  await section(page, 'Model').getByText(/^ONNX Runtime, \d+ threads?$/).waitFor()
  await runOn(page, 'TensorFlow.js', 2)
  await ranOn(page, /TensorFlow\.js \(tfjs\)/)
  await section(page, 'Model').getByText('TF.js, WebAssembly').waitFor()
})

runtimeTest('MobileNet is another drop and a click away; its labels name the cat', async () => {
  const { page, window } = stand()
  await dropFiles(page, [given('mobilenet_v1.onnx', 'models/imagenet/mobilenet_v1_0.25_128/model.onnx')])
  await section(page, 'Model').getByText(/does not say what black and white become/).waitFor()
  await pixels(page, '−1 to 1').click()
  await section(page, 'Image').getByText('squashed whole').waitFor()
  await dropFiles(page, [given('labels1000.txt', 'models/imagenet/labels1000.txt')])
  await best(page).filter({ hasText: /cat|tabby|lynx/ }).waitFor()
  await setNumber(page, 'Iterations', 5)
  await runOn(page, 'ONNX Runtime', 3)
  await ranOn(page, /ONNX Runtime 1\.\d+\.\d+ \(onnxruntime\)/)
  // Nothing but the refusal was complained of.
  expect(window.complaints).toEqual([])
})

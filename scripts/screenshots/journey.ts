import type { Page } from 'playwright-core'
import type { Shell } from '../../tests/e2e/shell.ts'
import type { Desk } from './desk.ts'
import { killEngine } from './engine.ts'
import { Hand } from './hand.ts'
import { everyView } from './views.ts'

/** By name; `pose` is done again at every size. */
export type State = string | { name: string; pose: () => Promise<void> }

/** Walks through the window as a person would; at every state's name its picture is taken. */
export async function* journey(page: Page, shell: Shell, desk: Desk): AsyncGenerator<State> {
  const hand = new Hand(page)
  yield 'empty'
  yield* dialogs(hand)
  await hand.press('Try the demo')
  await hand.saysClasses()
  yield 'demo'
  yield* inspector(hand)
  yield* oneRun(hand)
  yield* display(hand)
  yield* twoRuns(hand)
  yield* several(hand)
  yield* lists(hand)
  yield* population(hand)
  yield* everyView(hand)
  yield* troubles(hand, shell)
  if (desk.data) yield* photo(hand, desk.data)
  await shell.stop()
  await page.getByText('Connection lost').waitFor()
  yield 'lost'
}

/** The views alone, each as somebody works in it. */
export async function* shortJourney(page: Page): AsyncGenerator<State> {
  const hand = new Hand(page)
  await hand.press('Try the demo')
  await hand.saysClasses()
  await hand.set('Iterations', '300')
  await hand.run()
  await hand.finished()
  yield* everyView(hand)
}

async function* dialogs(hand: Hand): AsyncGenerator<State> {
  await hand.key('Control+k')
  yield 'palette'
  await hand.key('Escape')
  await hand.command('Keyboard shortcuts')
  yield 'shortcuts'
  await hand.key('Escape')
  await hand.find('Control+o', 'classifiers')
  yield 'chooser'
  await hand.key('Escape')
  await hand.command('What it computes on')
  await hand.press('Measure')
  await hand.shown('Measure again')
  yield 'doctor'
  await hand.key('Escape')
  await hand.key('Control+,')
  await hand.page.getByRole('dialog', { name: 'Settings' }).waitFor()
  yield 'settings'
  await hand.key('Escape')
}

/** With the layers of the model that is open. */
async function* inspector(hand: Hand, name = 'inspector'): AsyncGenerator<State> {
  await hand.press('Inspect the model')
  await hand.page.getByRole('grid', { name: 'Layers' }).waitFor()
  await hand.page.locator('tr[data-layer]').nth(4).click()
  yield name
  await hand.key('Escape')
}

async function* oneRun(hand: Hand): AsyncGenerator<State> {
  await hand.set('Iterations', '20000')
  await hand.run()
  await hand.iteration(120)
  yield 'live'
  await hand.press('Pause')
  await hand.shown('Resume')
  await hand.set('Sparsity λs', '110')
  yield 'paused'
  await hand.press(/^Apply from/)
  await hand.press('Resume')
  await hand.page.waitForTimeout(500)
  await hand.press('Cancel')
  await hand.set('Iterations', '300')
  await hand.run()
  await hand.finished()
  yield { name: 'finished', pose: () => hand.point(0.6, 0.55) }
  await hand.press('Measure')
  await hand.page.getByRole('button', { name: 'Measure again' }).waitFor({ timeout: 120_000 })
  yield 'metrics'
  await hand.scrub(0.18)
  yield 'scrubbed'
  await hand.page.getByRole('button', { name: 'All of its provenance' }).click()
  yield 'provenance'
  await hand.page.getByRole('button', { name: 'All of its provenance' }).click()
  await hand.page.getByRole('slider', { name: 'Iteration shown' }).press('End')
}

async function* display(hand: Hand): AsyncGenerator<State> {
  await hand.display(async () => {
    await hand.page.getByRole('switch', { name: 'Contours instead of colour' }).click()
  })
  yield 'contours'
  await hand.display(async () => {
    await hand.page.getByRole('switch', { name: 'Contours instead of colour' }).click()
    await hand.choose('How removed pixels are shown', 'Baseline')
  })
  yield 'baseline'
  await hand.display(() => hand.choose('How removed pixels are shown', 'Checkerboard'))
  await hand.key('Control+e')
  await hand.page.getByRole('img', { name: /as it will be printed/ }).waitFor()
  yield 'export'
  await hand.key('Escape')
}

async function* twoRuns(hand: Hand): AsyncGenerator<State> {
  await hand.page.getByRole('button', { name: 'Choose a scene' }).click()
  await hand.page.getByRole('listbox', { name: 'Scenes' }).getByRole('option').nth(39).waitFor()
  yield 'scenes'
  await hand.key('Escape')
  await hand.set('Sparsity λs', '20')
  await hand.run()
  await hand.finished()
  await hand.page.locator('tr[data-run]').nth(1).click({ modifiers: ['Control'] })
  await hand.page.getByRole('button', { name: /Blink A/ }).waitFor()
  yield 'blink'
  await hand.page.getByRole('button', { name: 'Stop comparing' }).click()
}

async function* several(hand: Hand): AsyncGenerator<State> {
  await hand.set('Iterations', '20000')
  for (const seed of ['1', '2', '3', '4']) {
    await hand.set('Seed', seed)
    await hand.run()
  }
  await hand.page.waitForTimeout(1500)
  yield 'several'
  await hand.stopAll()
}

/** What is chosen from. */
async function* lists(hand: Hand): AsyncGenerator<State> {
  await hand.page.getByRole('combobox', { name: 'Method', exact: true }).click()
  await hand.page.getByRole('option').first().waitFor()
  yield 'methods'
  await hand.key('Escape')
  await hand.press('Open a data set')
  await hand.page.getByRole('dialog', { name: 'Data set' }).waitFor()
  yield 'data-set'
  await hand.press('Choose the folder')
  await hand.press('Places')
  await hand.page.getByRole('listbox', { name: 'Files' }).getByRole('option', { name: 'pictures' }).first().click()
  await hand.page.waitForTimeout(300)
  await hand.press(/^Choose pictures/)
  await hand.page.getByRole('listbox', { name: 'Images of the data set' }).getByRole('option').nth(3).waitFor()
  yield 'data-set-open'
  await hand.key('Escape')
}

/** A method that keeps many masks at a time. */
async function* population(hand: Hand): AsyncGenerator<State> {
  await hand.choose('Method', 'DE-CAM')
  await hand.run()
  await hand.page.getByRole('list', { name: /population, best first$/i }).getByRole('listitem').nth(3).waitFor({ timeout: 60_000 })
  await hand.page.waitForTimeout(1000)
  yield 'population'
  await hand.stopAll()
  await hand.choose('Method', 'NeuroMask')
}

async function* troubles(hand: Hand, shell: Shell): AsyncGenerator<State> {
  await hand.dragFileOver(true)
  yield 'drop'
  await hand.dragFileOver(false)
  await hand.find('Control+o', 'classifiers', 'scan-07.png')
  await hand.page.getByRole('alert').first().waitFor()
  yield 'image-error'
  await hand.find('Control+Shift+m', 'classifiers', 'shapes-classifier')
  await hand.page.getByText('How pixels enter the network').waitFor()
  yield 'cardless'
  await hand.press('0 to 1')
  await hand.page.getByText('Do these fit the picture?').waitFor()
  yield 'check'
  await hand.set('Iterations', '20000')
  await hand.run()
  await hand.iteration(20)
  if (await killEngine(shell.process.pid!)) {
    await hand.page.getByRole('button', { name: 'failed: why' }).first().waitFor()
    yield 'failed'
  } else await hand.stopAll()
}

async function* photo(hand: Hand, data: NonNullable<Desk['data']>): AsyncGenerator<State> {
  await hand.find('Control+Shift+m', 'mobilenet_v2_1.0_224', data.model)
  await hand.press('−1 to 1')
  await hand.page.getByText('224 × 224').first().waitFor()
  await hand.find('Control+o', 'photos', data.photo)
  await hand.saysClasses()
  yield* inspector(hand, 'inspector-mobilenet')
  await hand.set('Iterations', '60')
  await hand.run()
  await hand.finished(120_000)
  yield 'photo'
  await hand.find('Control+Shift+m', 'cifar10', data.exported)
  await hand.page.getByText('How pixels enter the network').waitFor()
  yield 'onnx'
  await hand.press('Own')
  yield 'onnx-own'
  await hand.press('ImageNet')
  await hand.page.getByText('32 × 32').first().waitFor()
  yield* inspector(hand, 'inspector-resnet')
}

// @vitest-environment happy-dom
import { beforeEach, expect, test } from 'vitest'
import StagePanel from '#renderer/components/stage/StagePanel.vue'
import { useCommands } from '#renderer/stores/commands.ts'
import { useRuns } from '#renderer/stores/runs.ts'
import { useSession } from '#renderer/stores/session.ts'
import { useStage } from '#renderer/stores/stage.ts'
import type { FakeClient } from '../fake-client.ts'
import { beginStores, openBoth, settled, show, showRuns } from '../mount.ts'
import { openImage, openModel, runRow } from '../samples.ts'

let client: FakeClient
beforeEach(async () => {
  client = await beginStores({
    'models.open': () => openModel(), 'images.open': () => [openImage({ name: 'scene:2000007' })], 'images.picture': () => new Promise(() => undefined),
    'runs.picture': () => new Promise(() => undefined),
  })
})

test('the empty stage says what goes there and opens the demo in one click', async () => {
  const wrapper = show(StagePanel)
  expect(wrapper.text()).toContain('Open a classifier and an image')
  await wrapper.get('.empty button').trigger('click')
  await settled()
  expect(client.inputsOf('models.open')[0]).toMatchObject({ from: { bundled: 'demo' } })
  expect(client.inputsOf('images.open')[0]).toEqual({ from: { scene: 'scene:2000007' } })
  expect(wrapper.find('.empty').exists()).toBe(false)
})

test('before a run there is one picture; with one there are those that are chosen', async () => {
  const wrapper = show(StagePanel)
  await openBoth()
  await settled()
  expect(wrapper.findAll('figure')).toHaveLength(1)
  expect(wrapper.text()).toContain('pets.jpg')
  await showRuns([runRow()])
  await settled()
  expect(wrapper.findAll('figure')).toHaveLength(4)
  useCommands().run('stage-overlay')
  await settled()
  expect(wrapper.findAll('figcaption').map((title) => title.text().split(',')[0])).toEqual(['Inputball.png', 'Mask', 'Masked input'])
  await showRuns([runRow({ deletes: true })])
  await settled()
  expect(wrapper.findAll('figcaption').at(-1)!.text()).toMatch(/^Without the mark, p = 0\.86/)
})

test('the last picture cannot be hidden, and one can stand alone', async () => {
  const wrapper = show(StagePanel)
  await showRuns([runRow()])
  for (const id of ['stage-input', 'stage-mask', 'stage-overlay', 'stage-masked']) useCommands().run(id)
  await settled()
  expect(useSession().settings.stage.shown).toEqual([false, false, false, true])
  for (const id of ['stage-input', 'stage-mask']) useCommands().run(id)
  await settled()
  await wrapper.findAll('figcaption')[1]!.trigger('dblclick')
  expect(wrapper.findAll('figure')).toHaveLength(1)
  await wrapper.get('figcaption').trigger('dblclick')
  expect(wrapper.findAll('figure')).toHaveLength(3)
})

test('a queued run says what it waits for', async () => {
  const wrapper = show(StagePanel)
  await showRuns([runRow({ state: 'queued', iteration: 0, probability: { original: null, masked: null } })])
  await settled()
  expect(wrapper.text()).toContain('Waiting for a free worker')
})

test('a failed run says why in its place, to be copied whole', async () => {
  const wrapper = show(StagePanel)
  const message = 'The worker ended in the middle of the run.\nRun it again.'
  await showRuns([runRow({ state: 'failed', error: { code: 'worker', message } })])
  await settled()
  expect(wrapper.get('[role="alert"] .message').text()).toBe(message)
  expect(wrapper.find('button[aria-label="Copy the message"]').exists()).toBe(true)
})

test('the keys of the stage', async () => {
  show(StagePanel)
  await showRuns([runRow({ run: '0001-a' }), runRow({ run: '0002-b' })])
  await settled()
  const press = (key: string): boolean => useCommands().press(new KeyboardEvent('keydown', { key, cancelable: true }))
  const { settings } = useSession()
  const before = settings.logScale
  expect(press('l')).toBe(true)
  expect(useSession().settings.logScale).toBe(!before)
  const order = [1, 2, 3].map(() => {
    press('n')
    return useSession().settings.stage.normalisation
  })
  expect(order).toEqual(['map', 'percentile-99', 'range'])
  expect(press('b')).toBe(false)
  useRuns().other = '0001-a'
  expect(press('b')).toBe(true)
  expect(useStage().shownRun).toBe('0001-a')
  press('b')
  expect(useStage().shownRun).toBe('0002-b')
  expect(press('1')).toBe(true)
  expect(useSession().settings.stage.shown[0]).toBe(false)
})

test('while comparing, the stage says which run is shown', async () => {
  const wrapper = show(StagePanel)
  await showRuns([runRow({ run: '0001-a', seed: 4 }), runRow({ run: '0002-b', seed: 5 })])
  useRuns().other = '0001-a'
  await settled()
  expect(wrapper.get('.blink').text()).toContain('A · 0002')
  useCommands().run('blink')
  await settled()
  expect(wrapper.get('.blink').text()).toContain('B · 0001, NeuroMask, seed 4')
})

test('an image that is opened comes to the stage, and a run that is asked for comes back', async () => {
  const wrapper = show(StagePanel)
  await showRuns([runRow()])
  await settled()
  await openBoth()
  await settled()
  expect(wrapper.text()).toContain('pets.jpg')
  useRuns().select('0001-ball-neuromask')
  await settled()
  expect(wrapper.text()).toContain('ball.png')
})

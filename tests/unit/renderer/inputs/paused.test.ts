// @vitest-environment happy-dom
import { flushPromises, type VueWrapper } from '@vue/test-utils'
import { beforeEach, expect, test } from 'vitest'
import LeftPanel from '#renderer/components/inputs/LeftPanel.vue'
import { useCommands } from '#renderer/stores/commands.ts'
import { useOrder } from '#renderer/stores/order.ts'
import { useRuns } from '#renderer/stores/runs.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { FakeClient } from '../fake-client.ts'
import { beginStores, openBoth, settled, show, showRuns } from '../mount.ts'
import { runRow } from '../samples.ts'

const run = '0001-ball-neuromask'
let client: FakeClient
let panel: VueWrapper

beforeEach(async () => {
  client = await beginStores({
    'runs.change': ({ parameters }) => ({ iteration: 41, parameters }), 'runs.pause': () => ({}), 'runs.resume': () => ({}), 'runs.cancel': () => ({}),
    'runs.submit': () => ({ run: '0002-ball-neuromask' }),
  })
  await openBoth()
  await showRuns([runRow({ run, state: 'paused', iteration: 40 })])
  panel = show(LeftPanel)
})

async function type(name: string, text: string): Promise<void> {
  const input = panel.find(`input[role="spinbutton"][aria-label="${name}"]`)
  ;(input.element as HTMLInputElement).value = text
  await input.trigger('input')
  await input.trigger('change')
}

const button = (text: string): ReturnType<VueWrapper['find']> => panel.findAll('button').find((entry) => entry.text() === text)!

test('a paused run shows its own parameters; what was set at the start is locked', () => {
  expect(panel.find('input[role="spinbutton"][aria-label="Iterations"]').attributes('disabled')).toBeDefined()
  expect(panel.find('input[role="spinbutton"][aria-label="Sparsity weight λs"]').attributes('disabled')).toBeUndefined()
  expect(button('Apply from iteration 41 on').attributes('disabled')).toBeDefined()
  expect(panel.find('.field .visually-hidden').text()).toContain('Set at the start of the run.')
})

test('a change is applied from the next iteration on, and the order for the next run is not touched', async () => {
  await type('Sparsity weight λs', '30')
  expect(panel.text()).toContain('What you have set is not applied yet.')
  await button('Apply from iteration 41 on').trigger('click')
  await flushPromises()
  expect(client.inputsOf('runs.change')).toEqual([{ run, parameters: { 'sparsity-weight': 30 } }])
  expect(useOrder().own).toEqual({})
  useRuns().hear({ type: 'row', row: runRow({ run, state: 'paused', iteration: 40, changes: [{ iteration: 41, parameters: { 'sparsity-weight': 30 } }] }) })
  await settled()
  expect(panel.find('.changes').text()).toBe('From iteration 41: λs 30')
  expect((panel.find('input[role="spinbutton"][aria-label="Sparsity weight λs"]').element as HTMLInputElement).value).toBe('30')
  expect(panel.find('.dot').exists()).toBe(false)
  await button('Resume').trigger('click')
  expect(client.inputsOf('runs.resume')).toEqual([{ run }])
})

test('a refused change says so at its field and stays to be mended', async () => {
  client.answers['runs.change'] = () => Promise.reject(new MaskscopeError('usage', 'Parameter sparsity-weight cannot change now.', { subject: 'sparsity-weight' }))
  await type('Sparsity weight λs', '30')
  await button('Apply from iteration 41 on').trigger('click')
  await flushPromises()
  expect(panel.find('.field .problem').text()).toBe('Parameter sparsity-weight cannot change now.')
  expect((panel.find('input[role="spinbutton"][aria-label="Sparsity weight λs"]').element as HTMLInputElement).value).toBe('30')
})

test('the bar pauses, resumes and cancels the selected run, and still queues another', async () => {
  await button('Cancel').trigger('click')
  expect(client.inputsOf('runs.cancel')).toEqual([{ run }])
  useRuns().hear({ type: 'row', row: runRow({ run, state: 'running', iteration: 50 }) })
  await settled()
  await button('Pause').trigger('click')
  expect(client.inputsOf('runs.pause')).toEqual([{ run }])
  await button('Run').trigger('click')
  await flushPromises()
  expect(client.inputsOf('runs.submit')).toEqual([
    { model: 'model-1', image: 'image-1', method: 'neuromask', parameters: { preset: 'maskscope' }, seed: 1, target: 'auto' },
  ])
  expect(useRuns().selected).toBe('0002-ball-neuromask')
})

test('the same by command', async () => {
  const commands = useCommands()
  commands.run('pause')
  commands.run('cancel')
  commands.run('run')
  await flushPromises()
  expect(client.asked.map((entry) => entry.name).filter((name) => /resume|cancel|submit/.test(name))).toEqual(['runs.resume', 'runs.cancel', 'runs.submit'])
})

test('a refused run says why above the bar', async () => {
  useRuns().hear({ type: 'row', row: runRow({ run, state: 'finished' }) })
  await settled()
  client.answers['runs.submit'] = () => Promise.reject(new MaskscopeError('storage', 'The disk is full.'))
  await button('Run').trigger('click')
  await flushPromises()
  expect(panel.find('.run-bar .error-note').text()).toContain('The disk is full.')
})

// @vitest-environment happy-dom
import { flushPromises, type DOMWrapper, type VueWrapper } from '@vue/test-utils'
import { beforeEach, expect, test, vi } from 'vitest'
import RunsPanel from '#renderer/components/runs/RunsPanel.vue'
import { useCommands } from '#renderer/stores/commands.ts'
import { useHistory } from '#renderer/stores/history.ts'
import { useImages } from '#renderer/stores/images.ts'
import { useModels } from '#renderer/stores/models.ts'
import { useNotices } from '#renderer/stores/notices.ts'
import { useOrder } from '#renderer/stores/order.ts'
import { useRuns } from '#renderer/stores/runs.ts'
import type { FakeClient } from '../fake-client.ts'
import { beginStores, settled, show, showRuns } from '../mount.ts'
import { openImage, openModel, runRow } from '../samples.ts'

const rows = [
  runRow({ run: '0001-a' }), runRow({ run: '0002-b', seed: 2 }),
  runRow({ run: '0003-c', state: 'failed', error: { code: 'worker', message: 'The engine worker died. Run it again.' }, probability: { original: 0.9, masked: null }, area: null }),
  runRow({ run: '0004-d', state: 'interrupted', iteration: 30 }),
  runRow({ run: '0005-e', state: 'running', iteration: 60, probability: { original: 0.9, masked: 0.4 } }),
]

let client: FakeClient
let panel: VueWrapper

beforeEach(async () => {
  client = await beginStores({ 'runs.delete': () => ({}), 'runs.restore': () => ({}) })
  await showRuns(rows)
  panel = show(RunsPanel)
  await flushPromises()
})

const order = (): string[] => panel.findAll('tbody tr[data-run]').map((row) => row.attributes('data-run')!)
const row = (run: string): DOMWrapper<Element> => panel.find(`tr[data-run="${run}"]`)
const marked = (): string[] => panel.findAll('tr[aria-selected="true"]').map((entry) => entry.attributes('data-run')!).sort()
const press = (key: string, keys: object = {}): Promise<void> => panel.find('tbody').trigger('keydown', { key, ...keys })

test('every state is told in words; a failed run says why in its row', () => {
  expect(order()).toEqual(['0005-e', '0004-d', '0003-c', '0002-b', '0001-a'])
  expect(row('0005-e').find('[role="progressbar"]').attributes('aria-valuenow')).toBe('50')
  expect(row('0005-e').find('.state').text()).toBe('50%')
  expect(row('0003-c').find('.state').text()).toContain('failed')
  expect(row('0003-c').find('.state').text()).toContain('The engine worker died.')
  expect(row('0004-d').find('.state').text()).toBe('interrupted')
  expect(row('0001-a').find('.state').text()).toBe('finished')
})

test('the whole error can be opened and copied', async () => {
  await row('0003-c').find('.why').trigger('click')
  await settled()
  expect(document.querySelector('.popover .error-note')?.textContent).toContain('The engine worker died. Run it again.')
  expect(document.querySelector('.popover button[aria-label="Copy the message"]')).not.toBeNull()
})

test('several runs show their own progress', async () => {
  useRuns().hear({ type: 'row', row: runRow({ run: '0006-f', state: 'running', iteration: 12 }) })
  await settled()
  expect(panel.findAll('[role="progressbar"]').map((bar) => bar.attributes('aria-valuenow'))).toEqual(['10', '50'])
})

test('columns sort, and the head says how', async () => {
  const head = panel.findAll('th').find((cell) => cell.text() === 'p masked')!
  await head.find('button').trigger('click')
  expect(head.attributes('aria-sort')).toBe('descending')
  expect(order()[0]).toBe('0004-d')
  expect(order().at(-1)).toBe('0003-c')
  await head.find('button').trigger('click')
  expect(head.attributes('aria-sort')).toBe('ascending')
  expect(order()[0]).toBe('0005-e')
})

test('the filter keeps what it finds, and says when that is nothing', async () => {
  const filter = panel.find('input[aria-label="Filter runs"]')
  await filter.setValue('worker died')
  expect(order()).toEqual(['0003-c'])
  await filter.setValue('giraffe')
  expect(order()).toEqual([])
  expect(panel.text()).toContain('No run has “giraffe”')
})

test('rows are selected by click and by keys, several with Shift and Ctrl', async () => {
  const runs = useRuns()
  await row('0002-b').trigger('click')
  expect(runs.selected).toBe('0002-b')
  await press('ArrowDown')
  expect(runs.selected).toBe('0001-a')
  await press('Home')
  expect(runs.selected).toBe('0005-e')
  await press('ArrowDown', { shiftKey: true })
  expect(marked()).toEqual(['0004-d', '0005-e'])
  await row('0001-a').trigger('click', { ctrlKey: true })
  expect(marked()).toEqual(['0001-a', '0004-d', '0005-e'])
  await press('Escape')
  expect(marked()).toEqual(['0004-d'])
})

test('two marked runs can be blinked and held against each other', async () => {
  const blink = vi.fn()
  useCommands().register([{ id: 'blink', title: 'Blink', group: 'Stage', run: blink }])
  await row('0001-a').trigger('click')
  await row('0002-b').trigger('click', { ctrlKey: true })
  await flushPromises()
  const runs = useRuns()
  expect([runs.selected, runs.other]).toEqual(['0001-a', '0002-b'])
  const pane = panel.find('aside')
  expect(pane.findAll('tbody tr').map((entry) => entry.text())[0]).toBe('Seed12')
  await pane.findAll('button').find((button) => button.text().startsWith('Blink'))!.trigger('click')
  await press('b')
  expect(blink).toHaveBeenCalledTimes(2)
  await row('0002-b').trigger('click')
  await flushPromises()
  expect(runs.other).toBeNull()
  expect(panel.find('aside').exists()).toBe(false)
})

test('deleting is done at once and can be undone', async () => {
  const runs = useRuns()
  await row('0002-b').trigger('click')
  await row('0001-a').trigger('click', { shiftKey: true })
  client.answers['runs.delete'] = ({ runs: gone }) => {
    for (const run of gone) client.emit('runs.watch', { type: 'removed', run })
    return {}
  }
  runs.begin()
  await press('Delete')
  await settled()
  expect([...client.inputsOf('runs.delete')[0]!.runs].sort()).toEqual(['0001-a', '0002-b'])
  expect(order()).toEqual(['0005-e', '0004-d', '0003-c'])
  expect(runs.selected).toBe('0003-c')
  expect(useNotices().notices.at(-1)?.action?.label).toBe('Undo')
  await useHistory().undo()
  expect([...client.inputsOf('runs.restore')[0]!.runs].sort()).toEqual(['0001-a', '0002-b'])
})

test('Enter opens a run again, with its parameters and its target', async () => {
  client.answers['runs.reopen'] = () => ({ model: openModel(), image: openImage({ image: 'again', name: 'ball.png' }), message: null })
  useRuns().hear({ type: 'row', row: runRow({ run: '0002-b', seed: 9, target: { index: 2, label: 'tall cup' }, parameters: { ...runRow().parameters, 'sparsity-weight': 30 } }) })
  await row('0002-b').trigger('click')
  await press('Enter')
  await settled()
  expect(useModels().current?.model).toBe('model-1')
  expect(useImages().current?.name).toBe('ball.png')
  const next = useOrder()
  expect([next.seed, next.target, next.own]).toEqual([9, 2, { 'sparsity-weight': 30 }])
})

test('without runs it says what goes here', async () => {
  await showRuns([])
  expect(panel.text()).toBe('The runs of this study are listed here. Choose a model and an image, then run.')
})

test('a long study draws only the rows in view', async () => {
  await showRuns(Array.from({ length: 1000 }, (_, i) => runRow({ run: `${String(i).padStart(4, '0')}-x` })))
  expect(order().length).toBeLessThan(60)
  expect(panel.find('table').attributes('aria-rowcount')).toBe('1001')
})

// @vitest-environment happy-dom
import { flushPromises } from '@vue/test-utils'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { courseTable, trainingLines } from '#renderer/components/reconstruct/training-curves.ts'
import { drawRow, rgbaOf } from '#renderer/components/reconstruct/pictures.ts'
import { leftText, progressText, reportTable, settingsText, stateText } from '#renderer/components/reconstruct/reconstruction-text.ts'
import { useHistory } from '#renderer/stores/history.ts'
import { useModels } from '#renderer/stores/models.ts'
import { useReconstructions } from '#renderer/stores/reconstruction.ts'
import { useReconstructionOrder } from '#renderer/stores/reconstruction-order.ts'
import { useVariations } from '#renderer/stores/variations.ts'
import ReconstructView from '#renderer/views/ReconstructView.vue'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { FakeClient } from '../fake-client.ts'
import { beginStores, settled, show } from '../mount.ts'
import { openModel } from '../samples.ts'
import { answers, pictures, point, reconstructionRow, report, samples } from './samples.ts'

let client: FakeClient
let wrapper: ReturnType<typeof show>

beforeEach(async () => {
  client = await beginStores({ ...answers, 'models.open': () => openModel() })
  useReconstructions().begin()
  wrapper = show(ReconstructView)
  await settled()
})
afterEach(() => {
  wrapper.unmount()
  vi.useRealTimers()
})

const whole = answers['reconstructions.read']!
const text = (): string => document.body.textContent
const button = (name: string): HTMLButtonElement => [...document.querySelectorAll('button')].find((one) => one.textContent.trim() === name || one.getAttribute('aria-label') === name)!

async function snapshot(...rows: ReturnType<typeof reconstructionRow>[]): Promise<void> {
  client.emit('reconstructions.watch', { type: 'snapshot', rows })
  await settled()
}

async function openTab(tab: 'training' | 'variations' | 'classes' | 'report'): Promise<void> {
  useReconstructions().tab = tab
  await settled()
}

test('the empty view says what goes here; its button starts the demo with the bundled classifiers', async () => {
  expect(text()).toContain('Train a generator on salient inputs')
  button('Try the demo: scenes').click()
  await settled()
  expect(client.inputsOf('models.open').map(({ from }) => from)).toEqual([{ bundled: 'demo' }, { bundled: 'demo-judge' }])
  expect(client.inputsOf('reconstructions.start')).toEqual([{
    data: { kind: 'scenes' }, images: 320, test: 60, model: 'model-1', judge: 'model-1', method: 'neuromask', settings: { epochs: 10, batch: 8 }, seed: 1,
    parameters: { 'preset': 'maskscope', 'iterations': 40, 'sparsity-weight': 70, 'kernel': '3x3', 'fill': 'drawn', 'flip': false },
  }])
  expect(useReconstructions().selected).toBe('0002-scenes')
})

test('the form says what is missing, and shows each refusal at its field', async () => {
  const order = useReconstructionOrder()
  expect(order.hindrance).toBe('Open a model first.')
  useModels().adopt(openModel())
  order.chooseKind('idx')
  await settled()
  expect(order.hindrance).toBe('Choose the data first.')
  order.choosePlace({ handle: 'folder-1', name: 'fashion', kind: 'folder', place: '~', bytes: null })
  await settled()
  expect(text()).toContain('30,000 to learn from, 10,000 for tests')
  expect(order.images).toBe(10_000)
  // Things on black are hidden by black.
  expect(order.asOrder?.parameters).toMatchObject({ iterations: 20, fill: 'zero' })
  order.images = 300
  useModels().adopt({ ...openModel(), model: 'model-2' })
  await settled()
  expect(client.inputsOf('reconstructions.data').at(-1)).toMatchObject({ model: 'model-2' })
  expect(order.images).toBe(300)

  client.answers['reconstructions.data'] = () => Promise.reject(new MaskscopeError('input', 'The folder fashion holds no images file.', { subject: 'fashion' }))
  order.choosePlace({ handle: 'folder-2', name: 'broken', kind: 'folder', place: '~', bytes: null })
  await settled()
  expect(document.querySelector('[aria-labelledby] .error-note')!.textContent).toContain('holds no images file')

  order.chooseKind('scenes')
  client.answers['reconstructions.start'] = () => Promise.reject(new MaskscopeError('usage', 'The Latent size is too large.', { subject: 'latent' }))
  await order.start()
  await settled()
  expect(order.problems['latent']).toBe('The Latent size is too large.')
  order.settings.set('epochs', 0)
  expect(order.hindrance).toBe('A value will not do.')
})

test('a training under way: steps, curves and the growing sheet; an answer and events overlap without doubling', async () => {
  const row = reconstructionRow({ state: 'running', phase: 'training', done: 3, all: 10, secondsLeft: 130, epoch: 1, generator: false, inLoop: null })
  client.answers['reconstructions.read'] = async (input) => ({ ...await whole(input), points: [point(0.5), point(1, true)], samples: [1], report: null, test: 0 })
    await snapshot(row)
  expect(text()).toContain('epoch 2 of 2, 2 min left')
  client.emit('reconstructions.watch', { type: 'point', reconstruction: '0001-scenes', point: point(1, true) })
  client.emit('reconstructions.watch', { type: 'point', reconstruction: '0001-scenes', point: point(1.5) })
  await settled()
  expect(useReconstructions().courseOf('0001-scenes').map(({ at }) => at)).toEqual([0.5, 1, 1.5])
  expect(document.querySelectorAll('[aria-label="Contact sheet"] canvas')).toHaveLength(3)
  client.emit('reconstructions.watch', { type: 'samples', reconstruction: '0001-scenes', epoch: 2, samples: samples() })
  await settled()
  expect(document.querySelectorAll('[aria-label="Contact sheet"] canvas')).toHaveLength(4)
  expect([...document.querySelectorAll('.chart h3')].map((head) => head.textContent)).toEqual(['Reconstruction', 'KL', 'Total'])

  button('Pause').click()
  await flushPromises()
  expect(client.inputsOf('reconstructions.pause')).toEqual([{ reconstruction: '0001-scenes' }])
  client.emit('reconstructions.watch', { type: 'row', row: { ...row, state: 'interrupted' } })
  await settled()
  expect(text()).toContain('The program ended in the middle of it.')
  button('Go on').click()
  await flushPromises()
  expect(client.inputsOf('reconstructions.resume')).toEqual([{ reconstruction: '0001-scenes' }])
})

test('variations: filter, pinning, another seed; a slider that moves asks once; what fails is told where it belongs', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  await snapshot(reconstructionRow())
  await openTab('variations')
  await vi.advanceTimersByTimeAsync(200)
  await flushPromises()
  expect(client.inputsOf('reconstructions.vary')).toEqual([{
    reconstruction: '0001-scenes', image: 0, kind: 'posterior', temperature: 1, count: 24, seed: 1, margin: null, pinned: false,
  }])
  expect(text()).toContain('16 of 24 keep the outcome')
  const shown = (): number => document.querySelectorAll('.gallery .variation').length
  expect(shown()).toBe(24)
  const store = useVariations()
  store.filter = 'refused'
  await flushPromises()
  expect(shown()).toBe(8)
  expect(document.querySelector('.gallery canvas')!.getAttribute('aria-label')).toBe('Variation 2: cup, refused, probability of the outcome 0.88')

  for (const temperature of [0.4, 0.5, 0.6]) store.temperature = temperature
  store.pinned = true
  store.margin = 0.1
  await vi.advanceTimersByTimeAsync(200)
  await flushPromises()
  expect(client.inputsOf('reconstructions.vary').slice(1)).toMatchObject([{ temperature: 0.6, pinned: true, margin: 0.1 }])

  client.answers['reconstructions.vary'] = () => Promise.reject(new MaskscopeError('worker', 'The engine process was ended.'))
  store.mode = 'interpolation'
  await vi.advanceTimersByTimeAsync(200)
  await flushPromises()
  expect(client.inputsOf('reconstructions.vary').at(-1)).toMatchObject({ kind: 'interpolation', other: 1, count: 11 })
  expect(document.querySelector('.drawn [role="alert"]')!.textContent).toContain('The engine process was ended.')
  store.step(60)
  expect([store.image, store.first]).toEqual([49, 48])
})

test('the class view and the report say every number', async () => {
  await snapshot(reconstructionRow())
  await openTab('classes')
  expect(text()).toContain('80 images whose outcome is ball')
  expect(text()).toContain('60%')
  expect(document.querySelectorAll('.prototypes li')).toHaveLength(2)
  button('cup').click()
  await settled()
  expect(client.inputsOf('reconstructions.classView').map((input) => input.class)).toEqual([0, 1])

  await openTab('report')
  const rows = [...document.querySelectorAll('.shares tbody tr')].map((row) => [...row.children].map((cell) => cell.textContent).filter(Boolean).join(' '))
  expect(rows[0]).toBe('Outcome kept 0.934 (0.914 to 0.954)')
  expect(rows).toHaveLength(8)
  expect(text()).toContain('0.400')
  expect([...document.querySelectorAll('.matrix td.right')].map((cell) => cell.textContent)).toEqual(['30', '33', '31'])
  const table = reportTable(report).split('\n').map((line) => line.split('\t'))
  expect(table.find(([name]) => name === 'Empty input')).toEqual(['Empty input', '0.11', String(0.11 - 0.02), String(0.11 + 0.02), '0.1'])
  expect(new Set(table.map((cells) => cells.length))).toEqual(new Set([5]))

  client.emit('reconstructions.watch', { type: 'row', row: reconstructionRow({ settings: { conditional: true } }) })
  await settled()
  expect(text()).toContain('This generator was told the class')
})

test('deleting is undone; before there is a generator each tab says what will stand there', async () => {
  client.answers['reconstructions.read'] = async (input) => ({ ...await whole(input), report: null, test: 0, points: [], samples: [] })
  await snapshot(reconstructionRow(), reconstructionRow({ reconstruction: '0002-scenes', state: 'failed', generator: false, inLoop: null, error: { code: 'run', message: 'The losses are no numbers any more.' } }))
  expect(useReconstructions().selected).toBe('0002-scenes')
  expect(text()).toContain('The losses are no numbers any more.')
  for (const [tab, said] of [['variations', 'Variations can be drawn once'], ['classes', 'once the generator is trained'], ['report', 'once the generator is trained']] as const) {
    await openTab(tab)
    expect(text()).toContain(said)
  }
  await useReconstructions().remove('0002-scenes')
  client.emit('reconstructions.watch', { type: 'removed', reconstruction: '0002-scenes' })
  await settled()
  expect(useReconstructions().selected).toBe('0001-scenes')
  client.answers['reconstructions.read'] = () => Promise.reject(new MaskscopeError('storage', 'reconstruction.json cannot be read.'))
  await useHistory().undo()
  expect(client.inputsOf('reconstructions.restore')).toEqual([{ reconstructions: ['0002-scenes'] }])
  await openTab('training')
  client.emit('reconstructions.watch', { type: 'row', row: reconstructionRow({ state: 'interrupted' }) })
  await settled()
  expect(text()).toContain('reconstruction.json cannot be read.')
})

test('pictures, curves and words', () => {
  expect([...rgbaOf({ count: 2, height: 1, width: 2, channels: 1, data: Uint8Array.of(1, 2, 3, 4) }, 1)]).toEqual([3, 3, 3, 255, 4, 4, 4, 255])
  expect([...rgbaOf({ count: 1, height: 1, width: 1, channels: 3, data: Uint8Array.of(1, 2, 3) }, 0)]).toEqual([1, 2, 3, 255])
  const canvas = document.createElement('canvas')
  drawRow(canvas, pictures(3), [0, 1, 2], 1)
  expect([canvas.width, canvas.height]).toEqual([14, 4])

  const first = { ...point(0.02), losses: { reconstruction: 9000, kl: 0, total: 9000 } }
  const points = [first, ...Array.from({ length: 40 }, (_, i) => point((i + 1) / 20, (i + 1) % 20 === 0))]
  const chart = trainingLines(points, 'reconstruction', 2, 100)!
  expect(chart.lines.map(({ id }) => id)).toEqual(['steps', 'training', 'validation'])
  // The last epoch's mean stands at the right end; the first steps do not press the rest flat.
  expect(chart.lines[1]!.path.split(' ').at(-1)).toMatch(/^100\.00,/)
  expect(chart.axis.ticks.length).toBeGreaterThan(1)
  expect(chart.axis.position(100)).toBeCloseTo(1, 1)
  expect(trainingLines(points, 'classifier', 2, 100)).toBeNull()
  expect(courseTable(points).split('\n')).toHaveLength(3)

  expect([stateText(reconstructionRow({ state: 'paused', phase: 'salient', done: 5, all: 20 })), stateText(reconstructionRow())]).toEqual(['paused: salient inputs 25%', 'finished'])
  expect(progressText(reconstructionRow({ phase: 'salient', done: 1200, all: 10_000, secondsLeft: 300 }))).toBe('1200 of 10,000, 5 min left')
  expect([leftText(3), leftText(100), leftText(5400)]).toEqual(['3 s', '2 min', '1 h 30 min'])
  expect(settingsText(reconstructionRow({ settings: { conditional: true, gamma: 0.5, beta: 2, latent: 16 } }))).toBe('class-conditional, γ 0.5, β 2, latent 16')
})

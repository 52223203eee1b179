// @vitest-environment happy-dom
import { flushPromises } from '@vue/test-utils'
import { expect, test } from 'vitest'
import { methodChoices, metricChoices } from '#renderer/components/benchmark/choices.ts'
import ScoreTable from '#renderer/components/benchmark/ScoreTable.vue'
import { differenceText, differs, durationText, entryTitle, meanText, pieceText, pText, scoreSortingAfter, sortScores, subjectsText } from '#renderer/components/benchmark/score-table.ts'
import { spreadOf } from '#renderer/components/benchmark/spread.ts'
import BenchmarkView from '#renderer/views/BenchmarkView.vue'
import { useBenchmarks } from '#renderer/stores/benchmark.ts'
import { useBenchmarkSetup } from '#renderer/stores/benchmark-setup.ts'
import { useMetrics } from '#renderer/stores/metrics.ts'
import { viewShown } from '#renderer/stores/views.ts'
import { useCommands } from '#renderer/stores/commands.ts'
import type { BenchmarkPlan, BenchmarkResults, BenchmarkRow, BenchmarkScore } from '#shared/contract/benchmark.ts'
import type { MetricInfo } from '#shared/contract/metrics.ts'
import { beginStores, openBoth, settled, show } from '../mount.ts'
import { method } from '../samples.ts'

const metric = (id: string, more: Partial<MetricInfo> = {}): MetricInfo => ({
  id, variantOf: null, title: id.toUpperCase(), citation: '', definition: 'What it says.', better: 'higher', range: [0, 1], cost: 'queries', needs: [], ...more,
})
const iou = metric('iou', { needs: ['object'] })
const deletion = metric('deletion', { better: 'lower' })
const score = (mean: number | null, more: Partial<BenchmarkScore> = {}): BenchmarkScore => ({
  mean, low: mean === null ? null : mean - 0.05, high: mean === null ? null : mean + 0.05, median: mean, sd: 0.1, seedSd: null, n: 7, difference: null, p: null, holm: null, best: false, ...more,
})
const results: BenchmarkResults = {
  images: 7, excluded: { wrong: 2 }, whole: false, against: 'rise', resamples: 1000, errors: [{ method: 'cam', message: 'No layer.', images: 8 }],
  methods: [
    { name: 'rise', scores: { iou: score(0.4), deletion: score(0.2) }, forward: 4000, backward: 0, seconds: 1.5 },
    { name: 'cam', scores: { iou: score(0.7, { best: true, difference: 0.3, p: 0.0002, holm: 0.0004 }), deletion: score(null) }, forward: 1, backward: 1, seconds: 0.01 },
    { name: 'rise@500', scores: { iou: score(0.41, { difference: 0.01, p: 0.6, holm: 0.6 }), deletion: score(0.1) }, forward: 500, backward: 0, seconds: null },
  ],
}
const row = (more: Partial<BenchmarkRow> = {}): BenchmarkRow => ({
  benchmark: 'b1', name: 'demo-1', place: '~/maskscope-benchmarks', state: 'running', done: 3, total: 9, piece: 'c000001.cam.s0', secondsLeft: 90, failures: [], error: null, changed: '2026-01-01T00:00:00.000Z',
  facts: {
    model: 'demo', judge: null, data: 'scenes:18@2000000', images: 18, seed: 0, chunk: 8, shard: null, executor: 'tfjs', backend: 'wasm', version: '0.1.0', keepMaps: true, metrics: ['iou', 'deletion'],
    entries: ['rise', 'cam', 'rise@500'].map((name) => ({ name, method: name.split('@')[0]!, draws: 1, parameters: {} })),
  },
  ...more,
})
const plan: BenchmarkPlan = {
  total: 40, images: 40, data: 'scenes:40@2000000', methods: {}, metrics: {}, folder: { name: 'demo-1', place: '~', holds: 'nothing' }, explanations: 120, seconds: null, unknown: 1, problem: null,
}

test('sorted by the better end first, what is not known last either way; a second click turns it', () => {
  const metrics = [iou, deletion]
  const names = (column: string, descending: boolean): string[] => sortScores(results.methods, { column, descending }, (name) => name).map(({ name }) => name)
  expect(scoreSortingAfter(null, 'iou', metrics)).toEqual({ column: 'iou', descending: true })
  expect(scoreSortingAfter(null, 'deletion', metrics)).toEqual({ column: 'deletion', descending: false })
  expect(scoreSortingAfter({ column: 'iou', descending: true }, 'iou', metrics)).toEqual({ column: 'iou', descending: false })
  expect(names('iou', true)).toEqual(['cam', 'rise@500', 'rise'])
  expect(names('deletion', false)).toEqual(['rise@500', 'rise', 'cam'])
  expect(names('deletion', true)).toEqual(['rise', 'rise@500', 'cam'])
  expect(names('seconds', false)).toEqual(['cam', 'rise', 'rise@500'])
})

test('numbers, differences, p values, pieces and times as a person reads them', () => {
  expect([0.12345, -0.5, 12.34, 1234.5, null].map(meanText)).toEqual(['0.123', '−0.500', '12.3', '1235', '–'])
  expect([score(1, { difference: 0.3 }), score(1, { difference: -0.02 }), score(1)].map(differenceText)).toEqual(['+0.300', '−0.020', '–'])
  expect([0.0001, 0.0312, 1, null].map(pText)).toEqual(['p < .001', 'p .031', 'p 1', ''])
  expect([score(1, { holm: 0.049 }), score(1, { holm: 0.05 }), score(1)].map(differs)).toEqual([true, false, false])
  const titles = new Map([['rise', 'RISE']])
  expect([entryTitle('rise@500', titles), entryTitle('cam', titles)]).toEqual(['RISE @ 500', 'cam'])
  expect([pieceText('c000002.rise.s1', titles, 8), pieceText('c000000.compared', titles, 8)]).toEqual(['RISE, images 17 to 24, seed 2', 'comparing maps, images 1 to 8'])
  expect([0.2, 40, 240, 7800].map(durationText)).toEqual(['under a second', '40 s', '4 min', '2 h 10 min'])
  expect(subjectsText(results)).toBe('7 images or objects; not evaluated: 2 where the classifier is wrong')
})

test('how values lie: percentiles by interpolation, missing ones left out, few dots of many', () => {
  const spread = spreadOf(Float32Array.from([NaN, 4, 0, 1, 3, 2]))!
  expect(spread).toMatchObject({ n: 5, mean: 2, dots: [0, 1, 2, 3, 4] })
  ;[0.2, 1, 2, 3, 3.8].forEach((value, i) => expect(spread.quantiles[i]).toBeCloseTo(value, 12))
  expect(spreadOf([NaN])).toBeNull()
  const many = spreadOf(Float32Array.from({ length: 10_000 }, (_, i) => i))!
  expect(many.dots).toHaveLength(160)
  expect(many.dots.toSorted((a, b) => a - b)).toEqual(many.dots)
})

test('methods by what they ask, configurations behind theirs, with what stands in the way', () => {
  const control = { ...method, id: 'edges', title: 'Edges', family: 'control' as const, access: 'query' as const }
  const choices = methodChoices([control, method], { methods: { [method.id]: null, [`${method.id}@fast`]: null, edges: 'It needs something.' } })
  expect(choices.map(({ value, group, reason }) => [value, group, reason])).toEqual([
    [method.id, 'With gradients', null], [`${method.id}@fast`, 'With gradients', null], ['edges', 'Controls', 'It needs something.'],
  ])
  // What a variant costs is told by its group; none is taken with all.
  const variants = metricChoices([metric('deletion@rise', { variantOf: 'deletion' }), metric('keep-rate@wrong-class', { variantOf: 'keep-rate', cost: 'dear' })], null)
  expect(variants.map(({ value, group, extra }) => [value, group, extra])).toEqual([['keep-rate@wrong-class', 'Run the method again', true], ['deletion@rise', 'As others define them', true]])
  const measured = metricChoices([metric('max', { cost: 'dear' }), deletion, iou, metric('gini', { cost: 'map', better: null })], { metrics: { iou: 'It needs the true object.' } })
  expect(measured.map(({ value, group }) => [value, group])).toEqual([['iou', 'Against the true object'], ['deletion', 'By asking the classifier'], ['gini', 'Of the map alone'], ['max', 'Run the method again']])
  expect(measured[0]!.reason).toContain('true object')
})

test('the table marks the best and what differs, is walked by arrows, and a number opens its images', async () => {
  await beginStores()
  const wrapper = show(ScoreTable, { results, metrics: [iou, deletion], titles: new Map([['rise', 'RISE'], ['cam', 'CAM']]), shown: 'mean', picked: null, retryable: true })
  const cell = (name: RegExp): HTMLElement => [...document.querySelectorAll<HTMLElement>('td button')].find((one) => name.test(one.textContent.trim()))!
  expect(cell(/^IOU of CAM/).textContent.replaceAll('●', '')).toMatch(/^IOU of CAM: 0\.700†, best/)
  expect(cell(/^IOU of CAM/).textContent).toContain('†')
  expect(cell(/^IOU of RISE @ 500/).textContent).not.toContain('†')
  expect(document.querySelectorAll('td [tabindex="0"]')).toHaveLength(1)
  cell(/^IOU of RISE:/).focus()
  cell(/^IOU of RISE:/).dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown', bubbles: true }))
  await settled()
  expect(document.activeElement).toBe(cell(/^IOU of CAM/))
  document.activeElement!.dispatchEvent(new KeyboardEvent('keydown', { key: 'End', bubbles: true }))
  await settled()
  ;(document.activeElement as HTMLElement).click()
  expect(wrapper.emitted('pick')).toEqual([['cam', 'deletion']])
  await wrapper.setProps({ shown: 'difference' })
  expect(cell(/^IOU of CAM/).textContent).toContain('+0.300')
  expect(cell(/^IOU of RISE:/).textContent).toContain('0.400')
  document.querySelector<HTMLElement>('[aria-label="Try CAM again where it failed"]')!.click()
  expect(wrapper.emitted('retry')).toEqual([['cam']])
  wrapper.unmount()
})

test('from nothing to a benchmark that is watched: problems at their fields, numbers as they come, the same one after a reload', async () => {
  sessionStorage.clear()
  const client = await beginStores({
    'metrics.list': () => [iou, deletion],
    'benchmark.plan': (order) => (order.metrics.length === 0 ? { ...plan, problem: { code: 'usage', message: 'Choose at least one metric.', subject: 'metrics' } } : plan),
    'benchmark.start': () => ({ benchmark: 'b1' }), 'benchmark.results': () => results, 'benchmark.spread': () => [], 'benchmark.pause': () => ({}),
    'benchmark.cells': () => [{ subject: 0, image: 'scene:1', object: 0, label: 'cat', target: 'cat', probability: 0.9, value: 0.7, seedSd: null, note: null }],
    'benchmark.pictures': () => [],
  })
  viewShown.value = 'benchmark'
  await useMetrics().begin()
  await openBoth()
  const wrapper = show(BenchmarkView)
  client.emit('benchmark.watch', { type: 'snapshot', rows: [] })
  await settled()
  expect(wrapper.text()).toContain('Compare methods by metrics over a whole data set')
  const button = (name: string): HTMLButtonElement => [...document.querySelectorAll('button')].find((one) => one.textContent.trim() === name || one.getAttribute('aria-label') === name)!
  button('Set one up').click()
  await settled()
  expect(wrapper.text()).toContain('Choose at least one metric.')
  expect(button('Start').disabled).toBe(true)
  button('All metrics').click()
  await new Promise((resolve) => setTimeout(resolve, 300))
  await settled()
  expect(useBenchmarkSetup().order.metrics).toEqual(['iou', 'deletion'])
  expect(wrapper.text()).toContain('120 explanations; of 1 methods it is not known how long they take')
  expect(useCommands().press(new KeyboardEvent('keydown', { key: 'Enter', ctrlKey: true }))).toBe(true)
  await settled()
  client.emit('benchmark.watch', { type: 'row', row: row() })
  await settled()
  expect(wrapper.text()).toContain('3 of 9 pieces, 90 s left'.replace('90 s', durationText(90)))
  expect(client.inputsOf('benchmark.results')).toEqual([{ benchmark: 'b1', against: null }])
  useBenchmarks().pick('cam', 'iou')
  await settled()
  expect(wrapper.text()).toContain('scene:1')
  button('Pause').click()
  await flushPromises()
  expect(client.inputsOf('benchmark.pause')).toEqual([{ benchmark: 'b1' }])
  client.emit('benchmark.watch', { type: 'row', row: row({ state: 'stopped', failures: [{ piece: 'c000000.cam.s0', message: 'The engine died.' }], error: { code: 'run', message: 'The disk is full.' } }) })
  await settled()
  expect(wrapper.text()).toContain('images 1 to 8, seed 1: The engine died.')
  expect(wrapper.text()).toContain('The disk is full.')
  expect(button('Go on')).toBeDefined()
  expect(sessionStorage.getItem('maskscope-benchmark')).toBe('b1')
  wrapper.unmount()
  viewShown.value = 'explain'
})

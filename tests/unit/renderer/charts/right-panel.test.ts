// @vitest-environment happy-dom
import { beforeEach, expect, test } from 'vitest'
import { changeLines, durationText, evaluationsText, groupedProvenance, measured, rateText, shortProvenance } from '#renderer/components/charts/facts.ts'
import RightPanel from '#renderer/components/charts/RightPanel.vue'
import type { RunDetail } from '#shared/contract/runs.ts'
import { beginStores, settled, show, showRuns } from '../mount.ts'
import { method, runRow } from '../samples.ts'

const provenance: RunDetail['provenance'] = [
  { group: 'Model', name: 'SHA-256', value: 'ab'.repeat(32) },
  { group: 'Image', name: 'SHA-256', value: 'cd'.repeat(32) },
  { group: 'Method', name: 'Seed', value: '1' },
  { group: 'Method', name: 'Score', value: 'log-probability' },
  { group: 'Method', name: 'Fill', value: 'Black' },
  { group: 'Computed by', name: 'Backend', value: 'wasm' },
  { group: 'Computed by', name: 'Executor', value: 'tfjs' },
]
const detail: RunDetail = {
  row: runRow(), view: null, score: 'log-probability', range: [0, 1], signed: false, truth: true, evaluations: { forward: 129, backward: 120 }, notes: ['Stopped early.'],
  facts: [{ label: 'Completeness gap', value: 0.00123 }], parts: [], provenance,
}

beforeEach(async () => void (await beginStores({
  'runs.read': () => detail,
  'runs.course': () => ({
    columns: ['total', 'probability'], iterations: Float32Array.from([0, 1, 2]), values: Float32Array.from([9, 0.5, 4, 0.6, 2, 0.75]),
    frames: { iterations: [0, 2], height: 1, width: 1, data: Float32Array.from([0, 1]) },
  }),
})))

test('numbers as people read them', () => {
  expect([rateText(41.3), rateText(4.24), rateText(0.333), rateText(1234)]).toEqual(['41', '4.2', '0.33', '1234'])
  expect([durationText(5.04), durationText(42), durationText(200), durationText(3900), durationText(3600), durationText(0)])
    .toEqual(['5.0 s', '42 s', '3 min 20 s', '1 h 5 min', '1 h', '0 s'])
  expect([evaluationsText({ forward: 385, backward: 385 }), evaluationsText({ forward: 8000, backward: 0 }), evaluationsText({ forward: 9, backward: 8 })])
    .toEqual(['385 fwd + bwd', '8000 fwd', '9 fwd, 8 bwd'])
})

test('time left while it runs, time taken afterwards', () => {
  const running = measured(runRow({ state: 'running', iteration: 30, iterations: 120, seconds: 10 }), 0.2, null)
  expect(running).toContainEqual({ name: 'Steps per second', value: '3.0' })
  expect(running).toContainEqual({ name: 'Time left', value: '30 s' })
  const finished = measured(runRow(), 0.21, { forward: 2, backward: 1 })
  expect(finished).toContainEqual({ name: 'Area kept', value: '0.21' })
  expect(finished).toContainEqual({ name: 'p original → masked', value: '0.99 → 0.86' })
  expect(finished.some((fact) => fact.name === 'Time left')).toBe(false)
  const deleted = measured(runRow({ deletes: true }), 0.21, null).map(({ name }) => name)
  expect(deleted).toEqual(expect.arrayContaining(['Area deleted', 'p original → deleted']))
})

test('changes on the way, with the iteration from which they hold', () => {
  const row = runRow({ changes: [{ iteration: 40, parameters: { 'sparsity-weight': 0.2, flip: true, fill: 'blur' } }] })
  expect(changeLines(row, method)).toEqual([{ from: 'from 40', what: 'Sparsity weight .2, Flip on, Fill Blurred' }])
  expect(changeLines(row, null)[0]!.what).toContain('sparsity-weight .2')
})

test('what made the result stands beside it, short and in full', () => {
  expect(shortProvenance(detail)).toEqual([
    { name: 'Score', value: 'log-probability' }, { name: 'Fill in force', value: 'Black' }, { name: 'Seed', value: '1' },
    { name: 'Computed by', value: 'tfjs on wasm' }, { name: 'Model SHA-256', value: 'ababab…abab' },
  ])
  expect(groupedProvenance(detail).map(({ group, entries }) => [group, entries.length])).toEqual([['Model', 1], ['Image', 1], ['Method', 3], ['Computed by', 2]])
})

test('the panel teaches while it is empty, then shows the run', async () => {
  const wrapper = show(RightPanel)
  expect(wrapper.text()).toContain('once a run has begun')
  await showRuns([runRow()])
  await settled()
  expect(wrapper.text()).toContain('129 fwd, 120 bwd')
  expect(wrapper.text()).toContain('Stopped early.')
  expect(wrapper.text()).toContain('tfjs on wasm')
})

test('those who do not see the charts have a table of the values', async () => {
  const wrapper = show(RightPanel)
  await showRuns([runRow({ iteration: 2, iterations: 2 })])
  await settled()
  expect(wrapper.get('caption').text()).toBe('Values at iteration 2 of 2')
  expect(wrapper.findAll('tbody tr').map((line) => line.text())).toEqual(['total2', 'target probability0.75'])
})

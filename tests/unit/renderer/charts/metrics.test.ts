// @vitest-environment happy-dom
import { flushPromises } from '@vue/test-utils'
import { expect, test } from 'vitest'
import MetricTable from '#renderer/components/charts/MetricTable.vue'
import { explainsTheSame, metricRows, metricsTable, usualMetrics } from '#renderer/components/charts/metric-rows.ts'
import PartList from '#renderer/components/charts/PartList.vue'
import MaskStrip from '#renderer/components/stage/MaskStrip.vue'
import { useMetrics } from '#renderer/stores/metrics.ts'
import type { MeasurementOfRun, MetricInfo } from '#shared/contract/metrics.ts'
import type { RunRow } from '#shared/contract/runs.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { FakeClient } from '../fake-client.ts'
import { beginStores, settled, show } from '../mount.ts'
import { runRow } from '../samples.ts'

function metric(id: string, part: Partial<MetricInfo> = {}): MetricInfo {
  return { id, variantOf: null, title: id.toUpperCase(), citation: '', definition: `What ${id} is.`, better: 'higher', range: [0, 1], cost: 'queries', needs: [], ...part }
}
function result(id: string, part: Partial<MeasurementOfRun> = {}): MeasurementOfRun {
  return { metric: id, parameters: {}, value: 0.5, details: {}, curves: [], note: null, error: null, judge: null, ...part }
}
const list = [
  metric('gini', { cost: 'map', better: null }), metric('ap', { cost: 'map', needs: ['object'] }), metric('deletion', { better: 'lower' }),
  metric('sense', { cost: 'dear' }), metric('grid', { needs: ['mosaic'] }), metric('agree', { needs: ['others'] }),
]
const nothing = { object: false, mosaic: false, others: false }

test('what is measured at one click has what it needs and does not run the method again', () => {
  const variant = metric('deletion@rise', { variantOf: 'deletion' })
  expect(usualMetrics(metricRows([...list, variant], [], nothing))).toEqual(['gini', 'deletion'])
  expect(usualMetrics(metricRows(list, [], { object: true, mosaic: true, others: true }))).toEqual(['gini', 'ap', 'deletion', 'grid', 'agree'])
  const rows = metricRows(list, [], nothing)
  expect(rows.map(({ direction }) => direction)).toEqual(['', '↑', '↓', '↑', '↑', '↑'])
  expect(rows[4]!.missing).toContain('mosaic')
})

test('a row tells a value, why there is none, or what went wrong', () => {
  const error = { code: 'run', message: 'It fell over.' } as const
  const [gini, ap, deletion] = metricRows(list, [
    result('gini', { value: 0.12345, details: { 'tie-fraction': null } }), result('ap', { value: null, note: 'The object is not seen.' }), result('deletion', { value: null, error }),
  ], nothing)
  expect(gini).toMatchObject({ value: '0.123', note: null, failure: null, details: [{ name: 'tie fraction', value: 'none' }] })
  expect(ap).toMatchObject({ value: null, note: 'The object is not seen.', failure: null })
  expect(deletion).toMatchObject({ value: null, note: null, failure: 'It fell over.' })
  expect(metricsTable([result('ap', { note: 'a\tb', details: { ties: 0.25 } })])).toBe('metric\tdetail\tvalue\tjudge\tnote\nap\t\t0.5\t\ta b\nap\tties\t0.25\t\t\n')
})

async function table(answers: Parameters<typeof beginStores>[0] = {}): Promise<{ client: FakeClient; wrapper: ReturnType<typeof show> }> {
  const client = await beginStores({ 'metrics.list': () => list, ...answers })
  await useMetrics().begin()
  const wrapper = show(MetricTable, { row: runRow({ model: { name: 'other', sha256: 'b'.repeat(64) } }), truth: true })
  await settled()
  return { client, wrapper }
}
const press = (wrapper: ReturnType<typeof show>, text: string): Promise<void> => wrapper.findAll('button').find((one) => one.text().startsWith(text))!.trigger('click')

test('measuring shows what there is at once, how far it is, and each failure at its row', async () => {
  let answer: (results: MeasurementOfRun[]) => void = () => undefined
  const { client, wrapper } = await table({
    'metrics.measure': ({ metrics }) => (metrics[0] === 'gini' ? [result('gini'), result('ap')] : new Promise((resolve) => (answer = resolve))),
  })
  expect(wrapper.text()).toContain('how well it finds the object')
  await press(wrapper, 'Measure')
  await settled()
  expect(client.inputsOf('metrics.measure').map(({ metrics }) => metrics)).toEqual([['gini', 'ap'], ['deletion']])
  expect(wrapper.text()).toContain('Measuring deletion, 3 of 3')
  expect(wrapper.find('tbody').text()).toContain('AP')
  const curves = [{ name: 'fill-blur', x: [0, 0.5, 1], y: [1, null, 0.25] }]
  answer([result('gini'), result('ap', { value: null, error: { code: 'run', message: 'It fell over.' } }), result('deletion', { curves })])
  await settled()
  expect(wrapper.findAll('tbody tr').map((line) => line.text().replaceAll('\u00a0', ' '))).toEqual(['GINI 0.5', 'AP ↑failed', 'It fell over.', 'DELETION ↓0.5'])
  await press(wrapper, 'DELETION')
  expect(wrapper.get('figure').attributes('aria-label')).toBe('Curves of DELETION: fill blur ends at 0.25')
  expect(wrapper.find('polyline').attributes('points')).toBe('0.00,0.00 100.00,75.00')
  // What runs the method again is measured by itself; what lacks something says so.
  expect(wrapper.findAll('.rest button').map((one) => [one.text().split('\u00a0')[0], one.attributes('disabled') !== undefined])).toEqual([['SENSE', false], ['GRID', true], ['AGREE', true]])
})

test('maps agree or not where another method has explained the same', async () => {
  const own = runRow({ run: '0001-own' })
  const other = runRow({ run: '0002-other', method: 'rise' })
  expect(explainsTheSame(other, own)).toBe(true)
  const unlike: Partial<RunRow>[] = [
    { method: own.method }, { state: 'running' }, { image: { name: 'another', kind: 'file' } }, { model: { name: own.model.name, sha256: 'c'.repeat(64) } },
    { target: { index: own.target!.index + 1, label: null } },
  ]
  expect(unlike.map((part) => explainsTheSame({ ...other, ...part }, own))).toEqual(unlike.map(() => false))
})

test('what is cancelled keeps what was measured, and is no error; a refusal is', async () => {
  const { client, wrapper } = await table({ 'metrics.measure': ({ metrics }) => (metrics[0] === 'gini' ? [result('gini')] : new Promise(() => undefined)) })
  client.call = cancellable(client.call)
  await press(wrapper, 'Measure')
  await settled()
  await press(wrapper, 'Cancel')
  await settled()
  expect(wrapper.text()).toContain('Measure again')
  expect(wrapper.find('[role="alert"]').exists()).toBe(false)
  expect(wrapper.findAll('tbody tr')).toHaveLength(1)
  client.answers['metrics.measure'] = () => Promise.reject(new MaskscopeError('input', 'The model is gone.'))
  await press(wrapper, 'Measure again')
  await settled()
  expect(wrapper.text()).toContain('The model is gone.')
})

/** As the link does it: an abort ends the wait. */
function cancellable(call: FakeClient['call']): FakeClient['call'] {
  return (name, input, options) => Promise.race([call(name, input, options), new Promise<never>((_, reject) => {
    options?.signal?.addEventListener('abort', () => reject(new MaskscopeError('cancelled', 'Cancelled.')))
  })])
}

test('parts stand with their titles and limits; several masks are a list with theirs', async () => {
  await beginStores({ 'runs.part': ({ part }) => ({ count: 1, height: 1, width: 2, data: Float32Array.from(part === 'signed' ? [-0.5, 0.25] : [0, 3]) }) })
  const parts = show(PartList, { run: 'r', parts: [{ name: 'plain', title: 'Plain mask', signed: false, count: 1 }, { name: 'signed', title: 'Slopes', signed: true, count: 1 }] })
  await flushPromises()
  expect(parts.findAll('li').map((one) => one.text())).toEqual(['Plain mask0 to 3', 'Slopes−0.5 to 0.5'])
  const strip = show(MaskStrip, { title: 'Deletion and insertion masks', stack: { count: 3, height: 1, width: 1, data: Float32Array.from([0, 0.5, 1]) }, colours: null })
  expect(strip.get('[role="list"]').attributes('aria-label')).toBe('Deletion and insertion masks')
  expect(strip.findAll('[role="listitem"] canvas').map((one) => one.attributes('aria-label'))).toEqual(['Mask 1 of 3', 'Mask 2 of 3', 'Mask 3 of 3'])
  const failing = await beginStores({ 'runs.part': () => Promise.reject(new MaskscopeError('storage', 'parts.npy is damaged.')) })
  const lost = show(PartList, { run: 'r', parts: [{ name: 'plain', title: 'Plain mask', signed: false, count: 1 }] })
  await flushPromises()
  expect([failing.asked.length > 0, lost.text()]).toEqual([true, 'parts.npy is damaged.'])
})

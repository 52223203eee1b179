import fc from 'fast-check'
import { expect, test } from 'vitest'
import { arrangeRows, isRight, spreadOfValues, type RowSource } from '#renderer/components/compare/arrange-rows.ts'
import { shareLimits, type CellFrame } from '#renderer/components/compare/cell-source.ts'
import { pairOf, rankCorrelation, spreadOf, topPixels } from '#renderer/components/compare/combine.ts'
import { bandOf, quantitiesOf } from '#renderer/components/compare/course-lines.ts'
import { gridMove, windowOf } from '#renderer/components/compare/grid-window.ts'
import { lookOf } from '#renderer/components/compare/looks.ts'
import { metricText } from '#renderer/components/compare/metric-text.ts'
import { bestOfRow, columnCurves, summarise, validResult, type NumberSource } from '#renderer/components/compare/numbers.ts'
import { progressOf } from '#renderer/components/compare/progress.ts'
import { cellStateOf } from '#renderer/stores/comparison-cell.ts'
import { createShelf } from '#renderer/stores/comparison-shelf.ts'
import { cellKey, truthKey, type ComparisonColumn, type ComparisonRow } from '#shared/contract/comparison.ts'
import type { MeasurementOfRun, MetricInfo } from '#shared/contract/metrics.ts'
import type { MapData } from '#shared/domain/image.ts'

const row = (id: string, image = `i${id}`): ComparisonRow => ({ id, image, model: 'm', target: 'auto' })
const column = (id: string, method = id): ComparisonColumn => ({ kind: 'method', id, title: null, method, parameters: {}, seed: 1, seeds: 1 })
const map = (values: number[], width = values.length): MapData => ({ width, height: values.length / width, data: Float32Array.from(values) })
const plain = { signed: false, range: [null, null] as const, mask: false }
const metric: MetricInfo = { id: 'quality', variantOf: null, title: 'Quality', citation: '', definition: '', better: 'higher', range: [0, 1], cost: 'map', needs: [] }
const result = (value: number | null, parameters: Record<string, string> = {}, id = 'quality'): MeasurementOfRun => ({ metric: id, parameters, value, details: {}, curves: [], note: null, error: null, judge: null })

/** One finished run per cell, named by it, with a value of its own. */
function numbersOf(values: Record<string, number>): NumberSource {
  return {
    board: { truths: {} },
    finished: (r, c) => (`${r.id}${c.id}` in values ? [`${r.id}${c.id}`] : []),
    measured: (run) => ({ evaluations: { forward: 10, backward: 2 }, results: [result(values[run]!)] }),
    seconds: () => 3,
  }
}

test('mean and standard deviation of several maps are those of each pixel', () => {
  const { mean, sd } = spreadOf([map([1, 2]), map([3, 2]), map([5, 2])])
  expect([...mean.data]).toEqual([3, 2])
  expect([...sd.data]).toEqual([2, 0])
  expect([...spreadOf([map([4, 7])]).sd.data]).toEqual([0, 0])
})

test('a map against itself: no difference, full agreement of ranks and top pixels', () => {
  fc.assert(fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 1000 }), { minLength: 4, maxLength: 30 }), (values) => {
    const one = { map: map(values), kind: plain }
    const { difference, correlation, overlap } = pairOf(one, one, 0.25)
    expect(Math.max(...difference.data.map(Math.abs))).toBe(0)
    expect(correlation).toBeCloseTo(1, 12)
    expect(overlap).toBe(1)
    // Ranks turned round.
    expect(rankCorrelation(one.map.data, one.map.data.map((v) => -v))).toBeCloseTo(-1, 12)
  }))
  // Ties share their ranks: ranks 1.5, 1.5, 3 against 1, 2, 3 correlate with 1.5 / sqrt(1.5 · 2).
  expect(rankCorrelation(Float32Array.of(0, 0, 1), Float32Array.of(1, 2, 3))).toBeCloseTo(1.5 / Math.sqrt(3), 12)
})

test('the top pixels are as many as the share says, and none of a tie that would be too many', () => {
  expect([...topPixels(Float32Array.of(1, 5, 3, 4), 0.5)]).toEqual([0, 1, 0, 1])
  expect([...topPixels(Float32Array.of(1, 5, 3, 4), 0.01)]).toEqual([0, 1, 0, 0])
  expect([...topPixels(Float32Array.of(2, 2, 2, 9), 0.5)]).toEqual([0, 0, 0, 1])
})

test('signed and unsigned maps never share their limits, and signed ones stay centred on zero', () => {
  const frame = (values: number[], signed: boolean): CellFrame => ({ map: map(values), view: null as never, kind: { ...plain, signed }, run: null, iteration: null })
  const shared = shareLimits([frame([0, 2], false), frame([1, 8], false), frame([-3, 1], true), frame([0, 5], true)], 'map')
  expect(shared).toEqual({ unsigned: { low: 0, high: 8 }, signed: { low: -5, high: 5 } })
})

test('a column is best only where its interval lies beyond all others; rows that lack a number do not count', () => {
  const rows = ['a', 'b', 'c', 'd'].map((id) => row(id))
  const columns = [column('x'), column('y')]
  const far = numbersOf({ ax: 0.9, bx: 0.91, cx: 0.92, dx: 0.9, ay: 0.1, by: 0.12, cy: 0.11 })
  const clear = summarise(far, metric, rows, columns)
  expect({ rows: clear.rows, all: clear.all }).toEqual({ rows: 3, all: 4 })
  expect(clear.columns.map(({ best }) => best)).toEqual([true, false])
  expect(clear.columns[0]!.mean).toBeCloseTo(0.91, 12)
  expect(clear.columns[0]!.evaluations).toBe(12)
  // The same numbers where less is better.
  expect(summarise(far, { ...metric, better: 'lower' }, rows, columns).columns.map(({ best }) => best)).toEqual([false, true])
  // Overlapping intervals, and ties.
  const close = numbersOf({ ax: 0.9, bx: 0.1, cx: 0.5, ay: 0.8, by: 0.2, cy: 0.45 })
  expect(summarise(close, metric, rows.slice(0, 3), columns).columns.some(({ best }) => best)).toBe(false)
  // Two classes of one image are one image: too few for an interval.
  const few = summarise(far, metric, [row('a', 'same'), row('b', 'same'), row('c', 'same')], columns)
  expect(few.columns.map(({ low, best }) => [low, best])).toEqual([[null, false], [null, false]])
})

test('the best cell of a row is marked by what is shown, and none of a tie', () => {
  expect(bestOfRow([0.71, 0.68, null], 'higher')).toBe(0)
  expect(bestOfRow([0.711, 0.714], 'higher')).toBeNull()
  expect(bestOfRow([0.3, 0.1], 'lower')).toBe(1)
  expect(bestOfRow([0.3], 'higher')).toBeNull()
  expect(metricText({ id: 'average-precision', title: 'Average precision' }, 0.714)).toBe('AP .71')
  expect(metricText({ id: 'deletion@rise', title: 'Deletion, as the RISE repository' }, 0.5)).toBe('del* .50')
})

test('what was measured against another truth does not count any more', () => {
  const against = { ...metric, needs: ['object'] } as MetricInfo
  const truth = { shapes: [{ type: 'box', left: 1, top: 1, width: 4, height: 4 }], mask: null, source: null } as const
  const drawn = { ...truth, shapes: [...truth.shapes] }
  const old = result(0.5)
  const now = result(0.7, { truth: truthKey(drawn) })
  expect(validResult([old], against, undefined)).toBe(old)
  expect(validResult([old], against, drawn)).toBeNull()
  expect(validResult([now], against, drawn)).toBe(now)
  expect(validResult([now], against, { ...drawn, shapes: [{ ...drawn.shapes[0]!, left: 2 }] })).toBeNull()
  // Others know nothing of the truth.
  expect(validResult([old], metric, drawn)).toBe(old)
})

test('curves of a column are the mean over fills and cells, at the same places', () => {
  const curve = (name: string, y: number[]) => ({ name, x: [0, 0.5, 1], y })
  const source: NumberSource = {
    ...numbersOf({ ax: 0, bx: 0 }),
    measured: (run) => ({ evaluations: { forward: 0, backward: 0 }, results: [{ ...result(run === 'ax' ? 0.2 : 0.4, {}, 'deletion'), curves: run === 'ax' ? [curve('black', [1, 0.4, 0]), curve('blur', [1, 0.6, 0.2])] : [{ name: 'black', x: [0, 1], y: [0.8, 0] }] }] }),
  }
  const [found] = columnCurves(source, 'deletion', [row('a'), row('b')], [column('x')])
  expect(found!.x).toEqual([0, 0.5, 1])
  // Of the second curve the value between its places is taken on the line.
  expect(found!.y.map((v) => Number(v.toFixed(6)))).toEqual([0.9, 0.45, 0.05])
  expect(found!.area).toBeCloseTo(0.3, 12)
  expect(found!.low).toEqual([])
})

test('rows are filtered and ordered; what is not known stands last', () => {
  const rows = ['a', 'b', 'c'].map((id) => row(id))
  const facts: Record<string, { label: string; top: string; p: number; value: number | null }> = {
    a: { label: 'zebra', top: 'Zebra', p: 0.9, value: 0.2 }, b: { label: 'tiger_cat', top: 'hotdog', p: 0.5, value: null }, c: { label: 'hotdog', top: 'hotdog', p: 0.7, value: 0.6 },
  }
  const source: RowSource = {
    image: ({ id, image }) => ({ key: image, name: `${id}.jpg`, kind: 'file', width: 1, height: 1, label: facts[id]!.label, truth: false }),
    reading: ({ id }) => ({ view: null as never, top: [{ index: 0, label: facts[id]!.top, probability: facts[id]!.p }] }),
    className: ({ id }) => facts[id]!.top,
    value: ({ id }) => facts[id]!.value,
    disagreement: ({ id }) => facts[id]!.p,
    starred: ({ id }) => id === 'b', missing: ({ id }) => id === 'c',
  }
  const ids = (by: string, descending: boolean, verdict: 'all' | 'right' | 'wrong' | 'starred' | 'missing' = 'all', text = ''): string =>
    arrangeRows(rows, { sorting: { by, descending }, filter: { text, verdict } }, [column('x')], source).map(({ id }) => id).join('')
  expect([ids('', false), ids('', true), ids('class', false), ids('probability', true), ids('disagreement', false)]).toEqual(['abc', 'cba', 'bca', 'acb', 'bca'])
  expect([ids('x', false), ids('x', true)]).toEqual(['acb', 'cab'])
  expect([ids('', false, 'right'), ids('', false, 'wrong'), ids('', false, 'starred'), ids('', false, 'missing'), ids('', false, 'all', 'HOTDOG')]).toEqual(['ac', 'b', 'b', 'c', 'bc'])
  expect(isRight(rows[0]!, { ...source, reading: () => undefined })).toBeNull()
  expect(spreadOfValues([1, null, 3])).toBeCloseTo(Math.SQRT2, 12)
  expect(spreadOfValues([1])).toBeNull()
})

test('the same question has the same key, any other has another', () => {
  const base = row('a')
  const key = cellKey(base, 'rise', { masks: 10, preset: 'p' }, 1)
  expect(cellKey({ ...base, id: 'z' } as ComparisonRow, 'rise', { preset: 'p', masks: 10 }, 1)).toBe(key)
  const others = [cellKey(base, 'rise', { masks: 11, preset: 'p' }, 1), cellKey(base, 'rise', { masks: 10, preset: 'p' }, 2), cellKey({ ...base, target: 3 }, 'rise', { masks: 10, preset: 'p' }, 1), cellKey(base, 'lime', { masks: 10, preset: 'p' }, 1)]
  expect(new Set([key, ...others]).size).toBe(5)
})

test('a cell is in the weightiest state of its runs', () => {
  const of = (...states: (string | null)[]): string => cellStateOf(states.map((state) => state && { state }) as never)
  expect([of(null), of('finished'), of('finished', 'running'), of('finished', null), of('finished', 'failed'), of('queued', 'failed'), of('cancelled', null)]).toEqual(['empty', 'finished', 'running', 'part', 'failed', 'queued', 'cancelled'])
})

test('only lines in sight are there, and keys stay within the grid', () => {
  expect(windowOf(1000, 300, 100, 200, 1)).toEqual({ from: 9, to: 14 })
  expect(windowOf(0, 300, 100, 2, 1)).toEqual({ from: 0, to: 2 })
  const size = { rows: 5, columns: 3, page: 2 }
  const move = (key: string, ctrlKey = false) => gridMove({ key, ctrlKey, metaKey: false, altKey: false, shiftKey: false }, { row: 1, column: 1 }, size)
  expect([move('ArrowUp'), move('ArrowRight'), move('PageDown'), move('End'), move('Home', true), move('x')]).toEqual([
    { row: 0, column: 1 }, { row: 1, column: 2 }, { row: 3, column: 1 }, { row: 1, column: 2 }, { row: 0, column: 0 }, null,
  ])
})

test('a shelf keeps what was used last, fetches once, and tells what went wrong', async () => {
  const asked: string[] = []
  const released: string[] = []
  const shelf = createShelf<string>({
    most: 20, atOnce: 1, bytesOf: () => 10, release: (value) => released.push(value),
    fetch: async (key) => {
      asked.push(key)
      if (key === 'bad') throw new Error('it is gone')
      return `value ${key}`
    },
  })
  const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))
  expect(shelf.get('a')).toBeUndefined()
  shelf.get('a')
  await settle()
  expect(shelf.get('a')).toBe('value a')
  shelf.get('b')
  await settle()
  shelf.get('a')
  shelf.get('c')
  await settle()
  expect([shelf.peek('a'), shelf.peek('b'), shelf.peek('c')]).toEqual(['value a', undefined, 'value c'])
  expect(shelf.bytes()).toBe(20)
  expect(released).toEqual(['value b'])
  shelf.get('bad')
  await settle()
  shelf.get('bad')
  await settle()
  expect(asked).toEqual(['a', 'b', 'c', 'bad'])
  expect(shelf.error('bad')).toBe('it is gone')
})

test('progress counts runs, and tells the time left by what others of the column took', () => {
  const columns = [column('x')]
  const rows = [row('a'), row('b'), row('c')]
  const runs = [{ state: 'finished', seconds: 10, iteration: 5, iterations: 5 }, { state: 'running', seconds: 5, iteration: 2, iterations: 4 }, null]
  const progress = progressOf({ rows, columns }, (r) => ({ keys: [null], runs: [runs[rows.indexOf(r)]] as never, state: 'empty' }), 2)
  expect(progress).toEqual({ all: 3, done: 1, live: 1, open: 1, share: 0.5, left: 5 })
})

test('methods keep their look, and the same method twice differs', () => {
  const columns = [column('x', 'rise'), column('y', 'rise'), column('z', 'lime')]
  const [first, again, other] = columns.map((one) => lookOf(one, columns, ['lime', 'rise']))
  expect(first!.colour).toBe(again!.colour)
  expect(first!.dash).not.toBe(again!.dash)
  expect(other!.colour).not.toBe(first!.colour)
  expect(lookOf(columns[0]!, [columns[0]!], ['lime', 'rise'])).toEqual(first)
})

test('the fitness of a population is a band; what settles without a loss is told by itself', () => {
  expect(bandOf({ terms: ['best', 'median', 'worst', 'diversity'], losses: [[3, 4], [2, 2], [0, 1], [9, 9]] })).toEqual({ middle: [2, 2], low: [0, 1], high: [3, 4] })
  expect(bandOf({ terms: ['total'], losses: [[1]] })).toBeNull()
  expect(quantitiesOf([{ terms: ['prediction', 'total'] }, { terms: ['score', 'standard-error'] }, { terms: ['error'] }])).toEqual(['standard-error', 'error'])
})

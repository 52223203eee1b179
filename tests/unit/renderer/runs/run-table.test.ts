import { describe, expect, test } from 'vitest'
import { differencesOf } from '#renderer/components/runs/run-differences.ts'
import { filterRuns, firstSorting, sortingAfter, sortRuns, windowOf } from '#renderer/components/runs/run-table.ts'
import { differenceText, secondsText, shortNumber, stateText } from '#renderer/components/runs/run-text.ts'
import { method, runRow } from '../samples.ts'

const rows = [
  runRow({ run: '0001', probability: { original: 0.9, masked: 0.5 }, target: { index: 1, label: 'cup' } }),
  runRow({ run: '0002', probability: { original: 0.9, masked: null }, state: 'failed', error: { code: 'run', message: 'The worker died.' } }),
  runRow({ run: '0003', probability: { original: 0.9, masked: 0.8 }, image: { name: 'zebra.jpg', kind: 'file' } }),
]
const names = (list: readonly { run: string }[]): string[] => list.map((row) => row.run)

describe('the order of runs', () => {
  test('the newest first, and a click turns it round', () => {
    expect(names(sortRuns(rows, firstSorting, String))).toEqual(['0003', '0002', '0001'])
    expect(names(sortRuns(rows, sortingAfter(firstSorting, 'created'), String))).toEqual(['0001', '0002', '0003'])
  })

  test('numbers begin with the greatest; what is not known stands last either way', () => {
    const down = sortingAfter(firstSorting, 'probability')
    expect(names(sortRuns(rows, down, String))).toEqual(['0003', '0001', '0002'])
    expect(names(sortRuns(rows, sortingAfter(down, 'probability'), String))).toEqual(['0001', '0003', '0002'])
  })

  test('words begin with the first', () => {
    expect(names(sortRuns(rows, sortingAfter(firstSorting, 'target'), String))).toEqual(['0002', '0003', '0001'])
  })
})

test('every word of the filter must be found, wherever it is shown', () => {
  expect(names(filterRuns(rows, 'zebra', [method]))).toEqual(['0003'])
  expect(names(filterRuns(rows, 'NEUROmask cup', [method]))).toEqual(['0001'])
  expect(names(filterRuns(rows, 'worker died', [method]))).toEqual(['0002'])
  expect(filterRuns(rows, 'zebra cup', [method])).toEqual([])
  expect(filterRuns(rows, '  ', [method])).toEqual(rows)
})

test('of a long table only what is in view is drawn', () => {
  expect(windowOf(150, 0, 100, 25)).toEqual({ first: 0, end: 150 })
  expect(windowOf(1000, 0, 100, 25)).toEqual({ first: 0, end: 16 })
  expect(windowOf(1000, 5000, 100, 25)).toEqual({ first: 188, end: 216 })
  expect(windowOf(1000, 24_900, 100, 25)).toEqual({ first: 984, end: 1000 })
})

describe('what a row says', () => {
  test('names what differs from the preset, by the symbol of the paper', () => {
    const changed = { preset: 'maskscope', iterations: 120, 'sparsity-weight': 0.08, kernel: '5x5', fill: 'drawn', flip: true }
    expect(differenceText(method, runRow({ parameters: changed }))).toBe('λs .08, K 5 × 5, Flip on')
    expect(differenceText(method, runRow())).toBe('')
    const other = { preset: 'imagenet-demo', iterations: 2000, 'sparsity-weight': 0.35, kernel: '3x3', fill: 'drawn', flip: false }
    expect(differenceText(method, runRow({ preset: 'imagenet-demo', parameters: other }))).toBe('ImageNet demo')
    expect(differenceText(method, runRow({ changes: [{ iteration: 41, parameters: { 'sparsity-weight': 3 } }] }))).toBe('changed on the way')
  })

  test('tells its state in words', () => {
    expect(stateText(runRow({ state: 'running', iteration: 64, iterations: 100 }))).toBe('64%')
    expect(stateText(runRow({ state: 'paused', iteration: 999, iterations: 1000 }))).toBe('paused at 99%')
    expect(stateText(runRow({ state: 'queued', iteration: 0, iterations: null }))).toBe('queued')
    expect(stateText(runRow({ state: 'interrupted' }))).toBe('interrupted')
  })

  test('prints numbers as texts do', () => {
    expect([0.08, 70, 12_345, -0.5, 0, 0.123456].map(shortNumber)).toEqual(['.08', '70', '12,300', '−.5', '0', '.123'])
    expect([null, 0.754, 9.42, 125].map(secondsText)).toEqual(['–', '0.75 s', '9.4 s', '2 min 5 s'])
  })
})

test('two runs are compared by what differs, then by their numbers', () => {
  const b = runRow({ run: '0002', seed: 2, parameters: { ...runRow().parameters, 'sparsity-weight': 30 }, probability: { original: 0.9, masked: 0.7 } })
  const entries = differencesOf(runRow(), b, [method])
  expect(entries.slice(0, 2)).toEqual([{ name: 'Seed', a: '1', b: '2' }, { name: 'λs', a: '70', b: '30' }])
  expect(entries.find((entry) => entry.name === 'p masked')).toEqual({ name: 'p masked', a: '0.86', b: '0.70' })
  expect(entries.some((entry) => entry.name === 'Image')).toBe(false)
  const deleting = differencesOf(runRow(), runRow({ run: '0003', deletes: true }), [method])
  expect(deleting.find((entry) => entry.name === 'p masked')).toEqual({ name: 'p masked', a: '0.86', b: '0.86 without the mark' })
})

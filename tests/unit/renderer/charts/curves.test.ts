import { expect, test } from 'vitest'
import { latestValues, lossCurves, probabilityCurves, rowAt } from '#renderer/components/charts/curves.ts'
import { emptyCourse, type RunCourse } from '#renderer/stores/course.ts'

const kept = { original: 0.9, deletes: false }

function course(rows: readonly (readonly [iteration: number, a: number, total: number, p: number])[]): RunCourse {
  return {
    ...emptyCourse(), terms: ['sparsity', 'total'], iterations: rows.map((r) => r[0]), losses: [rows.map((r) => r[1]), rows.map((r) => r[2])],
    probability: rows.map((r) => r[3]),
  }
}

test('the total is thick and the terms are thin', () => {
  const { curves } = lossCurves(course([[0, 1, 2, 0.5], [1, 1, 2, 0.5]]), true, 100)
  expect(curves.map((curve) => curve.label)).toEqual(['sparsity', 'total'])
  expect(curves[1]!.width).toBeGreaterThan(curves[0]!.width)
})

test('on a log scale a value of zero lies on the floor, as in print', () => {
  const { axis, y } = lossCurves(course([[0, 0, 1000, 0], [1, 1, 10, 0], [2, 0.1, 1, 0]]), true, 100)
  expect(axis.kind).toBe('log')
  expect(y[0]![0]).toBe(0)
  expect(y[1]![0]).toBeGreaterThan(0.9)
})

test('values below zero, or the wish for it, make the scale linear', () => {
  expect(lossCurves(course([[0, -5, 1000, 0], [1, 1, 1, 0]]), true, 100).axis.kind).toBe('linear')
  expect(lossCurves(course([[0, 5, 1000, 0], [1, 1, 1, 0]]), false, 100).axis.kind).toBe('linear')
})

test('what is no number is a gap', () => {
  expect(lossCurves(course([[0, Number.NaN, 3, 0], [1, 1, 2, 0]]), false, 100).y[0]![0]).toBeNull()
})

test('a noisy course is pale steps under their running median; a calm one and a short one stay as they are', () => {
  const jumps = Array.from({ length: 400 }, (_, i) => [i, 10, i % 2 === 0 ? 1 : 100, 0.5] as const)
  const { curves, x, y } = lossCurves(course(jumps), true, 60)
  expect(curves.map(({ label, pale = false, sparse = false }) => [label, pale, sparse])).toEqual([
    ['sparsity', true, false], ['total', true, false], ['sparsity', false, true], ['total', false, true],
  ])
  expect(y.every((values) => values.length === x.length)).toBe(true)
  expect(y[2]!.filter((value) => value !== null).length).toBeLessThanOrEqual(61)
  expect(y[2]!.at(-1)).not.toBeNull()
  const probabilities = probabilityCurves(course(jumps.map(([i]) => [i, 1, 1, i % 2])), kept, 500, 60)
  expect(probabilities.curves.map((curve) => curve.label)).toEqual(['masked', 'masked', 'original'])
  expect(probabilities.y.every((values) => values.length === probabilities.x.length)).toBe(true)
  expect(lossCurves(course(jumps.map(([i]) => [i, 10, 100 - i / 10, 0.5])), true, 60).curves).toHaveLength(2)
  expect(lossCurves(course(jumps.slice(0, 12)), true, 60).curves).toHaveLength(2)
})

test('the original probability reaches over the whole run, dashed', () => {
  const { x, y, curves } = probabilityCurves(course([[0, 1, 1, 0.2], [1, 1, 1, 0.4]]), kept, 10, 100)
  expect(x).toEqual([0, 1, 10])
  expect(y).toEqual([[0.2, 0.4, null], [0.9, 0.9, 0.9]])
  expect(curves[1]).toMatchObject({ label: 'original', dash: [4, 3] })
  expect(probabilityCurves(course([[0, 1, 1, 0.2]]), { ...kept, original: null }, 10, 100).curves).toHaveLength(1)
  expect(probabilityCurves(course([[0, 1, 1, 0.2]]), { ...kept, deletes: true }, 10, 100).curves[0]!.label).toBe('deleted')
})

test('values at an iteration are those of the step at or before it', () => {
  const c = course([[0, 1, 2, 0.5], [5, 3, 4, 0.25], [9, 5, 6, 1]])
  expect([rowAt(c, -1), rowAt(c, 0), rowAt(c, 7), rowAt(c, 99)]).toEqual([-1, 0, 1, 2])
  expect(latestValues(c, 7)).toEqual([{ name: 'sparsity', value: '3' }, { name: 'total', value: '4' }, { name: 'target probability', value: '0.25' }])
  expect(latestValues(emptyCourse(), 3)).toEqual([])
})

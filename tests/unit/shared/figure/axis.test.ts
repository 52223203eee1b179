import fc from 'fast-check'
import { expect, test } from 'vitest'
import { linearAxis, logAxis, lossAxis } from '#shared/figure/axis.ts'
import { spreadLabels } from '#shared/figure/labels.ts'
import { numberText, powerOfTen, probabilityText } from '#shared/figure/numbers.ts'

test('a log axis with zeros: they lie at its lower end, nothing is infinite', () => {
  const axis = lossAxis([0, 0, 600, 3, 0.02, 0], 5)
  expect(axis.kind).toBe('log')
  expect(axis.floor).toBe(0.01)
  expect(axis.position(0)).toBe(0)
  expect(axis.position(0.01)).toBe(0)
  expect(axis.position(600)).toBeGreaterThan(0.9)
  expect(axis.position(10)).toBeCloseTo(Math.log(10 / 0.01) / Math.log((600 * 1.15) / 0.01), 9)
  for (const tick of axis.ticks) expect(Number.isFinite(tick.at)).toBe(true)
})

test('a log axis shows at most six decades', () => {
  expect(logAxis([1e-30, 1000], 5).floor).toBeCloseTo(1e-3, 12)
})

test('ticks of few decades are plain numbers, of many powers of ten', () => {
  expect(logAxis([0.05, 60], 5).ticks.map((t) => t.label)).toEqual(['0.01', '0.1', '1', '10'])
  expect(logAxis([2e-4, 60], 10).ticks.map((t) => t.label)).toEqual(['10⁻⁴', '10⁻³', '10⁻²', '10⁻¹', '10⁰', '10¹'])
})

test('negative losses and small spans get a linear axis that shows zero', () => {
  expect(lossAxis([-2, 5, 900], 5).kind).toBe('linear')
  expect(lossAxis([1, 2, 3], 5).kind).toBe('linear')
  expect(lossAxis([0, 0, 0], 5).kind).toBe('linear')
  expect(lossAxis([-2, -1], 5).position(0)).toBe(1)
})

test('a linear axis of one value does not divide by zero', () => {
  const axis = linearAxis(3, 3, 4)
  expect(axis.position(3)).toBeCloseTo(0.5, 9)
})

test('values that differ by less than numbers can tell get the axis of one value', () => {
  for (const values of [[-5e-324, 5e-324], [0, 1e-320], [1e9, 1e9 + 1e-7]]) {
    const axis = linearAxis(values[0]!, values[1]!, 4)
    expect(axis.ticks.length).toBeGreaterThan(1)
    expect(axis.position(values[0]!)).toBeCloseTo(0.5, 6)
  }
})

test('a log axis needs values that have decades below them', () => {
  expect(lossAxis([5e-324, 1e-320], 5).kind).toBe('linear')
  expect(logAxis([1e-296, 1e-289], 5).ticks.every((tick) => Number.isFinite(tick.at))).toBe(true)
})

test('every loss has a place between 0 and 1', () => {
  fc.assert(fc.property(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }), { minLength: 2 }), (values) => {
    const axis = lossAxis(values, 5)
    for (const value of values) {
      expect(axis.position(value)).toBeGreaterThanOrEqual(0)
      expect(axis.position(value)).toBeLessThanOrEqual(1)
    }
  }))
})

test('labels keep their order, their distance and the limits, and stay where they may', () => {
  const wish = fc.double({ min: -5, max: 40, noNaN: true })
  fc.assert(fc.property(fc.array(wish, { minLength: 1, maxLength: 8 }), (wishes) => {
    const places = spreadLabels(wishes, 3, 0, 30)
    const sorted = wishes.map((w, i) => ({ w, p: places[i]! })).sort((a, b) => a.p - b.p)
    for (const { p } of sorted) expect(p >= -1e-9 && p <= 30 + 1e-9).toBe(true)
    for (let i = 1; i < sorted.length; i++) {
      expect(sorted[i]!.w).toBeGreaterThanOrEqual(sorted[i - 1]!.w)
      expect(sorted[i]!.p - sorted[i - 1]!.p).toBeGreaterThanOrEqual(3 - 1e-6)
    }
  }))
  expect(spreadLabels([5, 20, 10], 3, 0, 30)).toEqual([5, 20, 10])
  expect(spreadLabels([10, 10], 3, 0, 30)).toEqual([8.5, 11.5])
  expect(spreadLabels([1, 1, 1], 3, 0, 4)).toEqual([0, 2, 4])
})

test('numbers', () => {
  expect([0, 0.031, -0.5, 1234567, 12345, 0.00004, 100].map((n) => numberText(n, 2))).toEqual(
    ['0', '0.031', '−0.5', '1.2 × 10⁶', '12345', '4 × 10⁻⁵', '100'])
  expect([1, 0.996, 0.994, 0.88, 0.0123, 0.0042, 0.00001, 0].map(probabilityText)).toEqual(
    ['1.00', '1.00', '.99', '.88', '.01', '.0042', '10⁻⁵', '0'])
  expect(powerOfTen(-12)).toBe('10⁻¹²')
})

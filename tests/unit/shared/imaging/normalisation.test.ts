import { expect, test } from 'vitest'
import type { MapData } from '#shared/domain/image.ts'
import { displayLimits, normalise, sharedLimits } from '#shared/imaging/normalisation.ts'

function row(...values: number[]): MapData {
  return { width: values.length, height: 1, data: Float32Array.from(values) }
}

const mask = { signed: false, range: [0, 1] as const }
const signed = { signed: true, range: [-Infinity, Infinity] as const }

test('range takes the stated limits, map the values’ own', () => {
  expect(displayLimits(row(0.25, 0.5), 'range', mask)).toEqual({ low: 0, high: 1 })
  expect(displayLimits(row(0.25, 0.5), 'map', mask)).toEqual({ low: 0.25, high: 0.5 })
})

test('limits of signed maps are symmetric, so zero is the middle of the scale', () => {
  expect(displayLimits(row(-0.5, 0.25), 'map', signed)).toEqual({ low: -0.5, high: 0.5 })
  expect(normalise(0, displayLimits(row(-0.5, 0.25), 'map', signed))).toBe(0.5)
})

test('percentile 99 interpolates between order statistics as numpy does', () => {
  // numpy.percentile(numpy.arange(101), 99) = 99; of 0…10: 9.9
  expect(displayLimits(row(...Array.from({ length: 101 }, (_, i) => i)), 'percentile-99', mask)).toEqual({ low: 0, high: 99 })
  expect(displayLimits(row(...Array.from({ length: 11 }, (_, i) => i)), 'percentile-99', mask).high).toBeCloseTo(9.9, 6)
  // The sums of RISE, say: what all have in common is no colour.
  expect(displayLimits(row(...Array.from({ length: 101 }, (_, i) => 500 + i)), 'percentile-99', mask)).toEqual({ low: 500, high: 599 })
})

test('a constant map has a scale; values beyond the limits are clipped', () => {
  const limits = displayLimits(row(0, 0, 0), 'map', mask)
  expect(limits.high).toBeGreaterThan(limits.low)
  expect(normalise(7, { low: 0, high: 1 })).toBe(1)
  expect(normalise(-7, { low: 0, high: 1 })).toBe(0)
})

test('shared limits hold all maps', () => {
  expect(sharedLimits([{ low: 0, high: 2 }, { low: -1, high: 1 }])).toEqual({ low: -1, high: 2 })
})

test('NaN and infinite values are refused with their place', () => {
  const map = { width: 2, height: 2, data: Float32Array.from([0, 0, 0, Number.NaN]) }
  expect(() => displayLimits(map, 'range', mask)).toThrow(/NaN at row 1, column 1/)
  expect(() => displayLimits(row(1, Infinity), 'map', signed)).toThrow(/Infinity/)
})

test('range is refused where a method states none', () => {
  expect(() => displayLimits(row(1, 2), 'range', signed)).toThrow(/no stated limits/)
})

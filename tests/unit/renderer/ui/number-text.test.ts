import { expect, test } from 'vitest'
import { formatNumber, readNumber, stepNumber } from '#renderer/components/ui/number-text.ts'
import { positionOf, valueAt } from '#renderer/components/ui/slider.ts'

test('a number is read with a decimal point or comma, and what will not do is said', () => {
  expect(readNumber(' 0.25 ', { min: 0, max: 1 })).toEqual({ value: 0.25, problem: null })
  expect(readNumber('0,25', { min: 0, max: 1 })).toEqual({ value: 0.25, problem: null })
  expect(readNumber('1e-3', {})).toEqual({ value: 0.001, problem: null })
  expect(readNumber('', { min: 0, max: 1 }).problem).toBe('Enter a number from 0 to 1.')
  expect(readNumber('2', { min: 0, max: 1 }).problem).toBe('Enter a number from 0 to 1.')
  expect(readNumber('1.5', { min: 1, integer: true }).problem).toBe('Enter a whole number of at least 1.')
  expect(readNumber('Infinity', { max: 3 }).problem).toBe('Enter a number of at most 3.')
  expect(readNumber('1,000.5', {}).problem).toBe('Enter a number.')
  // A decimal comma, but not where only whole numbers can be meant.
  expect(readNumber('1,500', {}).value).toBe(1.5)
  expect(readNumber('20,000', { integer: true, max: 20_000 }).value).toBe(20_000)
  expect(readNumber('1,50', { integer: true }).problem).toBe('Enter a whole number.')
})

test('steps keep to the limits and leave no noise', () => {
  expect(stepNumber(0.2, 0.1, {})).toBe(0.3)
  expect(stepNumber(0.95, 0.1, { max: 1 })).toBe(1)
  expect(formatNumber(0.1 + 0.2)).toBe('0.3')
})

test('a linear slider keeps to its step and its ends', () => {
  const scale = { min: 1, max: 10, step: 3 }
  expect([0, 0.3, 0.5, 1].map((position) => valueAt(position, scale))).toEqual([1, 4, 7, 10])
  expect(positionOf(5.5, scale)).toBe(0.5)
  expect(positionOf(99, scale)).toBe(1)
})

test('a logarithmic slider has its geometric middle in the middle, and reaches zero where that is its end', () => {
  const scale = { min: 0.01, max: 100, step: 0.01, logarithmic: true }
  expect(valueAt(0.5, scale)).toBe(1)
  expect(positionOf(1, scale)).toBeCloseTo(0.5, 12)
  const withZero = { min: 0, max: 10, step: 1, logarithmic: true }
  expect(valueAt(0, withZero)).toBe(0)
  expect(positionOf(0, withZero)).toBe(0)
  expect(valueAt(0.999, withZero)).toBe(10)
})

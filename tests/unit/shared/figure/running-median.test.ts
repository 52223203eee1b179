import fc from 'fast-check'
import { median } from 'simple-statistics'
import { expect, test } from 'vitest'
import { medianWindow, runningMedian } from '#shared/figure/running-median.ts'

test('a running median takes as many neighbours as there are on both sides', () => {
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true })
  fc.assert(fc.property(fc.array(finite, { minLength: 1, maxLength: 40 }), fc.constantFrom(1, 5, 11), (values, window) => {
    const out = runningMedian(values, window)
    values.forEach((_, i) => {
      const reach = Math.min((window - 1) / 2, i, values.length - 1 - i)
      expect(out[i]).toBe(median(values.slice(i - reach, i + reach + 1)))
    })
  }))
})

test('the ends are the values themselves, a lone spike vanishes', () => {
  expect(runningMedian([1, 1, 9, 1, 2], 3)).toEqual([1, 1, 1, 2, 2])
})

test('windows are odd and grow with the run up to a limit', () => {
  expect([2, 200, 2000, 100000].map(medianWindow)).toEqual([5, 21, 101, 101])
})

import { describe, expect, test } from 'vitest'
import { MaskscopeError, type ErrorCode } from '#shared/domain/errors.ts'
import { exitCodeOf } from '../../../../src-main/shells/cli/errors.ts'
import { assignment, change, positiveNumber, range, wholeNumber } from '../../../../src-main/shells/cli/options.ts'

describe('values of options', () => {
  test.each([['0,1', [0, 1]], ['-1,1', [-1, 1]], ['0, 255', [0, 255]], ['1,0', [1, 0]], ['-2.1e0,2.6', [-2.1, 2.6]]])('range %s', (text, value) => {
    expect(range(text)).toEqual(value)
  })
  test.each(['1', '1,', ',1', '1,1', 'a,b', '0,1,2', '0,Infinity', ''])('no range: "%s"', (text) => {
    expect(() => range(text)).toThrow(/two different numbers/)
  })

  test('whole and positive numbers', () => {
    expect(wholeNumber(0)('0')).toBe(0)
    expect(wholeNumber(1)('12')).toBe(12)
    for (const text of ['-1', '1.5', '', 'x', '1e3', '99999999999999999999']) expect(() => wholeNumber(0)(text), text).toThrow(/whole number/)
    expect(() => wholeNumber(1)('0')).toThrow(/from 1/)
    expect(positiveNumber('88.9')).toBe(88.9)
    for (const text of ['0', '-1', '', ' ', 'x', 'Infinity']) expect(() => positiveNumber(text), text).toThrow(/positive/)
  })

  test('assignments gather, the last of one name counts, a value may hold an equals sign', () => {
    expect(assignment('b = 2', assignment('a=x=y', { a: '1' }))).toEqual({ a: 'x=y', b: '2' })
    for (const text of ['a', '=1', '']) expect(() => assignment(text, {})).toThrow(/name=value/)
  })
})

test.each([['usage', 2], ['input', 2], ['unavailable', 2], ['run', 1], ['worker', 1], ['storage', 1], ['cancelled', 130]] as [ErrorCode, number][])(
  'an error of kind %s ends with code %i', (code, exit) => {
    expect(exitCodeOf(new MaskscopeError(code, 'x'))).toBe(exit)
  },
)

test('what is our own fault ends with code 1', () => {
  expect(exitCodeOf(new TypeError('x'))).toBe(1)
})

test('changes gather in the order in which they were given', () => {
  const first = change('120:sparsity-weight=0.1', [])
  expect(change('120: flip = false', first)).toEqual([{ iteration: 120, parameters: { 'sparsity-weight': '0.1' } }, { iteration: 120, parameters: { flip: 'false' } }])
  for (const text of ['120', '120:a', ':a=1', '-1:a=1', '1.5:a=1', 'a=1', '']) expect(() => change(text, []), text).toThrow(/iteration:name=value/)
})

import { describe, expect, test } from 'vitest'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { resolveParameters, type ParameterSchema } from '#shared/domain/parameters.ts'

const schema: ParameterSchema = {
  parameters: [
    { type: 'number', name: 'iterations', label: 'Iterations', help: 'Steps.', group: 'common', default: 200, min: 1, max: 5000, step: 1, integer: true },
    { type: 'number', name: 'rate', label: 'Rate', help: 'Step size.', group: 'optimiser', default: 0.1, min: 0.001, max: 10, step: 0.001 },
    { type: 'choice', name: 'fill', label: 'Fill', help: 'What is removed.', group: 'common', default: 'zero', options: [{ value: 'zero', label: 'Black' }, { value: 'mean', label: 'Mean' }] },
    { type: 'boolean', name: 'flip', label: 'Flip', help: 'Flips.', group: 'noise', default: false },
  ],
  presets: [
    { id: 'ours', title: 'Ours', source: 'tuned', values: { iterations: 300 } },
    { id: 'published', title: 'Published', source: 'paper', values: { rate: 0.03 } },
  ],
}

describe('resolveParameters', () => {
  test('defaults, then the first preset, then what is given; numbers may come as text', () => {
    expect(resolveParameters(schema, { rate: '0.5', flip: 'true' })).toEqual({ preset: 'ours', iterations: 300, rate: 0.5, fill: 'zero', flip: true })
    expect(resolveParameters(schema, { preset: 'published' })).toEqual({ preset: 'published', iterations: 200, rate: 0.03, fill: 'zero', flip: false })
  })

  test('a stored complete set resolves to itself', () => {
    const values = resolveParameters(schema, { preset: 'published', fill: 'mean' })
    expect(resolveParameters(schema, values)).toEqual(values)
  })

  test.each([
    [{ iteration: 3 }, 'iteration', 'iterations'],
    [{ iterations: 0 }, 'iterations', 'between 1 and 5000'],
    [{ iterations: 2.5 }, 'iterations', 'whole number'],
    [{ rate: 'fast' }, 'rate', 'must be a number'],
    [{ rate: '' }, 'rate', 'must be a number'],
    [{ rate: Number.NaN }, 'rate', 'must be a number'],
    [{ fill: 'green' }, 'fill', 'zero, mean'],
    [{ flip: 'yes' }, 'flip', 'true or false'],
    [{ preset: 'theirs' }, 'preset', 'ours, published'],
  ])('%j is refused, naming the field', (given, field, advice) => {
    let caught: unknown
    try {
      resolveParameters(schema, given)
    } catch (error) {
      caught = error
    }
    expect(caught).toBeInstanceOf(MaskscopeError)
    expect((caught as MaskscopeError).subject).toBe(field)
    expect((caught as MaskscopeError).code).toBe('usage')
    expect((caught as MaskscopeError).message).toContain(advice)
  })
})

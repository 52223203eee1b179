import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as z from 'zod/mini'
import { contract } from '#shared/contract/contract.ts'

const { calls, streams } = contract
const inputs = [...Object.entries(calls), ...Object.entries(streams)].map(([name, { input }]) => [name, input] as const)
const accepts = (schema: z.ZodMiniType, value: unknown): boolean => schema.safeParse(value).success

describe('security 9: every field has its limit', () => {
  const order = { model: 'm', image: 'i', method: 'neuromask', parameters: {}, seed: 0, target: 'auto' }

  test.each([
    ['a pasted image of 64 MB', calls['images.open'].input, { from: { name: 'a.png', bytes: new Uint8Array(64 << 20) } }, true],
    ['a byte more', calls['images.open'].input, { from: { name: 'a.png', bytes: new Uint8Array((64 << 20) + 1) } }, false],
    ['bytes that are none', calls['images.open'].input, { from: { name: 'a.png', bytes: { length: 3 } } }, false],
    ['a handle', calls['images.open'].input, { from: { file: 'a'.repeat(128) } }, true],
    ['a handle as long as a story', calls['images.open'].input, { from: { file: 'a'.repeat(129) } }, false],
    ['an order', calls['runs.submit'].input, order, true],
    ['an order with a target below zero', calls['runs.submit'].input, { ...order, target: -1 }, false],
    ['an order with half a seed', calls['runs.submit'].input, { ...order, seed: 0.5 }, false],
    ['an order with a parameter that is a list', calls['runs.submit'].input, { ...order, parameters: { iterations: [1] } }, false],
    ['an order with a parameter that is no number', calls['runs.submit'].input, { ...order, parameters: { iterations: NaN } }, false],
    ['ten thousand runs to delete', calls['runs.delete'].input, { runs: Array.from({ length: 10_000 }, String) }, true],
    ['one more', calls['runs.delete'].input, { runs: Array.from({ length: 10_001 }, String) }, false],
    ['a hundred scenes', calls['scenes.page'].input, { kind: 'scenes', first: 0, count: 100 }, true],
    ['more scenes', calls['scenes.page'].input, { kind: 'scenes', first: 0, count: 101 }, false],
    ['the name of a study', calls['studies.create'].input, { name: 'a'.repeat(81) }, false],
    ['an error as long as a book', calls['system.report'].input, { message: 'a'.repeat(20_001) }, false],
  ])('%s', (_name, schema, value, accepted) => {
    expect(accepts(schema, value)).toBe(accepted)
  })

  test.each(inputs)('%s is parsed, never trusted: anything at all is accepted or refused, and nothing throws', (_name, schema) => {
    fc.assert(fc.property(fc.anything(), (value) => {
      expect(typeof accepts(schema, value)).toBe('boolean')
    }), { numRuns: 50 })
    for (const value of [null, undefined, 7, 'text', []]) expect(accepts(schema, value)).toBe(false)
  })

  test('what the contract does not name is left out', () => {
    expect(z.parse(calls['runs.pause'].input, { run: '0001', __proto__x: 1, path: '/etc/passwd' })).toEqual({ run: '0001' })
  })
})

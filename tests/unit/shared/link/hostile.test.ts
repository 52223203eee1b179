import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createClient } from '#shared/link/client.ts'
import { memoryWires } from '#shared/link/memory-wire.ts'
import { serveExample, type Example } from './example-contract.ts'

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Messages that are almost right, and some that are nothing like it. */
const id = fc.oneof(fc.integer({ min: -1, max: 5 }), fc.double(), fc.constantFrom('1', null, undefined, 2 ** 60))
const name = fc.oneof(fc.constantFrom('add', 'fail', 'count', 'run', '__proto__', 'constructor', 'x'.repeat(5000)), fc.anything())
const value = fc.oneof(fc.anything(), fc.constantFrom({ a: 1, b: 2 }, { to: 3 }, { code: 'run', message: 'm' }))
const almost = (...types: string[]): fc.Arbitrary<unknown> => fc.record({
  type: fc.oneof(fc.constantFrom(...types), fc.string()), id, name, input: value, key: name, value, event: value, error: value,
}, { requiredKeys: ['type'] })

function cloneable(message: unknown): boolean {
  try {
    structuredClone(message)
    return true
  } catch {
    return false
  }
}

test('nothing that a window sends stops the main side', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.oneof(almost('call', 'watch', 'abort', 'unwatch', 'seen'), fc.anything()), { maxLength: 12 }), async (messages) => {
    const [here, there] = memoryWires()
    serveExample(there)
    const replies: { type?: unknown }[] = []
    here.onMessage((message) => replies.push(message as { type?: unknown }))
    for (const message of messages.filter(cloneable)) here.send(message)
    await settle()
    here.send({ type: 'call', id: 1_000_000, name: 'add', input: { a: 1, b: 2 } })
    await settle()
    expect(replies.at(-1)).toEqual({ type: 'result', id: 1_000_000, value: { sum: 3 } })
    for (const { type } of replies) expect(['result', 'error', 'event', 'end']).toContain(type)
    here.close()
  }), { numRuns: 500 })
})

test('nothing that the main side sends stops the window', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.oneof(almost('result', 'error', 'event', 'end'), fc.anything()), { maxLength: 12 }), async (messages) => {
    const [here, there] = memoryWires()
    const client = createClient<Example>(here)
    there.onMessage((message) => {
      const { type, id: of } = message as { type: string; id: number }
      if (type === 'call') there.send({ type: 'result', id: of, value: { sum: of } })
    })
    client.watch('count', { to: 3 }, () => undefined)
    // The ids that are made up are small: the calls of ours come after them.
    for (let i = 0; i < 6; i++) await client.call('add', { a: 1, b: 1 })
    for (const message of messages.filter(cloneable)) there.send(message)
    await settle()
    expect(await client.call('add', { a: 1, b: 1 })).toEqual({ sum: 8 })
    client.close()
  }), { numRuns: 500 })
})

test('an id that is in use is not answered twice', async () => {
  const [here, there] = memoryWires()
  const { log } = serveExample(there)
  const replies: unknown[] = []
  here.onMessage((message) => replies.push(message))
  here.send({ type: 'call', id: 1, name: 'wait', input: {} })
  here.send({ type: 'call', id: 1, name: 'add', input: { a: 1, b: 2 } })
  here.send({ type: 'call', id: 0, name: 'add', input: { a: 1, b: 2 } })
  here.send('nonsense')
  await settle()
  expect(replies).toEqual([])
  expect(log).toEqual(['The window used the id 1 twice (add)', 'The window sent something that is no message of the link', 'The window sent something that is no message of the link'])
})

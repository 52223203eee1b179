import { describe, expect, test, vi } from 'vitest'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { createClient } from '#shared/link/client.ts'
import { memoryWires } from '#shared/link/memory-wire.ts'
import { serveExample, type Example } from './example-contract.ts'

function linked(...args: Parameters<typeof serveExample> extends [unknown, ...infer Rest] ? Rest : never) {
  const [here, there] = memoryWires()
  const served = serveExample(there, ...args)
  return { client: createClient<Example>(here), here, there, ...served }
}

describe('calls', () => {
  test('are answered, each by its own answer', async () => {
    const { client } = linked()
    const sums = await Promise.all([1, 2, 3].map((a) => client.call('add', { a, b: 10 })))
    expect(sums).toEqual([{ sum: 11 }, { sum: 12 }, { sum: 13 }])
  })

  test('carry arrays as they are', async () => {
    const { client } = linked()
    const map = Float32Array.of(1, NaN, -Infinity)
    const file = Uint8Array.of(0, 255)
    expect(await client.call('mirror', { map, file })).toEqual({ map, file })
  })

  test('reject with the error of the handler, code and subject kept', async () => {
    const { client } = linked({ fail: () => Promise.reject(new MaskscopeError('input', 'No such file.', { subject: 'a.png' })) })
    const error = await client.call('fail', { how: 'coded' }).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(MaskscopeError)
    expect(error).toMatchObject({ code: 'input', message: 'No such file.', subject: 'a.png' })
  })

  test('log what is no error for a person', async () => {
    const { client, log } = linked({ fail: () => { throw new TypeError('x is undefined') } })
    await expect(client.call('fail', { how: 'plain' })).rejects.toMatchObject({ code: 'run', message: 'x is undefined' })
    expect(log).toEqual(['fail failed'])
  })

  test('name the field that is wrong', async () => {
    const { client } = linked()
    const error = client.call('deep', { stated: { range: [0, 'one'] } } as never)
    await expect(error).rejects.toMatchObject({ code: 'usage', subject: 'stated.range.1' })
    await expect(error).rejects.toThrow('deep: the field "stated.range.1" cannot be used: expected number, received string.')
    await expect(client.call('mirror', { map: [1], file: new Uint8Array() } as never)).rejects.toThrow('the field "map" cannot be used: it is of the wrong kind or too large')
    await expect(client.call('add', null as never)).rejects.toThrow('add: the question cannot be used: expected object')
  })

  test('of unknown names are refused, whatever they are called', async () => {
    const { client } = linked()
    for (const name of ['nothing', '__proto__', 'constructor', 'toString', 'count']) {
      await expect(client.call(name as never, {} as never)).rejects.toMatchObject({ code: 'usage', subject: name })
    }
  })

  test('never pass on a wrong answer of our own', async () => {
    const { client, log } = linked({ fail: () => ({ fine: 'secret' }) as never })
    const error = await client.call('fail', { how: 'wrong' }).catch((e: Error) => e)
    expect(error).toMatchObject({ code: 'run' })
    expect(JSON.stringify(error) + String(error)).not.toContain('secret')
    expect(log).toEqual(['The answer to fail does not keep to the contract'])
  })

  test('leave out what the contract does not name', async () => {
    const { client } = linked({ add: () => ({ sum: 1, more: () => 'not to be cloned' }) as never })
    expect(await client.call('add', { a: 1, b: 2 })).toEqual({ sum: 1 })
  })

  test('abort the handler when they are aborted, and reject at once', async () => {
    const aborted = vi.fn()
    const { client } = linked({ wait: (_, { signal }) => new Promise(() => signal.addEventListener('abort', aborted)) })
    const controller = new AbortController()
    const call = client.call('wait', {}, { signal: controller.signal })
    controller.abort()
    controller.abort()
    await expect(call).rejects.toMatchObject({ code: 'cancelled' })
    await vi.waitFor(() => expect(aborted).toHaveBeenCalledTimes(1))
    await expect(client.call('wait', {}, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' })
    expect(await client.call('add', { a: 1, b: 1 })).toEqual({ sum: 2 })
  })

  test('are refused beyond a thousand at a time', async () => {
    const { client } = linked()
    for (let i = 0; i < 1000; i++) client.call('wait', {}).catch(() => undefined)
    await expect(client.call('add', { a: 1, b: 1 })).rejects.toMatchObject({ code: 'unavailable' })
  })
})

describe('streams', () => {
  test('send in order', async () => {
    const { client } = linked()
    const seen: number[] = []
    client.watch('count', { to: 10_000 }, ({ n }) => seen.push(n))
    await vi.waitFor(() => expect(seen.length).toBe(10_000))
    expect(seen).toEqual(Array.from({ length: 10_000 }, (_, i) => i + 1))
  })

  test('last until they are ended, and are quiet then', async () => {
    let signal: AbortSignal | undefined
    let emit: ((n: number) => void) | undefined
    const { client } = linked({ run: (given, s) => {
      signal = s
      emit = (i) => given({ type: 'loss', i })
    } })
    const seen: unknown[] = []
    const stop = client.watch('run', {}, (event) => seen.push(event))
    await vi.waitFor(() => expect(emit).toBeDefined())
    emit!(1)
    await vi.waitFor(() => expect(seen).toHaveLength(1))
    stop()
    stop()
    await vi.waitFor(() => expect(signal!.aborted).toBe(true))
    emit!(2)
    await client.call('add', { a: 0, b: 0 })
    expect(seen).toHaveLength(1)
  })

  test('end with the error that the handler throws, before or after its first wait', async () => {
    for (const run of [() => { throw new MaskscopeError('storage', 'Full.') }, async () => {
      await Promise.resolve()
      throw new MaskscopeError('storage', 'Full.')
    }]) {
      const { client } = linked({ run })
      const error = await new Promise((resolve) => client.watch('run', {}, () => undefined, resolve))
      expect(error).toMatchObject({ code: 'storage', message: 'Full.' })
    }
  })

  test('end when an event does not keep to the contract', async () => {
    let signal: AbortSignal | undefined
    const { client, log } = linked({ run: (emit, s) => {
      signal = s
      emit({ type: 'loss', i: 'one' } as never)
    } })
    const error = await new Promise((resolve) => client.watch('run', {}, () => undefined, resolve))
    expect(error).toMatchObject({ code: 'run' })
    expect(signal!.aborted).toBe(true)
    expect(log).toEqual(['The answer to run does not keep to the contract'])
  })

  test('of unknown names or wrong inputs end with a coded error', async () => {
    const { client } = linked()
    const end = (name: string, input: unknown): Promise<unknown> => new Promise((resolve) => client.watch(name as never, input as never, () => undefined, resolve))
    expect(await end('nothing', {})).toMatchObject({ code: 'usage', subject: 'nothing' })
    expect(await end('count', { to: 'ten' })).toMatchObject({ code: 'usage', subject: 'to' })
  })
})

describe('a wire that closes', () => {
  test('rejects what is open, ends the streams and aborts the handlers', async () => {
    const signals: AbortSignal[] = []
    const { client, stop } = linked({
      wait: (_, { signal }) => new Promise(() => signals.push(signal)),
      run: (_, signal) => void signals.push(signal),
    })
    const call = client.call('wait', {})
    const ended = new Promise((resolve) => client.watch('run', {}, () => undefined, resolve))
    await vi.waitFor(() => expect(signals).toHaveLength(2))
    stop()
    await expect(call).rejects.toMatchObject({ code: 'unavailable' })
    expect(await ended).toMatchObject({ code: 'unavailable' })
    expect(await client.closed).toBe('closed by the other side')
    expect(signals.every((signal) => signal.aborted)).toBe(true)
    await expect(client.call('add', { a: 1, b: 1 })).rejects.toMatchObject({ code: 'unavailable' })
    expect(await new Promise((resolve) => client.watch('run', {}, () => undefined, resolve))).toMatchObject({ code: 'unavailable' })
  })

  test('from the window aborts the handlers too', async () => {
    let signal: AbortSignal | undefined
    const { client } = linked({ wait: (_, context) => new Promise(() => (signal = context.signal)) })
    const call = client.call('wait', {})
    await vi.waitFor(() => expect(signal).toBeDefined())
    client.close()
    await expect(call).rejects.toMatchObject({ code: 'unavailable' })
    await vi.waitFor(() => expect(signal!.aborted).toBe(true))
  })
})

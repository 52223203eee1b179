import * as z from 'zod/mini'
import { call, stream } from '#shared/contract/define.ts'
import { bytes, floats } from '#shared/contract/values.ts'
import type { Handlers } from '#shared/link/link.ts'
import { serve, type ServeOptions } from '#shared/link/serve.ts'
import type { Wire } from '#shared/link/wire.ts'

/** A contract of its own, so that the link is tested without the program. */
export const example = {
  calls: {
    add: call(z.object({ a: z.number(), b: z.number() }), z.object({ sum: z.number() })),
    fail: call(z.object({ how: z.enum(['coded', 'plain', 'wrong', 'function']) }), z.object({ fine: z.boolean() })),
    wait: call(z.object({}), z.object({})),
    mirror: call(z.object({ map: floats(1 << 20), file: bytes(1 << 20) }), z.object({ map: floats(1 << 20), file: bytes(1 << 20) })),
    deep: call(z.object({ stated: z.object({ range: z.tuple([z.number(), z.number()]) }) }), z.object({})),
  },
  streams: {
    count: stream(z.object({ to: z.int() }), z.object({ n: z.number() })),
    run: stream(z.object({}), z.discriminatedUnion('type', [
      z.object({ type: z.literal('loss'), i: z.number() }),
      z.object({ type: z.literal('frame'), run: z.string(), i: z.number(), map: floats() }),
    ])),
  },
}
export type Example = typeof example

type RunEmit = Parameters<Handlers<Example>['streams']['run']>[1]
/** What a test does with the stream `run`. */
export type RunHandler = (emit: RunEmit, signal: AbortSignal) => void | Promise<void>

/** Serves the example; `log` collects what is logged. */
export function serveExample(wire: Wire, more: Partial<Handlers<Example>['calls']> & { run?: RunHandler } = {}, options: ServeOptions = {}): { log: string[]; stop: () => void } {
  const log: string[] = []
  const { run = () => undefined, ...calls } = more
  const stop = serve<Example>(example, {
    calls: {
      add: ({ a, b }) => ({ sum: a + b }),
      fail: () => ({ fine: true }),
      wait: (_, { signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
      mirror: (input) => input,
      deep: () => ({}),
      ...calls,
    },
    streams: {
      count({ to }, emit) {
        for (let n = 1; n <= to; n++) emit({ n })
      },
      run: (_, emit, { signal }) => run(emit, signal),
    },
  }, wire, { log: (message) => log.push(message), ...options })
  return { log, stop }
}

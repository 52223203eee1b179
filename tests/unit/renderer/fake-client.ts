import type { WorkbenchContract } from '#shared/contract/contract.ts'
import type { CallName, Input, Output, StreamEvent, StreamName } from '#shared/contract/define.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Client } from '#shared/link/link.ts'

type C = WorkbenchContract
type Answer<N extends CallName<C>> = (input: Input<C['calls'][N]>) => Promise<Output<C['calls'][N]>> | Output<C['calls'][N]>

/** What the main side would answer, by call. */
export type Answers = { [N in CallName<C>]?: Answer<N> }

export interface FakeClient extends Client<C> {
  /** Every call so far, in order. */
  readonly asked: { name: CallName<C>; input: unknown }[]
  /** Inputs of one kind of call. */
  inputsOf<N extends CallName<C>>(name: N): Input<C['calls'][N]>[]
  /** Sends an event to whoever watches. */
  emit<N extends StreamName<C>>(name: N, event: StreamEvent<C['streams'][N]>): void
  /** May be changed on the way. */
  answers: Answers
}

/** A main side made of a table: what is not in it is refused, so that a test says all it relies on. */
export function fakeClient(answers: Answers = {}): FakeClient {
  const asked: FakeClient['asked'] = []
  const listeners = new Map<string, Set<(event: never) => void>>()
  let end: (reason: string) => void = () => undefined
  const closed = new Promise<string>((resolve) => (end = resolve))

  const client: FakeClient = {
    asked,
    answers,
    closed,
    async call(name, input, options) {
      asked.push({ name, input: structuredClone(toPlain(input)) })
      const answer = client.answers[name] as Answer<typeof name> | undefined
      if (!answer) throw new MaskscopeError('usage', `The test answers no ${name}.`)
      const result = await answer(input)
      if (options?.signal?.aborted) throw new MaskscopeError('cancelled', 'Cancelled.')
      return result
    },
    watch(name, _input, onEvent) {
      const set = listeners.get(name) ?? new Set()
      listeners.set(name, set)
      set.add(onEvent as (event: never) => void)
      return () => void set.delete(onEvent as (event: never) => void)
    },
    emit(name, event) {
      for (const listener of listeners.get(name) ?? []) listener(event as never)
    },
    inputsOf: (name) => asked.filter((entry) => entry.name === name).map((entry) => entry.input) as never,
    close: () => end('closed by the test'),
  }
  return client
}

/** Without Vue's proxies, as the wire would send it. */
function toPlain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toPlain)
  if (value !== null && typeof value === 'object' && !ArrayBuffer.isView(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, toPlain(entry)]))
  }
  return value
}

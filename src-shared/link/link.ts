import type { CallName, Contract, Input, Output, StreamEvent, StreamName } from '../contract/define.ts'

/** What the window asks through. */
export interface Client<C extends Contract> {
  /** @throws MaskscopeError as the other side reports it; 'cancelled' on abort; 'unavailable' when the link is closed */
  call<N extends CallName<C>>(name: N, input: Input<C['calls'][N]>, options?: { signal?: AbortSignal }): Promise<Output<C['calls'][N]>>
  /** @param onEnd called once when the other side ends the stream or the link closes @returns what ends it */
  watch<N extends StreamName<C>>(
    name: N, input: Input<C['streams'][N]>, onEvent: (event: StreamEvent<C['streams'][N]>) => void, onEnd?: (error: Error | null) => void,
  ): () => void
  /** Resolves with the reason when the wire closes. */
  readonly closed: Promise<string>
  close(): void
}

export interface Emit<E> {
  /** Sent in order, always. */
  (event: E): void
  /** At display rate at most: of events with the same key only the latest waits while the wire is busy. */
  latest(key: string, event: E): void
}

/** What the main side answers with. Inputs are parsed before, outputs and events after. */
export interface Handlers<C extends Contract> {
  calls: { [N in CallName<C>]: (input: Input<C['calls'][N]>, context: { signal: AbortSignal }) => Promise<Output<C['calls'][N]>> | Output<C['calls'][N]> }
  /** The stream lasts until `signal` aborts or the handler throws; what it returns is awaited and ends nothing. */
  streams: { [N in StreamName<C>]: (input: Input<C['streams'][N]>, emit: Emit<StreamEvent<C['streams'][N]>>, context: { signal: AbortSignal }) => void | Promise<void> }
}

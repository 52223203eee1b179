import { ref, shallowRef } from 'vue'
import type { WorkbenchContract } from '#shared/contract/contract.ts'
import type { CallName, Input, Output, StreamEvent, StreamName } from '#shared/contract/define.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Client } from '#shared/link/link.ts'
import type { Host } from './host/host.ts'

type C = WorkbenchContract
type Calls = C['calls']
type Streams = C['streams']

/** `lost`: the main side is gone; the window keeps what it shows and tries again. */
export const connection = ref<'connecting' | 'open' | 'lost'>('connecting')

/** Why the last attempt to connect failed; null while the link is open. */
export const connectionError = ref<string | null>(null)

const client = shallowRef<Client<C> | null>(null)
let host: Host | null = null
const watched = new Set<(client: Client<C>) => void>()

/** Attempts after a loss come at these distances, the last for ever. */
const retryMs = [250, 500, 1000, 2000, 4000] as const

/** Connects, and again whenever the link is lost; streams go on by themselves then. */
export async function connect(through: Host, makeClient: (host: Host) => Promise<Client<C>>): Promise<void> {
  host = through
  for (let attempt = 0; ; attempt++) {
    try {
      const made = await makeClient(through)
      useClient(made)
      void made.closed.then(() => {
        connection.value = 'lost'
        client.value = null
        setTimeout(() => void connect(through, makeClient), retryMs[0])
      })
      return
    } catch (error) {
      connectionError.value = error instanceof Error ? error.message : String(error)
      // One failure alone may be a page that came before its server.
      if (attempt > 0) connection.value = 'lost'
      await new Promise((resolve) => setTimeout(resolve, retryMs[Math.min(attempt, retryMs.length - 1)]))
    }
  }
}

/** Uses a client that is connected already, e.g. a test's. */
export function useClient(made: Client<C>, through?: Host): void {
  if (through) host = through
  client.value = made
  connection.value = 'open'
  connectionError.value = null
  for (const begin of watched) begin(made)
}

/** @throws MaskscopeError as the main side reports it, or 'unavailable' while the link is down */
export async function call<N extends CallName<C>>(name: N, input: Input<Calls[N]>, options?: { signal?: AbortSignal }): Promise<Output<Calls[N]>> {
  if (!client.value) throw new MaskscopeError('unavailable', 'Maskscope is not connected at the moment. Wait until it is, then try again.')
  return client.value.call(name, input, options)
}

/** Listens for as long as the window lives, over every reconnection; each begins with the stream's snapshot. */
export function watch<N extends StreamName<C>>(name: N, input: Input<Streams[N]>, onEvent: (event: StreamEvent<Streams[N]>) => void): () => void {
  let stop: (() => void) | undefined
  const begin = (made: Client<C>): void => {
    stop = made.watch(name, input, onEvent)
  }
  watched.add(begin)
  if (client.value) begin(client.value)
  return () => {
    watched.delete(begin)
    stop?.()
  }
}

export function useHost(): Host {
  if (!host) throw new Error('The window has no host yet.')
  return host
}

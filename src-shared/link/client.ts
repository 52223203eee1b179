import type { Contract } from '../contract/define.ts'
import { MaskscopeError, reviveError } from '../domain/errors.ts'
import type { Client } from './link.ts'
import { asReply, type Reply } from './messages.ts'
import type { Wire } from './wire.ts'

interface Pending {
  resolve(value: unknown): void
  reject(error: Error): void
}

interface Watching {
  onEvent(event: unknown): void
  onEnd: ((error: Error | null) => void) | undefined
}

/** The window's end of the link. What the other side could not have sent is not heard. */
export function createClient<C extends Contract>(wire: Wire): Client<C> {
  const calls = new Map<number, Pending>()
  const streams = new Map<number, Watching>()
  let nextId = 1
  let gone: MaskscopeError | undefined
  let tellClosed: (reason: string) => void
  const closed = new Promise<string>((resolve) => {
    tellClosed = resolve
  })

  wire.onMessage((message) => {
    const reply = asReply(message)
    if (reply) hear(reply)
  })
  wire.onClose((reason) => {
    gone = new MaskscopeError('unavailable', 'The connection to Maskscope is closed. Reload the window to connect again.', { cause: reason })
    const [waiting, watching] = [[...calls.values()], [...streams.values()]]
    calls.clear()
    streams.clear()
    for (const { reject } of waiting) reject(gone)
    tellClosed(reason)
    for (const { onEnd } of watching) onEnd?.(gone)
  })

  function hear(reply: Reply): void {
    const { id } = reply
    if (reply.type === 'event') {
      const watching = streams.get(id)
      if (!watching) return
      try {
        watching.onEvent(reply.event)
      } finally {
        if (reply.key !== undefined && !gone) wire.send({ type: 'seen', id, key: reply.key })
      }
    } else if (reply.type === 'end') {
      const watching = streams.get(id)
      streams.delete(id)
      watching?.onEnd?.(reply.error && reviveError(reply.error))
    } else {
      const pending = calls.get(id)
      calls.delete(id)
      if (reply.type === 'result') pending?.resolve(reply.value)
      else pending?.reject(reviveError(reply.error))
    }
  }

  function call(name: string, input: unknown, options: { signal?: AbortSignal } = {}): Promise<unknown> {
    const { signal } = options
    return new Promise((resolve, reject) => {
      if (gone) return reject(gone)
      if (signal?.aborted) return reject(cancelled())
      const id = nextId++
      const abort = (): void => {
        if (!calls.delete(id)) return
        wire.send({ type: 'abort', id })
        reject(cancelled())
      }
      const done = (): void => signal?.removeEventListener('abort', abort)
      wire.send({ type: 'call', id, name, input })
      signal?.addEventListener('abort', abort, { once: true })
      calls.set(id, {
        resolve(value) {
          done()
          resolve(value)
        },
        reject(error) {
          done()
          reject(error)
        },
      })
    })
  }

  function watch(name: string, input: unknown, onEvent: (event: never) => void, onEnd?: (error: Error | null) => void): () => void {
    if (gone) {
      const error = gone
      queueMicrotask(() => onEnd?.(error))
      return () => undefined
    }
    const id = nextId++
    wire.send({ type: 'watch', id, name, input })
    streams.set(id, { onEvent: onEvent as (event: unknown) => void, onEnd })
    return () => {
      if (streams.delete(id)) wire.send({ type: 'unwatch', id })
    }
  }

  return { call: call as Client<C>['call'], watch, closed, close: () => wire.close() }
}

function cancelled(): MaskscopeError {
  return new MaskscopeError('cancelled', 'Cancelled.')
}

import type * as z from 'zod/mini'
import type { Contract } from '../contract/define.ts'
import { MaskscopeError, serialiseError, type SerialisedError } from '../domain/errors.ts'
import type { Emit, Handlers } from './link.ts'
import { asRequest, type Reply, type Request } from './messages.ts'
import { createPacer, type Pacer } from './pacer.ts'
import { parse } from './parse.ts'
import type { Wire } from './wire.ts'

export interface ServeOptions {
  /** Told of what the other side should not have sent and of what our own side did wrong. */
  log?(message: string, error?: unknown): void
  /** Shortest time between two events of `emit.latest` with the same key, in ms. */
  interval?: number
  /** No `latest` is sent while more bytes than this wait on the wire. */
  mostBuffered?: number
}

/** More than a window could want; a page that asks for more is refused. */
const mostOpen = 1000
/** At 33 ms apart, so many are on their way over a line of 100 ms. */
const inFlight = 3

interface Job {
  abort: AbortController
  /** Of streams. */
  pacer: Pacer | undefined
}

type AnyHandler = (input: unknown, context: { signal: AbortSignal }) => unknown
type AnyStream = (input: unknown, emit: Emit<unknown>, context: { signal: AbortSignal }) => unknown

/**
 * The main side's end of the link. Inputs, outputs and events are parsed by the contract; nothing that the other side
 * sends makes this throw.
 * @returns what ends it: every call and stream is aborted and the wire closed
 */
export function serve<C extends Contract>(contract: C, handlers: Handlers<C>, wire: Wire, options: ServeOptions = {}): () => void {
  const { log = () => undefined, interval = 33, mostBuffered = 1 << 20 } = options
  const jobs = new Map<number, Job>()
  let open = true

  wire.onClose(() => {
    open = false
    for (const { abort, pacer } of jobs.values()) {
      pacer?.stop()
      abort.abort()
    }
    jobs.clear()
  })
  wire.onMessage((message) => {
    const request = asRequest(message)
    if (request) hear(request)
    else log('The window sent something that is no message of the link')
  })

  function hear(request: Request): void {
    const { id } = request
    if (request.type === 'seen') return jobs.get(id)?.pacer?.seen(request.key)
    if (request.type === 'abort' || request.type === 'unwatch') {
      const job = jobs.get(id)
      end(id)
      job?.abort.abort()
      return
    }
    const { type, name, input } = request
    // Refusing by this id would answer the call that holds it.
    if (jobs.has(id)) return log(`The window used the id ${id} twice (${name})`)
    const kind = type === 'call' ? 'calls' : 'streams'
    const definition = Object.hasOwn(contract[kind], name) ? contract[kind][name] : undefined
    const refuse = (error: MaskscopeError): void => {
      log(`Refused: ${error.message}`)
      answer(type, id, serialiseError(error))
    }
    if (!definition) return refuse(new MaskscopeError('usage', `Maskscope knows no ${type === 'call' ? 'call' : 'stream'} of the name "${name}".`, { subject: name }))
    if (jobs.size >= mostOpen) return refuse(new MaskscopeError('unavailable', 'Too many questions are open at once. Wait for some of them to be answered.', { subject: name }))
    let parsed: unknown
    try {
      parsed = parse(definition.input, input, name)
    } catch (error) {
      return refuse(error as MaskscopeError)
    }
    if (type === 'call') void answerCall(id, name, parsed)
    else void answerStream(id, name, parsed)
  }

  async function answerCall(id: number, name: string, input: unknown): Promise<void> {
    const abort = new AbortController()
    const job: Job = { abort, pacer: undefined }
    jobs.set(id, job)
    const handler = handlers.calls[name as keyof typeof handlers.calls] as AnyHandler
    try {
      const value = checked(contract.calls[name]!.output, await handler(input, { signal: abort.signal }), name)
      if (jobs.get(id) === job) send({ type: 'result', id, value })
    } catch (error) {
      if (jobs.get(id) === job) answer('call', id, told(error, name))
    } finally {
      if (jobs.get(id) === job) jobs.delete(id)
    }
  }

  async function answerStream(id: number, name: string, input: unknown): Promise<void> {
    const abort = new AbortController()
    const { event: schema } = contract.streams[name]!
    const deliver = (event: unknown, key?: string): void => {
      if (jobs.get(id) !== job) return
      try {
        send({ type: 'event', id, event: checked(schema, event, name), ...(key === undefined ? {} : { key }) })
      } catch (error) {
        fail(error)
      }
    }
    const fail = (error: unknown): void => {
      if (jobs.get(id) !== job) return
      end(id)
      answer('watch', id, told(error, name))
      abort.abort()
    }
    const pacer = createPacer({ interval, inFlight, ready: () => wire.buffered() < mostBuffered, send: (key, event) => deliver(event, key) })
    const job: Job = { abort, pacer }
    jobs.set(id, job)
    const emit: Emit<unknown> = Object.assign((event: unknown) => deliver(event), {
      latest(key: string, event: unknown) {
        if (jobs.get(id) === job) pacer.offer(key, event)
      },
    })
    const handler = handlers.streams[name as keyof typeof handlers.streams] as unknown as AnyStream
    try {
      await handler(input, emit, { signal: abort.signal })
    } catch (error) {
      fail(error)
    }
  }

  function end(id: number): void {
    jobs.get(id)?.pacer?.stop()
    jobs.delete(id)
  }

  function answer(type: 'call' | 'watch', id: number, error: SerialisedError): void {
    send(type === 'call' ? { type: 'error', id, error } : { type: 'end', id, error })
  }

  function send(reply: Reply): void {
    if (open) wire.send(reply)
  }

  function checked(schema: z.ZodMiniType, value: unknown, name: string): unknown {
    const result = schema.safeParse(value)
    if (result.success) return result.data
    log(`The answer to ${name} does not keep to the contract`, result.error)
    throw new MaskscopeError('run', `Maskscope could not answer (${name}): its own answer was not as it should be. Please report this.`, { subject: name })
  }

  function told(error: unknown, name: string): SerialisedError {
    if (!(error instanceof MaskscopeError)) log(`${name} failed`, error)
    return serialiseError(error)
  }

  return () => wire.close()
}

import { createHash } from 'node:crypto'
import type { EngineVersions, ModelUse, WorkerReply, WorkerRequest } from '#engine/protocol.ts'
import type { BackendChoice, BackendId } from '#shared/domain/backend.ts'
import { MaskscopeError, reviveError } from '#shared/domain/errors.ts'
import type { ModelInfo, ModelSource } from '#shared/domain/model.ts'
import type { Death, Wire } from './wire.ts'

type Body<T> = T extends { id: number } ? Omit<T, 'id'> : never
/** To a request that is being answered. */
export type Control = Extract<WorkerRequest, { type: 'cancel' | 'pause' | 'resume' | 'change' | 'helpers' | 'shared' }>
type Ask = Exclude<WorkerRequest, Control>
export type News = Extract<WorkerReply, { type: 'targets' | 'progress' | 'paused' | 'resumed' | 'changed' | 'refused' | 'seek' | 'share' | 'training' | 'generating' }>
type Answer = Exclude<WorkerReply, News | { type: 'failed' }>

export interface Ready {
  backend: BackendChoice
  versions: EngineVersions
}

/** One worker as the pool sees it: questions with answers, models it holds, and its death. */
export interface WorkerHandle {
  /** Counted from 1 over the pool's life. */
  readonly number: number
  readonly pid: number | undefined
  /** Rejects where the backend cannot be had or the process ends before it is ready. */
  readonly ready: Promise<Ready>
  /** Never rejects. */
  readonly death: Promise<Death>
  holds(key: string): boolean
  /** Nothing to do where it holds the model, run by the same executor in the same way. */
  load(key: string, source: ModelSource, use: ModelUse): Promise<ModelInfo>
  /**
   * @param onId the request has been sent under this id, for `control`
   * @throws MaskscopeError as the worker reports, or 'worker' when it dies first.
   */
  ask<T extends Answer['type']>(type: T, request: Body<Ask>, onNews?: (news: News) => void, onId?: (id: number) => void): Promise<Extract<Answer, { type: T }>>
  control(request: Control): void
  kill(): void
}

interface Open {
  resolve(answer: Answer): void
  reject(error: Error): void
  onNews: ((news: News) => void) | undefined
}

export function createWorkerHandle(wire: Wire, number: number, backend: BackendId | undefined): WorkerHandle {
  const open = new Map<number, Open>()
  const models = new Map<string, { info: ModelInfo; use: ModelUse }>()
  let nextId = 1
  let dead: MaskscopeError | undefined
  const death = new Promise<Death>((resolve) => {
    wire.onDeath((d) => {
      dead = deathError(d)
      for (const { reject } of open.values()) reject(dead)
      open.clear()
      resolve(d)
    })
  })

  wire.onReply((reply) => {
    const waiting = open.get(reply.id)
    if (!waiting) return
    switch (reply.type) {
      case 'targets':
      case 'progress':
      case 'paused':
      case 'resumed':
      case 'changed':
      case 'refused':
      case 'seek':
      case 'share':
      case 'training':
      case 'generating':
        return waiting.onNews?.(reply)
    }
    open.delete(reply.id)
    if (reply.type === 'failed') waiting.reject(reviveError(reply.error))
    else waiting.resolve(reply)
  })

  function ask<T extends Answer['type']>(
    type: T, request: Body<Ask>, onNews?: (news: News) => void, onId?: (id: number) => void,
  ): Promise<Extract<Answer, { type: T }>> {
    return new Promise((resolve, reject) => {
      if (dead) return reject(dead)
      const id = nextId++
      open.set(id, {
        resolve: (answer) => (answer.type === type ? resolve(answer as Extract<Answer, { type: T }>) : reject(new Error(`worker answered ${answer.type} to ${request.type}`))),
        reject,
        onNews,
      })
      wire.send({ ...request, id } as WorkerRequest)
      onId?.(id)
    })
  }

  async function load(key: string, source: ModelSource, use: ModelUse): Promise<ModelInfo> {
    const known = models.get(key)
    if (known && serves(known, use)) return known.info
    // Where it fails the worker has lost what it had.
    models.delete(key)
    const { info, dropped } = await ask('loaded', { type: 'load', key, source, use })
    for (const old of dropped) models.delete(old)
    models.set(key, { info, use })
    return info
  }

  const ready = ask('ready', { type: 'start', backend })
  return {
    number, pid: wire.pid, ready, death, load, ask,
    holds: (key) => models.has(key),
    control: (request) => wire.send(request),
    kill: () => wire.kill(),
  }
}

/** What chose by itself serves who asks for what it chose. Threads are told with every explanation. */
function serves({ info: { executor }, use }: { info: ModelInfo; use: ModelUse }, wanted: ModelUse): boolean {
  const same = use.executor === wanted.executor || (use.executor === 'auto' && executor.id === wanted.executor)
  return same && use.memory === wanted.memory
}

/** Models with the same weights and the same reading of pixels and outputs are the same to a worker. */
export function modelKey(source: ModelSource): string {
  const { sha256, name, format, preprocessing, head, labels } = source
  return createHash('sha256').update(JSON.stringify([sha256, name, format, preprocessing, head ?? null, labels])).digest('hex')
}

/** The death of a process in a person's words, with what to do. */
export function deathError({ code, signal, lastWords }: Death): MaskscopeError {
  const outOfMemory = /heap out of memory|allocation failed|bad_alloc|cannot enlarge memory|\bOOM\b/i.test(lastWords)
  const how = signal ? `was ended by ${signal}` : code === null ? 'could not be started' : `ended with code ${code}`
  const lines = lastWords.split('\n').filter((line) => line.trim() !== '' && !/^\s+at |^Node\.js v/.test(line))
  // Node prints the source line before an error and its properties after it.
  const last = lines.findLast((line) => /^\w*Error\b.*:/.test(line)) ?? lines.at(-1)
  const why = outOfMemory
    ? 'it ran out of memory; run fewer at a time (on the command line: --jobs 1) or take a smaller model'
    : signal === 'SIGKILL'
      ? 'another program, or the system when memory runs out, ended it; if it happens again, run fewer at a time (on the command line: --jobs 1)'
      : last !== undefined ? `its last words were "${last.trim().slice(0, 300)}"` : 'it left no message; run it again'
  return new MaskscopeError('worker', `The engine process ${how}: ${why}.`)
}

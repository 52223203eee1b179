import { findMethod } from '#engine/methods/registry.ts'
import type { Pool } from '#pool/pool.ts'
import { MaskscopeError, serialiseError } from '#shared/domain/errors.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import type { ModelInfo, ModelSource } from '#shared/domain/model.ts'
import { resolveParameters, type ParameterValues } from '#shared/domain/parameters.ts'
import type { RunEvent } from '#shared/domain/run.ts'
import type { RunOrderManifest } from '#storage/manifests.ts'
import type { DataItem, LoadedItem } from './datasets.ts'
import { prepareItem } from './prepared-input.ts'
import { describeOrder, makeResult, shortName, watchCourse } from './run-result.ts'
import type { StoredRun } from './studies.ts'
import type { StudyWriter } from './study-writer.ts'

/** A run as it is asked for. */
export interface RunOrder {
  model: {
    source: ModelSource
    /** How to find it again: a bundled model's name, or an absolute path. */
    place: string
  }
  item: DataItem
  method: string
  /** As given; the preset and the defaults fill the rest. */
  parameters: Record<string, unknown>
  seed: number
  target: number | 'auto'
  /** Of a run made again whose labels are not beside the model any more. */
  label?: { index: number; label: string | null }
}

export type RunOutcome =
  | { state: 'finished'; id: string; run: StoredRun }
  | { state: 'failed'; id: string; error: MaskscopeError | Error }
  | { state: 'cancelled'; id: string }

export interface RunTicket {
  id: string
  /** Never rejects. */
  outcome: Promise<RunOutcome>
  /** A run that has ended stays as it is. */
  cancel(): void
}

/** The queue of runs: each is explained by the pool and stored as soon as it is done. */
export interface Runs {
  /** @throws MaskscopeError 'usage' for an unknown method or a wrong parameter; nothing is queued then. */
  submit(order: RunOrder): RunTicket
  /** Hears all events of all runs, in order. @returns a function that ends it */
  subscribe(listener: (event: RunEvent) => void): () => void
  /** Cancels whatever runs or waits and resolves when all of it has ended. Finished runs stay. */
  cancelAll(): Promise<void>
}

export interface RunsOptions {
  pool: Pool
  study: StudyWriter
  /** Maskscope's own. */
  version: string
}

interface Queued {
  id: string
  order: RunOrder
  parameters: ParameterValues
  abort: AbortController
  settle(outcome: RunOutcome): void
}

export function createRuns({ pool, study, version }: RunsOptions): Runs {
  const listeners = new Set<(event: RunEvent) => void>()
  const waiting: Queued[] = []
  const open = new Map<Queued, Promise<RunOutcome>>()
  let active = 0
  let capacity: number | undefined

  const emit = (event: RunEvent): void => listeners.forEach((listener) => listener(event))

  function submit(order: RunOrder): RunTicket {
    const parameters = resolveParameters(findMethod(order.method), order.parameters)
    if (!Number.isSafeInteger(order.seed) || order.seed < 0) {
      throw new MaskscopeError('usage', `The seed is ${order.seed}; it must be a whole number from 0.`, { subject: 'seed' })
    }
    const id = study.reserveRun(shortName(order.item), order.method)
    const abort = new AbortController()
    let settle: Queued['settle'] = () => undefined
    const outcome = new Promise<RunOutcome>((resolve) => (settle = resolve))
    const queued: Queued = { id, order, parameters, abort, settle }
    open.set(queued, outcome)
    waiting.push(queued)
    emit({ type: 'queued', run: id })
    abort.signal.addEventListener('abort', () => {
      const place = waiting.indexOf(queued)
      if (place < 0) return
      waiting.splice(place, 1)
      end(queued, { state: 'cancelled', id }, { type: 'cancelled', run: id })
    })
    void pump()
    return { id, outcome, cancel: () => abort.abort() }
  }

  /** As many runs at a time as the pool has workers, so that no more pictures are in memory than are worked on. */
  async function pump(): Promise<void> {
    if (capacity === undefined) {
      // Where no engine starts, the first run meets the error and reports it.
      capacity = 1
      capacity = await pool.capacity().catch(() => 1)
    }
    while (waiting.length > 0 && active < capacity) {
      active++
      void perform(waiting.shift()!).finally(() => {
        active--
        void pump()
      })
    }
  }

  async function perform(queued: Queued): Promise<void> {
    const { id, order, abort } = queued
    try {
      const info = await pool.info(order.model.source)
      const item = await order.item.load()
      const begun = await begin(queued, info, item)
      const course = watchCourse()
      const explained = await pool.explain(order.model.source, {
        method: order.method, parameters: queued.parameters, images: begun.image, targets: [order.target], seeds: [order.seed],
      }, {
        signal: abort.signal,
        onStart: (worker, targets) => emit({ type: 'started', run: id, worker, target: targets[0]! }),
        onProgress: (progress) => {
          course.add(progress)
          emit({ type: 'progress', run: id, progress })
        },
      })
      const result = makeResult({ explained, manifest: begun.manifest, course, version, notes: item.notes, label: order.label })
      await study.finishRun(id, result)
      const run = await study.readRun(id)
      end(queued, { state: 'finished', id, run }, { type: 'finished', run: id, seconds: explained.seconds })
    } catch (error) {
      const cancelled = abort.signal.aborted && error instanceof MaskscopeError && error.code === 'cancelled'
      await study.endRun(id, cancelled ? 'cancelled' : 'failed', cancelled ? undefined : error)
      if (cancelled) end(queued, { state: 'cancelled', id }, { type: 'cancelled', run: id })
      else end(queued, { state: 'failed', id, error: error as Error }, { type: 'failed', run: id, error: serialiseError(error) })
    }
  }

  async function begin(queued: Queued, info: ModelInfo, item: LoadedItem): Promise<{ image: ImageBatch; manifest: RunOrderManifest }> {
    const { id, order, parameters, abort } = queued
    if (typeof order.target === 'number' && !(Number.isInteger(order.target) && order.target >= 0 && order.target < info.classes)) {
      throw new MaskscopeError('usage', `Target ${order.target} is out of range: ${info.name} has the classes 0 to ${info.classes - 1}.`, { subject: 'target' })
    }
    const { image, view } = await prepareItem(item, info)
    if (abort.signal.aborted) throw new MaskscopeError('cancelled', 'The run was cancelled.')
    const stored = await study.storeInput(item.bytes, item.format)
    const manifest = describeOrder({ order, parameters, info, image, view, stored })
    await study.beginRun(id, manifest, { image: order.item.reference, model: order.model.place })
    return { image, manifest }
  }

  function end(queued: Queued, outcome: RunOutcome, event: RunEvent): void {
    open.delete(queued)
    emit(event)
    queued.settle(outcome)
  }

  return {
    submit,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async cancelAll() {
      const ending = [...open.values()]
      for (const queued of [...open.keys()]) queued.abort.abort()
      await Promise.all(ending)
    },
  }
}

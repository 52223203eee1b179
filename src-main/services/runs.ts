import { findMethod } from '#engine/methods/registry.ts'
import type { ExplainControl, Pool } from '#pool/pool.ts'
import { MaskscopeError, serialiseError } from '#shared/domain/errors.ts'
import type { ExecutorChoice } from '#shared/domain/executor.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import type { ModelInfo, ModelSource } from '#shared/domain/model.ts'
import { resolveParameters, type ParameterValues } from '#shared/domain/parameters.ts'
import type { ParameterChange, RunEvent } from '#shared/domain/run.ts'
import { seenTruth, type DataItem, type LoadedItem } from './datasets.ts'
import { trackRun, type LiveRun, type TrackedRun } from './live-run.ts'
import type { ModelOptions } from './models.ts'
import { prepareItem } from './prepared-input.ts'
import { resolveChanges, withChange } from './run-changes.ts'
import { describeOrder, describeRequest, foundOf, makeResult, shortName } from './run-result.ts'
import type { StoredRun } from './studies.ts'
import type { StudyWriter } from './study-writer.ts'

export type { LiveRun } from './live-run.ts'

/** A run as it is asked for. */
export interface RunOrder {
  model: {
    source: ModelSource
    /** How to find it again: a bundled model's name, or an absolute path. */
    place: string
    /** What a person stated beside it, with absolute paths. */
    stated?: ModelOptions
  }
  item: DataItem
  method: string
  /** As given; the preset and the defaults fill the rest. */
  parameters: Record<string, unknown>
  seed: number
  target: number | 'auto'
  /** Of parameters on the way, replayed. */
  changes?: readonly ParameterChange[]
  /** Somebody watches: frames come at display rate besides the stored ones. The result is the same. */
  live?: boolean
  /** What runs the model, settled now and kept; settled when the model is loaded where undefined. */
  executor?: ExecutorChoice
  /** Those of one lane wait behind each other, lanes take turns; all that name none are of one. */
  lane?: string
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
  /**
   * The run leaves a trace in the study from here on.
   * @throws MaskscopeError 'usage' for an unknown method, a wrong parameter or change; nothing is queued then.
   */
  submit(order: RunOrder): RunTicket
  /** Hears all events of all runs, in order. @returns a function that ends it */
  subscribe(listener: (event: RunEvent) => void): () => void
  /** Every run that has not ended, in the order in which they were submitted. */
  live(): readonly LiveRun[]
  find(id: string): LiveRun | undefined
  /** After the step that is being computed; the event tells when. One that waits goes on waiting, and others overtake it. */
  pause(id: string): void
  resume(id: string): void
  /** A run that has ended stays as it is, here and in `pause` and `resume`. */
  cancel(id: string): void
  /**
   * Of a paused run: holds from its next step on.
   * @returns all changes of this pause, with the iteration from which on they hold
   * @throws MaskscopeError 'usage' for a run that is not paused, or naming a parameter that cannot change on the way
   */
  change(id: string, parameters: ParameterValues): Promise<ParameterChange>
  /** Cancels whatever runs or waits and resolves when all of it has ended. Finished runs stay. */
  cancelAll(): Promise<void>
}

export interface RunsOptions {
  pool: Pool
  study: StudyWriter
  /** Maskscope's own. */
  version: string
}

interface Entry {
  tracked: TrackedRun
  run: LiveRun
  abort: AbortController
  outcome: Promise<RunOutcome>
  settle(outcome: RunOutcome): void
  /** Of its first record in the study. */
  noted: Promise<void>
  pauseWanted: boolean
  /** While a worker has it. */
  control: ExplainControl | undefined
}

/**
 * A paused run keeps its worker, for its state lives there. It is not counted here: the pool is given the next run as well,
 * which takes the next worker that is free. Where paused runs have all of them the pool starts another, within a limit.
 */
export function createRuns({ pool, study, version }: RunsOptions): Runs {
  const listeners = new Set<(event: RunEvent) => void>()
  const open = new Map<string, Entry>()
  let waiting: Entry[] = []
  const performing = new Set<Entry>()
  let capacity: number | undefined
  /** When each lane had its last turn. */
  const served = new Map<string, number>()
  let turns = 0

  function emit(event: RunEvent): void {
    open.get(event.run)?.tracked.hear(event)
    for (const listener of [...listeners]) listener(event)
  }

  function submit(order: RunOrder): RunTicket {
    const method = findMethod(order.method)
    const parameters = resolveParameters(method, order.parameters)
    const changes = resolveChanges(method, parameters, order.changes ?? [])
    if (!Number.isSafeInteger(order.seed) || order.seed < 0) {
      throw new MaskscopeError('usage', `The seed is ${order.seed}; it must be a whole number from 0.`, { subject: 'seed' })
    }
    const id = study.reserveRun(shortName(order.item), order.method)
    const tracked = trackRun({ id, order, parameters, changes })
    let settle: Entry['settle'] = () => undefined
    const outcome = new Promise<RunOutcome>((resolve) => (settle = resolve))
    const noted = study.noteRun(id, describeRequest(order, parameters, changes), foundOf(order))
    const entry: Entry = { tracked, run: tracked.run, abort: new AbortController(), outcome, settle, noted, pauseWanted: false, control: undefined }
    open.set(id, entry)
    waiting.push(entry)
    emit({ type: 'queued', run: id })
    entry.abort.signal.addEventListener('abort', () => {
      if (leaveQueue(entry)) void close(entry, cancelled())
    })
    noted.catch((error: unknown) => {
      if (leaveQueue(entry)) void close(entry, error)
    })
    void pump()
    return { id, outcome, cancel: () => entry.abort.abort() }
  }

  /** @returns whether it was in the queue */
  function leaveQueue(entry: Entry): boolean {
    const before = waiting.length
    waiting = waiting.filter((other) => other !== entry)
    return waiting.length < before
  }

  /** The first of the lane that has waited longest, so that a thousand runs of one kind do not hold up a single one of another. */
  function nextInTurn(): Entry | undefined {
    const firsts = new Map<string, Entry>()
    for (const entry of waiting) if (!entry.pauseWanted && !firsts.has(laneOf(entry))) firsts.set(laneOf(entry), entry)
    return [...firsts.values()].sort((a, b) => (served.get(laneOf(a)) ?? 0) - (served.get(laneOf(b)) ?? 0))[0]
  }

  /** As many runs at a time as the pool has workers, so that no more pictures are in memory than are worked on. */
  async function pump(): Promise<void> {
    if (capacity === undefined) {
      // Where no engine starts, the first run meets the error and reports it.
      capacity = 1
      capacity = await pool.capacity().catch(() => 1)
    }
    while ([...performing].filter((entry) => entry.run.state !== 'paused').length < capacity) {
      const next = nextInTurn()
      if (!next) return
      served.set(laneOf(next), ++turns)
      leaveQueue(next)
      performing.add(next)
      void perform(next).finally(() => {
        performing.delete(next)
        void pump()
      })
    }
  }

  async function perform(entry: Entry): Promise<void> {
    const { run, abort: { signal } } = entry
    const { id, order } = run
    try {
      await entry.noted
      const info = await unlessAborted(signal, pool.info(order.model.source, order.executor ? { executor: order.executor.id } : {}))
      entry.tracked.labels = info.labels
      const item = await unlessAborted(signal, order.item.load())
      const { image, objects } = await begin(entry, info, item)
      const explained = await pool.explain(order.model.source, {
        method: order.method, parameters: run.parameters, images: image, targets: [order.target], seeds: [order.seed],
        changes: run.changes, live: order.live ?? false, executor: info.executor.id, company: company(entry), objects,
      }, {
        signal,
        onControl(control) {
          entry.control = control
          if (entry.pauseWanted) control.pause()
        },
        onStart: (worker, targets, originals) => emit({ type: 'started', run: id, worker, target: targets[0]!, original: originals[0] ?? null }),
        onProgress: (progress) => emit({ type: 'progress', run: id, progress }),
        onPaused(iteration) {
          emit({ type: 'paused', run: id, iteration })
          void pump()
        },
        onResumed: () => emit({ type: 'resumed', run: id }),
        onChanged: (change) => keepChange(entry, change),
      })
      const result = makeResult({ explained, manifest: run.manifest!, course: run.course, version, notes: item.notes, label: order.label, pinned: order.executor })
      await study.finishRun(id, result)
      const stored = await study.readRun(id)
      end(entry, { state: 'finished', id, run: stored }, { type: 'finished', run: id, seconds: explained.seconds })
    } catch (error) {
      await close(entry, error)
    }
  }

  /** How many others compute beside it, or will as soon as a worker is free. */
  function company(entry: Entry): number {
    return [...open.values()].filter((other) => other !== entry && other.run.state !== 'paused').length
  }

  async function begin(entry: Entry, info: ModelInfo, item: LoadedItem): Promise<{ image: ImageBatch; objects: readonly (Uint8Array | null)[] }> {
    const { run, abort } = entry
    const { id, order, parameters, changes } = run
    if (typeof order.target === 'number' && !(Number.isInteger(order.target) && order.target >= 0 && order.target < info.classes)) {
      throw new MaskscopeError('usage', `Target ${order.target} is out of range: ${info.name} has the classes 0 to ${info.classes - 1}.`, { subject: 'target' })
    }
    const { image, view } = await prepareItem(item, info)
    if (abort.signal.aborted) throw cancelled()
    const stored = await study.storeInput(item.bytes, item.format)
    run.manifest = describeOrder({ order, parameters, changes, info, image, view, stored })
    await study.beginRun(id, run.manifest, foundOf(order))
    return { image, objects: [item.truth ? seenTruth(item.truth, view) : null] }
  }

  function keepChange({ run }: Entry, change: ParameterChange): void {
    run.changes = withChange(findMethod(run.order.method), run.changes, change)
    if (run.manifest) run.manifest = { ...run.manifest, changes: run.changes }
    void study.changeRun(run.id, run.changes)
    emit({ type: 'changed', run: run.id, change })
  }

  /** Ends a run that has no result. */
  async function close(entry: Entry, error: unknown): Promise<void> {
    const { run: { id }, abort } = entry
    await entry.noted.catch(() => undefined)
    const wasCancelled = abort.signal.aborted && error instanceof MaskscopeError && error.code === 'cancelled'
    await study.endRun(id, wasCancelled ? 'cancelled' : 'failed', wasCancelled ? undefined : error)
    if (wasCancelled) end(entry, { state: 'cancelled', id }, { type: 'cancelled', run: id })
    else end(entry, { state: 'failed', id, error: error as Error }, { type: 'failed', run: id, error: serialiseError(error) })
  }

  function end({ run, settle }: Entry, outcome: RunOutcome, event: RunEvent): void {
    open.delete(run.id)
    emit(event)
    settle(outcome)
  }

  return {
    submit,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    live: () => [...open.values()].map((entry) => entry.run),
    find: (id) => open.get(id)?.run,
    pause(id) {
      const entry = open.get(id)
      if (!entry || entry.pauseWanted) return
      entry.pauseWanted = true
      if (waiting.includes(entry)) emit({ type: 'paused', run: id, iteration: 0 })
      else entry.control?.pause()
    },
    resume(id) {
      const entry = open.get(id)
      if (!entry?.pauseWanted) return
      entry.pauseWanted = false
      if (!waiting.includes(entry)) return entry.control?.resume()
      emit({ type: 'resumed', run: id })
      void pump()
    },
    cancel: (id) => open.get(id)?.abort.abort(),
    async change(id, parameters) {
      const entry = open.get(id)
      if (!entry) throw new MaskscopeError('usage', `Run ${id} has ended; nothing in it can be changed any more.`, { subject: 'run' })
      const { run } = entry
      if (run.state !== 'paused') throw new MaskscopeError('usage', 'Pause the run first: parameters change while it stands.', { subject: 'run' })
      if (entry.control) return entry.control.change(parameters)
      // Its turn has not come: what changes holds from the very first step on.
      const before = run.changes.filter((change) => change.iteration === 0)
      const [change] = resolveChanges(findMethod(run.order.method), run.parameters, [...before, { iteration: 0, parameters }])
      keepChange(entry, change!)
      return change!
    },
    async cancelAll() {
      const ending = [...open.values()]
      for (const entry of ending) entry.abort.abort()
      await Promise.all(ending.map((entry) => entry.outcome))
    },
  }
}

/** `work`, or its abandonment: loading waits for a worker, and whoever cancels does not want to wait with it. */
function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(cancelled())
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

function cancelled(): MaskscopeError {
  return new MaskscopeError('cancelled', 'The run was cancelled.')
}

function laneOf({ run: { order } }: Entry): string {
  return order.lane ?? ''
}

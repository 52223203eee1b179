import { availableParallelism } from 'node:os'
import type { BackendChoice, BackendId, BackendReport } from '#shared/domain/backend.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import type { ModelInfo, ModelSource } from '#shared/domain/model.ts'
import { cancelled, explainOn, type Explained, type ExplainJob, type Watcher } from './explain-job.ts'
import type { Launch } from './wire.ts'
import { createWorkerHandle, modelKey, type WorkerHandle } from './worker-handle.ts'

export type { ExplainControl, Explained, ExplainJob, Watcher } from './explain-job.ts'

export interface PoolOptions {
  launch: Launch
  /** The best there is where undefined. */
  backend?: BackendId
  /** At most so many workers; by default one per core on CPU backends, one on a GPU. */
  jobs?: number
}

/** Engine workers as child processes: started when there is work, fed in order, replaced when they die. */
export interface Pool {
  /** What the workers run on. Starts the first. */
  backend(): Promise<BackendChoice>
  /** Loads a model and tells what it is. */
  info(source: ModelSource): Promise<ModelInfo>
  /** Logits [count, classes]. */
  classify(source: ModelSource, images: ImageBatch): Promise<Float32Array>
  /** @throws MaskscopeError: the method's own, 'cancelled', or 'worker' when the worker dies under it. */
  explain(source: ModelSource, job: ExplainJob, watcher?: Watcher): Promise<Explained>
  diagnose(): Promise<BackendReport[]>
  /** How many jobs run at the same time. Starts the first worker. */
  capacity(): Promise<number>
  /** The living workers: their numbers, as `onStart` tells them, and process ids. */
  workers(): { number: number; pid: number | undefined }[]
  /** Ends all workers; whatever runs or waits is cancelled. */
  dispose(): Promise<void>
}

/** So many workers in a row may die before they are ready. */
const startAttempts = 3
const firstBackOff = 200
/** A worker that is not ready by then is ended. A GPU's first start can take most of a minute. */
const startPatience = 120_000

interface Job {
  key: string | undefined
  signal: AbortSignal | undefined
  /** Never rejects. @returns what tells the outcome, to be called when the worker is free again */
  work(worker: WorkerHandle): Promise<() => void>
  reject(error: Error): void
}

export function createPool(options: PoolOptions): Pool {
  const idle = new Set<WorkerHandle>()
  const alive = new Set<WorkerHandle>()
  const starting = new Set<WorkerHandle>()
  let pending: Job[] = []
  let size = 1
  let sizeKnown = false
  let counter = 0
  let startDeaths = 0
  let backingOff = false
  let disposed = false

  function enqueue<T>(source: ModelSource | undefined, signal: AbortSignal | undefined, work: (worker: WorkerHandle) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (disposed || signal?.aborted) return reject(cancelled())
      const job: Job = {
        key: source && modelKey(source), signal, reject,
        work: (worker) => work(worker).then((result) => () => resolve(result), (error: Error) => {
          // A worker that says of itself that it is broken gets no more work.
          if (error instanceof MaskscopeError && error.code === 'worker') retire(worker)
          return () => reject(signal?.aborted || disposed ? cancelled() : error)
        }),
      }
      signal?.addEventListener('abort', () => {
        if (!pending.includes(job)) return
        pending = pending.filter((p) => p !== job)
        reject(cancelled())
      }, { once: true })
      pending.push(job)
      pump()
    })
  }

  /** Gives waiting jobs to idle workers, first come first served, and starts workers for the rest. */
  function pump(): void {
    while (pending[0] && idle.size > 0) {
      const job = pending.shift()!
      const worker = [...idle].find((w) => job.key !== undefined && w.holds(job.key)) ?? [...idle][0]!
      idle.delete(worker)
      void job.work(worker).then((tell) => {
        if (alive.has(worker)) idle.add(worker)
        tell()
        pump()
      })
    }
    // Until the first worker has found its backend nobody knows how many there should be.
    while (!disposed && !backingOff && pending.length > starting.size && alive.size < (sizeKnown ? size : 1)) startWorker()
  }

  function retire(worker: WorkerHandle): void {
    alive.delete(worker)
    idle.delete(worker)
    worker.kill()
  }

  function startWorker(): void {
    const worker = createWorkerHandle(options.launch(), ++counter, options.backend)
    alive.add(worker)
    starting.add(worker)
    const patience = setTimeout(() => worker.kill(), startPatience)
    worker.ready.then(
      ({ backend }) => {
        clearTimeout(patience)
        starting.delete(worker)
        startDeaths = 0
        if (!sizeKnown) size = Math.min(options.jobs ?? Infinity, backend.id === 'cuda' ? 1 : availableParallelism())
        sizeKnown = true
        if (alive.has(worker)) idle.add(worker)
        pump()
      },
      (error: MaskscopeError) => {
        clearTimeout(patience)
        starting.delete(worker)
        retire(worker)
        if (error.code === 'worker') retryStart(error)
        else failPending(error)
      },
    )
    void worker.death.then(() => {
      alive.delete(worker)
      idle.delete(worker)
      pump()
    })
  }

  function retryStart(error: MaskscopeError): void {
    startDeaths++
    if (startDeaths >= startAttempts) {
      startDeaths = 0
      failPending(new MaskscopeError('worker', `No engine process could be started, ${startAttempts} times in a row. ${error.message}`, { cause: error }))
      return
    }
    backingOff = true
    setTimeout(() => {
      backingOff = false
      pump()
    }, firstBackOff * 2 ** (startDeaths - 1))
  }

  function failPending(error: MaskscopeError): void {
    const failed = pending
    pending = []
    for (const job of failed) job.reject(error)
  }

  return {
    backend: () => enqueue(undefined, undefined, async (worker) => (await worker.ready).backend),
    info: (source) => enqueue(source, undefined, (worker) => worker.load(modelKey(source), source)),
    classify: (source, images) => enqueue(source, undefined, async (worker) => {
      const model = modelKey(source)
      await worker.load(model, source)
      return (await worker.ask('logits', { type: 'classify', model, images })).logits
    }),
    explain: (source, job, watcher = {}) => enqueue(source, watcher.signal, (worker) => explainOn(worker, source, job, watcher)),
    diagnose: () => enqueue(undefined, undefined, async (worker) => (await worker.ask('diagnosis', { type: 'diagnose' })).backends),
    capacity: () => enqueue(undefined, undefined, async (worker) => {
      await worker.ready
      return size
    }),
    workers: () => [...alive].map(({ number, pid }) => ({ number, pid })),
    async dispose() {
      disposed = true
      failPending(cancelled())
      const ending = [...alive].map((worker) => {
        worker.kill()
        return worker.death
      })
      await Promise.all(ending)
    },
  }
}

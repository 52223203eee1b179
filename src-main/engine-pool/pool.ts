import { availableParallelism } from 'node:os'
import type { GenerateWork } from '#engine/reconstruction/generate.ts'
import type { BackendChoice, BackendId } from '#shared/domain/backend.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Diagnosis, ExecutorWish } from '#shared/domain/executor.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import type { GraphReport } from '#shared/domain/layers.ts'
import type { ModelInfo, ModelSource } from '#shared/domain/model.ts'
import { cancelled, explainOn, type Explained, type ExplainJob, type Watcher } from './explain-job.ts'
import { generateOn, type Generated, type GenerateJob, type GenerateWatcher } from './generate-job.ts'
import { measureOn, type Measured, type MeasureJob } from './measure-job.ts'
import { createCores } from './cores.ts'
import { createHelping } from './helping.ts'
import { createTimings, type Timings } from './timings.ts'
import { trainOn, type Trained, type TrainJob, type TrainWatcher } from './train-job.ts'
import type { Launch } from './wire.ts'
import { createWorkerHandle, modelKey, type WorkerHandle } from './worker-handle.ts'

export type { ExplainControl, Explained, ExplainJob, Watcher } from './explain-job.ts'
export type { Generated, GenerateJob, GenerateWatcher } from './generate-job.ts'
export type { Measured, MeasureJob } from './measure-job.ts'
export type { TrainControl, Trained, TrainJob, TrainWatcher } from './train-job.ts'

export interface PoolOptions {
  launch: Launch
  /** The best there is where undefined. */
  backend?: BackendId
  /** At most so many workers; by default one per core on CPU backends, one on a GPU. */
  jobs?: number
  /** What runs models unless a question says otherwise, asked each time; the faster where undefined. */
  executor?: () => ExecutorWish
  /** Bytes that all workers together may take, asked each time; 1 GB where undefined. */
  memory?: () => number
  /** How fast executors ran models in earlier sessions; those of this one where undefined. */
  timings?: Timings
  /** What went wrong and stopped nothing, a sentence; nobody is told where undefined. */
  log?(message: string): void
}

/** Of a question about a model. */
export interface AskOptions {
  executor?: ExecutorWish
}

/**
 * Engine workers as child processes: started when there is work, fed in order, replaced when they die. Questions (`info`,
 * `classify`, `diagnose`) do not wait for explanations, which can stand paused for hours: where every worker has one, another
 * answers. Nor do explanations wait for ones that stand: while every worker is paused there is one more.
 */
export interface Pool {
  /** What the workers run on. Starts the first; known from then on. */
  backend(): Promise<BackendChoice>
  /** Loads a model and tells what it is. */
  info(source: ModelSource, options?: AskOptions): Promise<ModelInfo>
  /** Its graph; null where the graph cannot express it. */
  describe(source: ModelSource, options?: AskOptions): Promise<GraphReport | null>
  /** Logits [count, classes]. */
  classify(source: ModelSource, images: ImageBatch, options?: AskOptions): Promise<Float32Array>
  /** @throws MaskscopeError: the method's own, 'cancelled', or 'worker' when the worker dies under it. */
  explain(source: ModelSource, job: ExplainJob, watcher?: Watcher): Promise<Explained>
  /**
   * Judges a map by metrics, beside explanations and in their order. A metric that fails costs only itself.
   * @throws MaskscopeError 'cancelled', 'usage' for a judge that is the model itself, or 'worker' when the worker dies under it.
   */
  measure(source: ModelSource, job: MeasureJob, options?: { signal?: AbortSignal }): Promise<Measured>
  /**
   * Trains a generator for a classifier, beside explanations and in their order.
   * @throws MaskscopeError 'usage' naming the setting, 'run' where a loss is not finite, 'cancelled', or 'worker' when the worker dies.
   */
  train(source: ModelSource, job: TrainJob, watcher?: TrainWatcher): Promise<Trained>
  /**
   * Asks a trained generator. Variations and decoding do not wait for explanations.
   * @throws MaskscopeError 'usage' naming the field, 'input' for files that are no generator's, 'cancelled', or 'worker'.
   */
  generate<K extends GenerateWork['kind']>(source: ModelSource, job: { kind: K } & GenerateJob<K>, watcher?: GenerateWatcher): Promise<Generated<K>>
  diagnose(): Promise<Diagnosis>
  /** How many explanations run at the same time. Starts the first worker; known from then on. */
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

/**
 * At most so many workers are started beyond `jobs` in place of paused ones. Each takes the memory of a worker: some 100 MB, its
 * model, and what a run needs at its height, up to a few GB for the largest networks.
 */
const extraWorkers = 4

interface Job {
  key: string | undefined
  /** Short, so that any worker may answer. */
  question: boolean
  /** Never rejects. @returns what tells the outcome, to be called when the worker is free again */
  work(worker: WorkerHandle): Promise<() => void>
  /** It waits no longer. */
  leave(): void
  reject(error: Error): void
}

const anyJob = (_job: Job): boolean => true
/** For a worker that was only started to help. */
const noJob = (_job: Job): boolean => false

export function createPool(options: PoolOptions): Pool {
  const idle = new Set<WorkerHandle>()
  const alive = new Set<WorkerHandle>()
  const starting = new Set<WorkerHandle>()
  const explaining = new Set<WorkerHandle>()
  /** Of those that explain. A paused explanation keeps its worker, for its state lives there. */
  const paused = new Set<WorkerHandle>()
  /** Started while all others were paused. */
  const extras = new Set<WorkerHandle>()
  /**
   * One worker more for questions, started when the first must wait for explanations and kept. It costs the memory of a
   * worker: some 100 MB and the models it is asked about.
   */
  let helper: WorkerHandle | undefined
  let pending: Job[] = []
  let size = 1
  /** Of the first worker that was ready: before, nobody knows how many there should be. */
  let known: BackendChoice | undefined
  let counter = 0
  let startDeaths = 0
  let backingOff = false
  let disposed = false
  const timings = options.timings ?? createTimings()
  /** A worker that was to help could not be started; none is tried any more. */
  let helpless = false
  const helping = createHelping({
    idle: () => [...idle].filter((worker) => worker !== helper && !extras.has(worker)),
    broken: retire,
    start: startHelpers,
    givenUp(error) {
      if (!disposed) options.log?.(`A worker that helped a run could not go on, and the run does without it: ${error instanceof Error ? error.message : String(error)}`)
    },
  })
  const coreUse = createCores({
    timings,
    workers: expected,
    alone: () => explaining.size - paused.size === 1,
    others(worker) {
      startHelpers()
      const found = [...alive].filter((other) => other !== worker && other !== helper && !extras.has(other))
      return found.length === size - 1 ? found : null
    },
    idle: (workers) => !disposed && workers.every((worker) => idle.has(worker)),
    load: (worker, source, executor) => load(worker, source, { executor }),
  })

  /** Workers that compute at the same time, as far as it is known. */
  function expected(): number {
    return known ? size : Math.min(options.jobs ?? Infinity, availableParallelism())
  }

  /** Alone a run gets all cores; several at once share them, since so many processes of one thread do more than one of many. */
  function threadsFor(company: number): number {
    const cores = availableParallelism()
    return company === 0 ? cores : Math.max(1, Math.floor(cores / expected()))
  }

  async function load(worker: WorkerHandle, source: ModelSource, { executor = options.executor?.() ?? 'auto' }: AskOptions): Promise<ModelInfo> {
    const { backend, versions } = await worker.ready
    const subject = { source, backend: backend.id, versions }
    const measured = executor === 'auto' ? await timings.find(subject) : null
    const info = await worker.load(modelKey(source), source, {
      executor, measured,
      threads: threadsFor(0),
      memory: Math.floor((options.memory?.() ?? 2 ** 30) / expected()),
    })
    const found = info.executor.measured
    if (executor === 'auto' && !measured && found.onnxruntime && found.tfjs) timings.keep(subject, found)
    return info
  }

  function ask<T>(source: ModelSource | undefined, work: (worker: WorkerHandle) => Promise<T>): Promise<T> {
    return enqueue(source, true, undefined, work)
  }

  function enqueue<T>(
    source: ModelSource | undefined, question: boolean, signal: AbortSignal | undefined, work: (worker: WorkerHandle) => Promise<T>,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (disposed || signal?.aborted) return reject(cancelled())
      const giveUp = (): void => {
        pending = pending.filter((p) => p !== job)
        reject(cancelled())
      }
      const job: Job = {
        key: source && modelKey(source), question, reject,
        // A signal may outlive thousands of jobs, and would keep their images and maps.
        leave: () => signal?.removeEventListener('abort', giveUp),
        work: (worker) => work(worker).then((result) => () => resolve(result), (error: Error) => {
          // A worker that says of itself that it is broken gets no more work.
          if (error instanceof MaskscopeError && error.code === 'worker') retire(worker)
          return () => reject(signal?.aborted || disposed ? cancelled() : error)
        }),
      }
      signal?.addEventListener('abort', giveUp, { once: true })
      pending.push(job)
      pump()
    })
  }

  /** Gives waiting jobs to idle workers, first come first served, and starts workers for the rest. */
  function pump(): void {
    for (const job of [...pending]) {
      if (!job.question && job.key !== undefined && coreUse.wide(job.key) && explaining.size > paused.size) continue
      const free = [...idle].filter((worker) => job.question || worker !== helper)
      const worker = free.find((w) => job.key !== undefined && w.holds(job.key)) ?? free[0]
      if (worker) give(job, worker)
    }
    endExtras()
    helping.review()
    if (disposed || backingOff) return
    while (pending.length > starting.size && runners() - extras.size < (known ? size : 1)) startWorker(options.backend, anyJob)
    if (known && paused.size >= runners() && extras.size < extraWorkers && pending.some((job) => !job.question)) startExtra(known)
    if (known && !helper && explaining.size >= size && pending.some((job) => job.question)) {
      // A second process on a GPU would take the memory of the first.
      helper = startWorker(known.id === 'cuda' ? 'wasm' : options.backend, (job) => job.question)
    }
  }

  /** As many workers as there may be, where nobody else waits for one. */
  function startHelpers(): void {
    while (known && !disposed && !backingOff && !helpless && pending.length === 0 && runners() - extras.size < size) startWorker(options.backend, noJob)
  }

  /** How many workers there are for explanations. */
  function runners(): number {
    return alive.size - (helper ? 1 : 0)
  }

  function startExtra(known: BackendChoice): void {
    // A second process on a GPU would take the memory of the first. Beside it a run computes on the processor, and says so
    // in its manifest; whoever insisted on the GPU waits for it.
    if (known.id !== 'cuda') extras.add(startWorker(options.backend, anyJob))
    else if (options.backend === undefined) extras.add(startWorker('wasm', anyJob))
  }

  /** Gives up extra workers that are idle while another is not paused either. */
  function endExtras(): void {
    for (const worker of extras) {
      if (idle.has(worker) && paused.size < runners() - 1) retire(worker)
    }
  }

  function give(job: Job, worker: WorkerHandle): void {
    pending = pending.filter((p) => p !== job)
    job.leave()
    idle.delete(worker)
    if (!job.question) explaining.add(worker)
    void job.work(worker).then((tell) => {
      explaining.delete(worker)
      paused.delete(worker)
      if (alive.has(worker)) idle.add(worker)
      tell()
      pump()
    })
  }

  function forget(worker: WorkerHandle): void {
    alive.delete(worker)
    idle.delete(worker)
    paused.delete(worker)
    extras.delete(worker)
    if (helper === worker) helper = undefined
  }

  function retire(worker: WorkerHandle): void {
    forget(worker)
    worker.kill()
  }

  /** @param serves the jobs that fail where it cannot be started */
  function startWorker(backend: BackendId | undefined, serves: (job: Job) => boolean): WorkerHandle {
    const worker = createWorkerHandle(options.launch(), ++counter, backend)
    alive.add(worker)
    starting.add(worker)
    const patience = setTimeout(() => worker.kill(), startPatience)
    worker.ready.then(
      ({ backend }) => {
        clearTimeout(patience)
        starting.delete(worker)
        startDeaths = 0
        if (!known) size = Math.min(options.jobs ?? Infinity, backend.id === 'cuda' ? 1 : availableParallelism())
        known ??= backend
        if (alive.has(worker)) idle.add(worker)
        pump()
      },
      (error: MaskscopeError) => {
        clearTimeout(patience)
        starting.delete(worker)
        retire(worker)
        if (serves === noJob) helpless = true
        else if (error.code === 'worker') retryStart(error, serves)
        else failPending(error, serves)
      },
    )
    void worker.death.then(() => {
      forget(worker)
      pump()
    })
    return worker
  }

  function retryStart(error: MaskscopeError, serves: (job: Job) => boolean): void {
    startDeaths++
    if (startDeaths >= startAttempts) {
      startDeaths = 0
      failPending(new MaskscopeError('worker', `No engine process could be started, ${startAttempts} times in a row. ${error.message}`, { cause: error }), serves)
      return
    }
    backingOff = true
    setTimeout(() => {
      backingOff = false
      pump()
    }, firstBackOff * 2 ** (startDeaths - 1))
  }

  function failPending(error: MaskscopeError, which = anyJob): void {
    const failed = pending.filter(which)
    pending = pending.filter((job) => !which(job))
    for (const job of failed) {
      job.leave()
      job.reject(error)
    }
  }

  function askGenerator<K extends GenerateWork['kind']>(source: ModelSource, job: { kind: K } & GenerateJob<K>, watcher: GenerateWatcher = {}): Promise<Generated<K>> {
    const short = job.kind === 'vary' || job.kind === 'decode'
    return enqueue(source, short, watcher.signal, (worker) => generateOn<K>(worker, source, job, watcher, {
      load: (model) => load(worker, model, job), threads: threadsFor(job.company ?? 0),
    }))
  }

  /** Whoever stands keeps its worker, so that there may be one more. */
  function noting(worker: WorkerHandle, watcher: Pick<Watcher, 'onPaused' | 'onResumed'>): Required<Pick<Watcher, 'onPaused' | 'onResumed'>> {
    return {
      onPaused(iteration) {
        paused.add(worker)
        watcher.onPaused?.(iteration)
        pump()
      },
      onResumed() {
        paused.delete(worker)
        watcher.onResumed?.()
        pump()
      },
    }
  }

  return {
    backend: () => (known && !disposed ? Promise.resolve(known) : ask(undefined, async (worker) => (await worker.ready).backend)),
    info: (source, asked = {}) => ask(source, (worker) => load(worker, source, asked)),
    describe: (source, asked = {}) => ask(source, async (worker) => {
      await load(worker, source, asked)
      return (await worker.ask('described', { type: 'describe', model: modelKey(source) })).report
    }),
    classify: (source, images, asked = {}) => ask(source, async (worker) => {
      await load(worker, source, asked)
      return (await worker.ask('logits', { type: 'classify', model: modelKey(source), images })).logits
    }),
    explain: (source, job, watcher = {}) => enqueue(source, false, watcher.signal, (worker) => explainOn(worker, source, job, {
      ...watcher,
      ...noting(worker, watcher),
    }, {
      async prepare() {
        const info = await load(worker, source, job)
        return { info, ...(await coreUse.use(worker, source, info, { method: job.method, company: job.company ?? 0 })) }
      },
      help: (id, { info, threads }) => helping.open({
        worker, id, model: modelKey(source), threads, load: (other) => load(other, source, { executor: info.executor.id }),
      }),
    })),
    measure: (source, job, { signal } = {}) => enqueue(source, false, signal, (worker) => measureOn(worker, source, job, {
      load: (model) => load(worker, model, job), threads: threadsFor(job.company ?? 0), signal,
    })),
    train: (source, job, watcher = {}) => enqueue(source, false, watcher.signal, (worker) => trainOn(worker, source, job, { ...watcher, ...noting(worker, watcher) }, {
      load: (model) => load(worker, model, job), threads: threadsFor(job.company ?? 0),
    })),
    generate: askGenerator,
    // A GPU can be measured by the worker that has it only.
    diagnose: () => enqueue(undefined, known?.id !== 'cuda', undefined, async (worker) => (await worker.ask('diagnosis', { type: 'diagnose' })).diagnosis),
    capacity: () => (known && !disposed ? Promise.resolve(size) : ask(undefined, async (worker) => {
      await worker.ready
      return size
    })),
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

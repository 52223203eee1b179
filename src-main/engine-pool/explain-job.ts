import { MaskscopeError, reviveError } from '#shared/domain/errors.ts'
import type { ExecutorWish } from '#shared/domain/executor.ts'
import type { ImageBatch } from '#shared/domain/image.ts'
import type { ModelInfo, ModelSource } from '#shared/domain/model.ts'
import type { ParameterValues } from '#shared/domain/parameters.ts'
import type { Explanation, ParameterChange, Progress } from '#shared/domain/run.ts'
import { createClock } from './clock.ts'
import type { CoreUse } from './cores.ts'
import type { Help } from './helping.ts'
import { stopping } from './stopping.ts'
import { modelKey, type News, type Ready, type WorkerHandle } from './worker-handle.ts'

export interface ExplainJob {
  method: string
  parameters: ParameterValues
  images: ImageBatch
  targets: readonly (number | 'auto')[]
  seeds: readonly number[]
  /** Replayed at their iterations; of several at one iteration the later holds. */
  changes?: readonly ParameterChange[]
  /** Frames come at display rate besides the stored ones. The result is the same. */
  live?: boolean
  /** The true object of each image, 0 or 1 per pixel of the classifier's input, where it is known. */
  objects?: readonly (Uint8Array | null)[]
  /** The pool's own where undefined. */
  executor?: ExecutorWish
  /** How many others run or wait beside it: alone it gets all cores, else its share. 0 where undefined. */
  company?: number
}

/** The hands on a job that a worker has taken. Once the job has ended they do nothing. */
export interface ExplainControl {
  /** After the step that is being computed; `onPaused` tells when. The job keeps its worker: its state lives there. */
  pause(): void
  resume(): void
  /**
   * Of a paused job: holds from its next step on.
   * @returns what holds from which iteration on: all changes of this pause, so that it replaces an earlier one of the same iteration
   * @throws MaskscopeError 'usage' where it is not paused, or naming a parameter that cannot change
   */
  change(parameters: ParameterValues): Promise<ParameterChange>
}

export interface Watcher {
  /** A worker has taken the job: it can be paused from here on. */
  onControl?(control: ExplainControl): void
  /** The worker knows the targets, and their probabilities in the clean images, null where there are none. */
  onStart?(worker: number, targets: readonly number[], originals: readonly (number | null)[]): void
  onProgress?(progress: Progress): void
  /** It stands after `iteration` (0 also where it has not made a step). */
  onPaused?(iteration: number): void
  onResumed?(): void
  /** As `ExplainControl.change` returns it. */
  onChanged?(change: ParameterChange): void
  signal?: AbortSignal
}

export interface Explained {
  explanations: Explanation[]
  info: ModelInfo
  engine: Ready
  worker: number
  /** Of explaining alone, without the wait, the loading of the model and the pauses. */
  seconds: number
}

interface Waiting {
  resolve(change: ParameterChange): void
  reject(error: Error): void
}

export interface Prepared extends CoreUse {
  info: ModelInfo
}

/** What a job on a worker needs of its pool. */
export interface ExplainHands {
  /** Has the worker load the model, if it must, and says how the run uses the cores. */
  prepare(): Promise<Prepared>
  /** Others that may compute parts of what the run asks, which has been sent under this id. */
  help(id: number, prepared: Prepared): Help
}

/** Has a worker do the job, once it holds the model. */
export async function explainOn(worker: WorkerHandle, source: ModelSource, job: ExplainJob, watcher: Watcher, hands: ExplainHands): Promise<Explained> {
  const key = modelKey(source)
  const prepared = await hands.prepare()
  const { info, threads, spread } = prepared
  const { signal } = watcher
  if (signal?.aborted) throw cancelled()
  /** Answered in the order in which they were asked. */
  const changes: Waiting[] = []
  const stop = stopping(worker, signal)
  let ended = false
  let help: Help | undefined
  const clock = createClock()

  function hear(news: News): void {
    switch (news.type) {
      case 'targets':
        return watcher.onStart?.(worker.number, news.targets, news.originals)
      case 'progress':
        return watcher.onProgress?.(news.progress)
      case 'paused':
        clock.stop()
        help?.stand(true)
        return watcher.onPaused?.(news.iteration)
      case 'resumed':
        clock.start()
        help?.stand(false)
        return watcher.onResumed?.()
      case 'changed':
        changes.shift()?.resolve(news.change)
        return watcher.onChanged?.(news.change)
      case 'refused':
        return changes.shift()?.reject(reviveError(news.error))
      case 'seek':
        return help?.seek()
      case 'share':
        return help?.share(news.share, news.work)
    }
  }

  function begin(id: number): void {
    if (spread) help = hands.help(id, prepared)
    stop.begin(id)
    watcher.onControl?.({
      pause: () => void (ended || worker.control({ type: 'pause', id })),
      resume: () => void (ended || worker.control({ type: 'resume', id })),
      change: (parameters) => new Promise((resolve, reject) => {
        if (ended) return reject(tooLate())
        changes.push({ resolve, reject })
        worker.control({ type: 'change', id, parameters })
      }),
    })
  }

  try {
    const { method, parameters, images, targets, seeds, changes: given = [], live = false, objects } = job
    const request = { type: 'explain' as const, model: key, method, parameters, images, targets, seeds, changes: given, live, threads, spread, ...(objects ? { objects } : {}) }
    const { explanations } = await worker.ask('explained', request, hear, begin)
    return { explanations, info, engine: await worker.ready, worker: worker.number, seconds: clock.seconds() }
  } finally {
    ended = true
    help?.end()
    stop.end()
    for (const { reject } of changes) reject(tooLate())
  }
}

export function cancelled(): MaskscopeError {
  return new MaskscopeError('cancelled', 'The run was cancelled.')
}

function tooLate(): MaskscopeError {
  return new MaskscopeError('usage', 'The run has ended; nothing in it can be changed any more.')
}

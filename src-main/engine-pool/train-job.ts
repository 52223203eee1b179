import type { TrainWork } from '#engine/protocol.ts'
import type { TrainedGenerator } from '#engine/reconstruction/train.ts'
import type { ExecutorWish } from '#shared/domain/executor.ts'
import type { ModelInfo, ModelSource } from '#shared/domain/model.ts'
import type { TrainingCheckpoint, TrainingNews } from '#shared/domain/reconstruction.ts'
import { createClock } from './clock.ts'
import { cancelled } from './explain-job.ts'
import { stopping } from './stopping.ts'
import { modelKey, type Ready, type WorkerHandle } from './worker-handle.ts'

export interface TrainJob extends TrainWork {
  /** The pool's own where undefined. */
  executor?: ExecutorWish
  /** How many others run or wait beside it. 0 where undefined. */
  company?: number
}

/** The hands on a training that a worker has taken. Once it has ended they do nothing. */
export interface TrainControl {
  /** After the step that is being computed; `onPaused` tells when. The training keeps its worker: its state lives there. */
  pause(): void
  resume(): void
}

export interface TrainWatcher {
  onControl?(control: TrainControl): void
  /** A worker has begun. */
  onStart?(worker: number): void
  /** After every step. */
  onNews?(news: TrainingNews): void
  /** After every epoch, with its news before. */
  onCheckpoint?(checkpoint: TrainingCheckpoint): void
  /** It stands after so many steps of all epochs. */
  onPaused?(step: number): void
  onResumed?(): void
  signal?: AbortSignal
}

export interface Trained extends TrainedGenerator {
  info: ModelInfo
  engine: Ready
  worker: number
  /** Of training alone, without the wait, the loading of the model and the pauses. */
  seconds: number
}

export interface TrainHands {
  /** Has the worker load the explained classifier, if it must. */
  load(source: ModelSource): Promise<ModelInfo>
  threads: number
}

/** Has a worker train a generator for a classifier. */
export async function trainOn(worker: WorkerHandle, source: ModelSource, job: TrainJob, watcher: TrainWatcher, hands: TrainHands): Promise<Trained> {
  const { settings, set, validation, checkpoint } = job
  const { signal } = watcher
  const info = await hands.load(source)
  if (signal?.aborted) throw cancelled()
  const stop = stopping(worker, signal)
  const clock = createClock()
  let ended = false
  try {
    const request = { type: 'train' as const, model: modelKey(source), work: { settings, set, validation, checkpoint }, threads: hands.threads }
    watcher.onStart?.(worker.number)
    const { trained } = await worker.ask('trained', request, (news) => {
      switch (news.type) {
        case 'training':
          watcher.onNews?.(news.step.news)
          if (news.step.checkpoint) watcher.onCheckpoint?.(news.step.checkpoint)
          return
        case 'paused':
          clock.stop()
          return watcher.onPaused?.(news.iteration)
        case 'resumed':
          clock.start()
          return watcher.onResumed?.()
      }
    }, (id) => {
      stop.begin(id)
      watcher.onControl?.({
        pause: () => void (ended || worker.control({ type: 'pause', id })),
        resume: () => void (ended || worker.control({ type: 'resume', id })),
      })
    })
    return { ...trained, info, engine: await worker.ready, worker: worker.number, seconds: clock.seconds() }
  } finally {
    ended = true
    stop.end()
  }
}

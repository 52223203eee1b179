import type { GenerateProgress, GenerateResult, GenerateWork } from '#engine/reconstruction/generate.ts'
import type { ExecutorWish } from '#shared/domain/executor.ts'
import type { ModelInfo, ModelSource } from '#shared/domain/model.ts'
import type { GeneratorFiles } from '#shared/domain/reconstruction.ts'
import { cancelled } from './explain-job.ts'
import { loadBoth } from './model-and-judge.ts'
import { stopping } from './stopping.ts'
import type { WorkerHandle } from './worker-handle.ts'

export interface GenerateOptions {
  generator: GeneratorFiles
  /** A second classifier that was in no loss; loaded into the same worker. */
  judge?: ModelSource
  /** The pool's own where undefined. */
  executor?: ExecutorWish
  /** How many others run or wait beside it. 0 where undefined. */
  company?: number
}

type Kind = GenerateWork['kind']
/** Looked up rather than extracted, so that one generic signature fits another. */
type Works = { [K in Kind]: Extract<GenerateWork, { kind: K }> }
type Results = { [K in Kind]: Extract<GenerateResult, { kind: K }> }

export type GenerateJob<K extends Kind = Kind> = Works[K] & GenerateOptions

export interface GenerateWatcher {
  onProgress?(progress: GenerateProgress): void
  signal?: AbortSignal
}

export interface Generated<K extends Kind = Kind> {
  result: Results[K]
  info: ModelInfo
  judge: ModelInfo | null
  worker: number
  /** Without the wait and the loading of models. */
  seconds: number
}

/** Has a worker ask a generator, once it holds the classifiers. @param hands `load` has it load one, if it must */
export async function generateOn<K extends Kind>(
  worker: WorkerHandle, source: ModelSource, job: GenerateJob<K>, watcher: GenerateWatcher, hands: { load(source: ModelSource): Promise<ModelInfo>; threads: number },
): Promise<Generated<K>> {
  const { generator, judge: judgeSource, executor: _executor, company: _company, ...work } = job as GenerateJob
  const { signal, onProgress } = watcher
  const { info, judge, key, judgeKey } = await loadBoth(worker, source, judgeSource, hands.load)
  if (signal?.aborted) throw cancelled()
  const stop = stopping(worker, signal)
  const begun = performance.now()
  try {
    const request = { type: 'generate' as const, model: key, judge: judgeKey, generator, work, threads: hands.threads }
    const { result } = await worker.ask('generated', request, (news) => {
      if (news.type === 'generating') onProgress?.(news.progress)
    }, stop.begin)
    return { result: result as Results[K], info, judge, worker: worker.number, seconds: (performance.now() - begun) / 1000 }
  } finally {
    stop.end()
  }
}

import type { MeasureWork } from '#engine/measure.ts'
import type { MetricOutcome } from '#engine/metrics/metric.ts'
import type { ExecutorWish } from '#shared/domain/executor.ts'
import type { ModelInfo, ModelSource } from '#shared/domain/model.ts'
import { cancelled } from './explain-job.ts'
import { loadBoth } from './model-and-judge.ts'
import { stopping } from './stopping.ts'
import type { WorkerHandle } from './worker-handle.ts'

export interface MeasureJob extends MeasureWork {
  /** A second classifier that the method never asked; loaded into the same worker. */
  judge?: ModelSource
  /** The pool's own where undefined. */
  executor?: ExecutorWish
  /** How many others run or wait beside it: alone it gets all cores, else its share. 0 where undefined. */
  company?: number
}

export interface Measured {
  /** In the order of the job's metrics. */
  outcomes: MetricOutcome[]
  info: ModelInfo
  judge: ModelInfo | null
  worker: number
  /** Of measuring alone, without the wait and the loading of models. */
  seconds: number
}

/** Has a worker measure a map, once it holds the models. @param hands `load` has it load one, if it must */
export async function measureOn(
  worker: WorkerHandle, source: ModelSource, job: MeasureJob, hands: { load(source: ModelSource): Promise<ModelInfo>; threads: number; signal: AbortSignal | undefined },
): Promise<Measured> {
  const { judge: judgeSource, executor: _executor, company: _company, ...work } = job
  const { signal, threads } = hands
  const { info, judge, key, judgeKey } = await loadBoth(worker, source, judgeSource, hands.load)
  if (signal?.aborted) throw cancelled()
  const stop = stopping(worker, signal)
  const begun = performance.now()
  try {
    const request = { type: 'measure' as const, model: key, judge: judgeKey, work, threads }
    const { outcomes } = await worker.ask('measured', request, undefined, stop.begin)
    return { outcomes, info, judge, worker: worker.number, seconds: (performance.now() - begun) / 1000 }
  } finally {
    stop.end()
  }
}

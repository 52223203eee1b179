import type { MeasureWork } from '#engine/measure.ts'
import type { MetricOutcome } from '#engine/metrics/metric.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ExecutorWish } from '#shared/domain/executor.ts'
import type { ModelInfo, ModelSource } from '#shared/domain/model.ts'
import { cancelled } from './explain-job.ts'
import { modelKey, type WorkerHandle } from './worker-handle.ts'

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

/** A worker that does not heed a cancellation for so long is ended. */
const cancelPatience = 30_000

/** Has a worker measure a map, once it holds the models. @param hands `load` has it load one, if it must */
export async function measureOn(
  worker: WorkerHandle, source: ModelSource, job: MeasureJob, hands: { load(source: ModelSource): Promise<ModelInfo>; threads: number; signal: AbortSignal | undefined },
): Promise<Measured> {
  const { judge: judgeSource, executor: _executor, company: _company, ...work } = job
  const { signal, threads } = hands
  const key = modelKey(source)
  const judgeKey = judgeSource ? modelKey(judgeSource) : null
  if (judgeKey === key) {
    throw new MaskscopeError('usage', `The judge is ${source.name} itself, which was explained; choose another classifier.`, { subject: 'judge' })
  }
  let judge = judgeSource ? await hands.load(judgeSource) : null
  const info = await hands.load(source)
  // The second may have taken the place of the first; now it is the one used last and stays.
  if (judgeSource && !worker.holds(judgeKey!)) judge = await hands.load(judgeSource)
  if (signal?.aborted) throw cancelled()
  let patience: NodeJS.Timeout | undefined
  let stop: (() => void) | undefined
  const begun = performance.now()
  try {
    const request = { type: 'measure' as const, model: key, judge: judgeKey, work, threads }
    const { outcomes } = await worker.ask('measured', request, undefined, (id) => {
      stop = () => {
        worker.control({ type: 'cancel', id })
        patience = setTimeout(() => worker.kill(), cancelPatience)
      }
      signal?.addEventListener('abort', stop, { once: true })
    })
    return { outcomes, info, judge, worker: worker.number, seconds: (performance.now() - begun) / 1000 }
  } finally {
    clearTimeout(patience)
    if (stop) signal?.removeEventListener('abort', stop)
  }
}

import { availableParallelism } from 'node:os'
import { methods } from '#engine/methods/registry.ts'
import type { ModelInfo, ModelSource } from '#shared/domain/model.ts'
import type { Timings, WaysMeasured } from './timings.ts'
import { measureWays } from './ways.ts'
import { modelKey, type WorkerHandle } from './worker-handle.ts'

/** How a run uses the cores. */
export interface CoreUse {
  /** That one call may use, where the executor has threads. */
  threads: number
  /** Others may compute parts of what it asks. */
  spread: boolean
}

export interface CoresHooks {
  timings: Timings
  /** Workers that compute at the same time. */
  workers(): number
  /** Whether no other run computes at present. */
  alone(): boolean
  /** All other workers, started where they are not yet; null where there are fewer than there should be. */
  others(worker: WorkerHandle): WorkerHandle[] | null
  /** Whether all of these compute nothing. */
  idle(workers: readonly WorkerHandle[]): boolean
  load(worker: WorkerHandle, source: ModelSource, executor: ModelInfo['executor']['id']): Promise<unknown>
}

/**
 * Several runs at once share the cores, since so many processes of one thread do more than one of many, unless it was measured that they
 * do not. Alone, a run gets all; one whose questions others can answer uses the cores in the way that was measured to answer more:
 * all of them itself, or its share, with helpers for the rest.
 */
export function createCores(hooks: CoresHooks): {
  /** Of a run on a worker that holds the model. @param company how many other runs compute or wait */
  use(worker: WorkerHandle, source: ModelSource, info: ModelInfo, run: { method: string; company: number }): Promise<CoreUse>
  /** Whether a model's runs had better go one after the other. */
  wide(model: string): boolean
} {
  const wide = new Set<string>()
  const cores = availableParallelism()

  /** Once per machine and model. */
  async function waysOf(worker: WorkerHandle, source: ModelSource, info: ModelInfo, measurable: boolean): Promise<WaysMeasured | null> {
    const { backend, versions } = await worker.ready
    const subject = { source, backend: backend.id, versions }
    const known = await hooks.timings.findWays(subject)
    if (known || !measurable) return known
    const found = await measure(worker, source, info).catch(() => null)
    if (found) hooks.timings.keepWays(subject, found)
    return found
  }

  /** Null where others compute, or cannot. */
  async function measure(worker: WorkerHandle, source: ModelSource, info: ModelInfo): Promise<WaysMeasured | null> {
    const others = hooks.others(worker)
    if (!others) return null
    await Promise.all(others.map(({ ready }) => ready))
    if (!hooks.idle(others)) return null
    await Promise.all(others.map((other) => hooks.load(other, source, info.executor.id)))
    return measureWays([worker, ...others], modelKey(source), info, cores, () => hooks.idle(others))
  }

  return {
    async use(worker, source, info, { method, company }) {
      const several = hooks.workers() > 1
      const threaded = info.executor.id === 'onnxruntime'
      const share = Math.max(1, Math.floor(cores / hooks.workers()))
      const spreads = methods.some(({ id, spreads: can }) => id === method && can)
      const ways = several && threaded ? await waysOf(worker, source, info, spreads && company === 0) : null
      const key = modelKey(source)
      if (ways && ways.oneWorker < ways.manyWorkers) wide.add(key)
      else wide.delete(key)
      const all = wide.has(key) ? hooks.alone() : company === 0 && !(several && spreads)
      return { threads: all ? cores : share, spread: spreads && several && !(all && threaded) }
    },
    wide: (model) => wide.has(model),
  }
}

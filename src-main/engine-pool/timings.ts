import type { EngineVersions } from '#engine/protocol.ts'
import type { BackendId } from '#shared/domain/backend.ts'
import type { ExecutorTimings } from '#shared/domain/executor.ts'
import type { ModelSource } from '#shared/domain/model.ts'

/** What was measured, on what. */
export interface TimingSubject {
  source: Pick<ModelSource, 'sha256' | 'preprocessing' | 'head'>
  backend: BackendId
  versions: EngineVersions
}

/** Milliseconds per image of a model that only answers, with all cores at work: in one worker, or in as many as there are cores. */
export interface WaysMeasured {
  oneWorker: number
  manyWorkers: number
}

/** How fast the executors ran a model, from one session to the next. No function throws. */
export interface Timings {
  find(subject: TimingSubject): Promise<ExecutorTimings | null>
  keep(subject: TimingSubject, timings: ExecutorTimings): void
  /** Of the model run by ONNX Runtime, which alone has threads. */
  findWays(subject: TimingSubject): Promise<WaysMeasured | null>
  keepWays(subject: TimingSubject, ways: WaysMeasured): void
  /** Everything is kept, or cannot be. */
  settled(): Promise<void>
}

/** Of this session alone. */
export function createTimings(keyOf: (subject: TimingSubject) => string = JSON.stringify): Timings {
  const known = new Map<string, ExecutorTimings>()
  const ways = new Map<string, WaysMeasured>()
  return {
    find: async (subject) => known.get(keyOf(plain(subject))) ?? null,
    keep: (subject, timings) => void known.set(keyOf(plain(subject)), timings),
    findWays: async (subject) => ways.get(keyOf(plain(subject))) ?? null,
    keepWays: (subject, measured) => void ways.set(keyOf(plain(subject)), measured),
    settled: () => Promise.resolve(),
  }
}

/** Nothing but what counts: a source has weights. */
export function plain({ source: { sha256, preprocessing, head }, backend, versions }: TimingSubject): TimingSubject {
  return { source: { sha256, preprocessing, head }, backend, versions }
}

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

/** How fast the executors ran a model, from one session to the next. No function throws. */
export interface Timings {
  find(subject: TimingSubject): Promise<ExecutorTimings | null>
  keep(subject: TimingSubject, timings: ExecutorTimings): void
  /** Everything is kept, or cannot be. */
  settled(): Promise<void>
}

/** Of this session alone. */
export function createTimings(keyOf: (subject: TimingSubject) => string = JSON.stringify): Timings {
  const known = new Map<string, ExecutorTimings>()
  return {
    find: async (subject) => known.get(keyOf(plain(subject))) ?? null,
    keep: (subject, timings) => void known.set(keyOf(plain(subject)), timings),
    settled: () => Promise.resolve(),
  }
}

/** Nothing but what counts: a source has weights. */
export function plain({ source: { sha256, preprocessing, head }, backend, versions }: TimingSubject): TimingSubject {
  return { source: { sha256, preprocessing, head }, backend, versions }
}

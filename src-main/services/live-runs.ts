import { MaskscopeError } from '#shared/domain/errors.ts'
import { resolveParameters, type ParameterValues } from '#shared/domain/parameters.ts'
import type { Evaluations, ParameterChange, RunEvent } from '#shared/domain/run.ts'
import type { MapData } from '#shared/domain/image.ts'
import { findMethod } from '#engine/methods/registry.ts'
import type { RunOrderManifest, RunRecord } from '#storage/manifests.ts'
import { watchCourse, type Course } from './run-result.ts'
import type { RunOrder, Runs } from './runs.ts'
import { readRecord } from './studies.ts'
import type { StudyWriter } from './study-writer.ts'

/** A run that has not ended. */
export interface LiveRun {
  id: string
  state: 'queued' | 'running' | 'paused'
  order: RunOrder
  parameters: ParameterValues
  created: string
  manifest: RunOrderManifest | null
  target: { index: number; label: string | null } | null
  changes: ParameterChange[]
  course: Course
  iteration: number
  iterations: number | null
  seconds: number | null
  frame: { iteration: number; map: MapData } | null
  evaluations: Evaluations | null
}

export interface LiveRuns extends Runs {
  live(): readonly LiveRun[]
  find(id: string): LiveRun | undefined
  cancel(id: string): void
  pause(id: string): void
  resume(id: string): void
  change(id: string, parameters: ParameterValues): Promise<ParameterChange>
}

export interface LiveStudy extends StudyWriter {
  records(): Promise<RunRecord[]>
  deleteRuns(ids: readonly string[]): Promise<void>
  restoreRuns(ids: readonly string[]): Promise<void>
}

/** Keeps what is known of the runs that have not ended. */
export function followRuns(runs: Runs, study: StudyWriter): { runs: LiveRuns; study: LiveStudy } {
  const live = new Map<string, LiveRun & { begun: number; cancel(): void }>()
  const listeners = new Set<(event: RunEvent) => void>()
  const early: RunEvent[] = []
  const unavailable = (): never => {
    throw new MaskscopeError('unavailable', 'Runs cannot be steered or deleted in this version.')
  }

  function hear(event: RunEvent): void {
    const run = live.get(event.run)
    if (run && event.type === 'started') {
      Object.assign(run, { state: 'running', begun: performance.now(), target: { index: event.target, label: run.order.model.source.labels?.[event.target] ?? null } })
    }
    if (run && event.type === 'progress') {
      const { iteration, iterations, frame } = event.progress
      run.course.add(event.progress)
      Object.assign(run, { iteration, iterations, seconds: (performance.now() - run.begun) / 1000 })
      if (frame) run.frame = { iteration, map: frame }
    }
    if (['finished', 'failed', 'cancelled'].includes(event.type)) live.delete(event.run)
    for (const listener of listeners) listener(event)
  }
  runs.subscribe((event) => (event.type === 'queued' ? void early.push(event) : hear(event)))

  return {
    runs: {
      ...runs,
      submit(order) {
        const ticket = runs.submit(order)
        live.set(ticket.id, {
          id: ticket.id, state: 'queued', order, parameters: resolveParameters(findMethod(order.method), order.parameters), created: new Date().toISOString(),
          manifest: null, target: null, changes: [], course: watchCourse(), iteration: 0, iterations: null, seconds: null, frame: null, evaluations: null,
          begun: 0, cancel: () => ticket.cancel(),
        })
        for (const event of early.splice(0)) hear(event)
        return ticket
      },
      subscribe(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
      live: () => [...live.values()],
      find: (id) => live.get(id),
      cancel: (id) => live.get(id)?.cancel(),
      pause: unavailable, resume: unavailable, change: unavailable,
    },
    study: {
      ...study,
      records: async () => Promise.all((await study.runs()).map(async ({ id, state }) => ({ ...(await readRecord(study.folder, id)), state }))),
      deleteRuns: unavailable, restoreRuns: unavailable,
    },
  }
}

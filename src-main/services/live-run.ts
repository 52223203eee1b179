import type { MapData } from '#shared/domain/image.ts'
import type { ParameterValues } from '#shared/domain/parameters.ts'
import type { Evaluations, MapStack, ParameterChange, RunEvent } from '#shared/domain/run.ts'
import type { RunOrderManifest } from '#storage/manifests.ts'
import { watchCourse, type Course } from './run-result.ts'
import type { RunOrder } from './runs.ts'

/** A run that has not ended, as it stands; it goes on changing. */
export interface LiveRun {
  readonly id: string
  /** A run that was paused before its turn is `paused`, too: others overtake it. */
  state: 'queued' | 'running' | 'paused'
  readonly order: RunOrder
  /** Complete, as resolved; what has changed on the way is in `changes`. */
  readonly parameters: ParameterValues
  /** ISO 8601, UTC. */
  readonly created: string
  /** null until the image is decoded and the model loaded. */
  manifest: RunOrderManifest | null
  /** null while `auto` is not known yet. */
  target: { index: number; label: string | null } | null
  /** The target's probability in the clean image; null while it is not known, or where there is none. */
  original: number | null
  /** Those of the order and those made on the way. */
  changes: ParameterChange[]
  /** All losses and the stored frames so far. */
  readonly course: Course
  iteration: number
  iterations: number | null
  /** Of computing, pauses left out; null before it started. */
  seconds: number | null
  /** The latest. */
  frame: { iteration: number; map: MapData } | null
  /** The masks of its population, where the method has one. */
  strip: { iteration: number; stack: MapStack } | null
  evaluations: Evaluations | null
}

/** The run with the hand that keeps it up to date. */
export interface TrackedRun {
  run: LiveRun
  /** Labels of the model's classes, as soon as they are known. */
  labels: readonly string[] | null
  /** To be called with each event of the run, before anybody else hears it. */
  hear(event: RunEvent): void
}

export function trackRun(facts: Pick<LiveRun, 'id' | 'order' | 'parameters' | 'changes'>): TrackedRun {
  const { order, parameters } = facts
  const planned = parameters['iterations']
  let counted = 0
  let since: number | undefined
  const seconds = (): number => (counted + (since === undefined ? 0 : performance.now() - since)) / 1000

  const run: LiveRun = {
    ...facts, state: 'queued', created: new Date().toISOString(), manifest: null, target: null, original: null, course: watchCourse(),
    iteration: 0, iterations: typeof planned === 'number' ? planned : null, seconds: null, frame: null, strip: null, evaluations: null,
  }
  // Asked at any moment, also between two steps of a large network.
  Object.defineProperty(run, 'seconds', { enumerable: true, get: () => (since === undefined && counted === 0 ? null : seconds()) })
  const tracked: TrackedRun = {
    run,
    labels: order.model.source.labels,
    hear(event) {
      switch (event.type) {
        case 'started': {
          const { target } = event
          run.original = event.original
          since = performance.now()
          if (run.state === 'queued') run.state = 'running'
          run.target = { index: target, label: (order.label?.index === target ? order.label.label : tracked.labels?.[target]) ?? null }
          return
        }
        case 'progress': {
          const { iteration, iterations, frame, strip, evaluations } = event.progress
          run.course.add(event.progress)
          Object.assign(run, { iteration, iterations })
          if (frame) run.frame = { iteration, map: frame }
          if (strip) run.strip = { iteration, stack: strip }
          if (evaluations) run.evaluations = evaluations
          return
        }
        case 'paused':
          counted += since === undefined ? 0 : performance.now() - since
          since = undefined
          run.state = 'paused'
          return
        case 'resumed':
          run.state = run.target === null ? 'queued' : 'running'
          if (run.target !== null) since ??= performance.now()
          return
        default:
          return
      }
    },
  }
  return tracked
}

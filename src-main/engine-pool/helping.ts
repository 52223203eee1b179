import { Album, type SentShare } from '#engine/methods/queries/wire.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { WorkerHandle } from './worker-handle.ts'

/**
 * Idle workers that compute parts of what a run asks. None is reserved: whatever arrives for a helper goes first, and waits for the
 * shares that it has at most.
 */
export interface Helping {
  /** A run begins whose questions others may answer. */
  open(run: HelpedRun): Help
  /** To be called whenever a worker becomes idle, gets work or dies. */
  review(): void
}

export interface HelpedRun {
  /** The one that runs it. */
  worker: WorkerHandle
  /** The id of its request there. */
  id: number
  /** As its workers know the model. */
  model: string
  /** Has a helper load it, if it must. */
  load(helper: WorkerHandle): Promise<unknown>
  threads: number
}

/** What a run that may be helped tells. */
export interface Help {
  seek(): void
  share(share: number, work: SentShare): void
  /** Nobody helps a run that stands. */
  stand(paused: boolean): void
  end(): void
}

export interface HelpingHooks {
  /** Those that may help at present. */
  idle(): Iterable<WorkerHandle>
  /** More would be welcome, as many as there may be. */
  start(): void
  /** It says of itself that it is broken. */
  broken(worker: WorkerHandle): void
  /** A run does without a helper from now on, which costs it nothing but time. */
  givenUp(error: unknown): void
}

interface Run extends HelpedRun {
  key: string
  seeking: boolean
  paused: boolean
  helpers: Map<WorkerHandle, { ready: boolean; open: number; /** The number of the last picture that was sent there. */ latest: number }>
  /** Could not load the model or failed at a share: not asked again by this run. */
  unfit: Set<WorkerHandle>
  album: Album
  told: number
}

export function createHelping(hooks: HelpingHooks): Helping {
  const runs = new Set<Run>()
  let counter = 0

  function review(): void {
    const free = new Set(hooks.idle())
    for (const run of runs) {
      for (const helper of run.helpers.keys()) if (!free.has(helper) || run.paused) run.helpers.delete(helper)
      for (const helper of run.helpers.keys()) free.delete(helper)
    }
    for (const helper of free) {
      const seekers = [...runs].filter((run) => run.seeking && !run.paused && !run.unfit.has(helper))
      const poorest = seekers.reduce<Run | undefined>((a, b) => (a && a.helpers.size <= b.helpers.size ? a : b), undefined)
      if (poorest) recruit(poorest, helper)
    }
    if ([...runs].some((run) => run.seeking && !run.paused)) hooks.start()
    for (const run of runs) tell(run)
  }

  function recruit(run: Run, worker: WorkerHandle): void {
    const place = { ready: false, open: 0, latest: 0 }
    run.helpers.set(worker, place)
    run.load(worker).then(() => {
      place.ready = true
      tell(run)
    }, (error: unknown) => dismiss(run, worker, error))
  }

  function dismiss(run: Run, worker: WorkerHandle, error: unknown): void {
    run.unfit.add(worker)
    run.helpers.delete(worker)
    if (runs.has(run)) hooks.givenUp(error)
    if (error instanceof MaskscopeError && error.code === 'worker') hooks.broken(worker)
    review()
  }

  function tell(run: Run): void {
    const count = [...run.helpers.values()].filter(({ ready }) => ready).length
    if (count === run.told || !runs.has(run)) return
    run.told = count
    run.worker.control({ type: 'helpers', id: run.id, count })
  }

  function share(run: Run, number: number, work: SentShare): void {
    run.album.add(work.pictures)
    const answer = (logits: Float32Array | null): void => {
      if (runs.has(run)) run.worker.control({ type: 'shared', id: run.id, share: number, logits })
    }
    const ready = [...run.helpers].filter(([, place]) => place.ready)
    const least = ready.reduce<(typeof ready)[number] | undefined>((a, b) => (a && a[1].open <= b[1].open ? a : b), undefined)
    if (!least) return answer(null)
    const [helper, place] = least
    const pictures = run.album.after(place.latest)
    place.latest = pictures.at(-1)?.number ?? place.latest
    place.open++
    helper.ask('logits', { type: 'assist', model: run.model, run: run.key, work: { ...work, pictures }, threads: run.threads }).then(
      ({ logits }) => {
        place.open--
        answer(logits)
      },
      (error: unknown) => {
        answer(null)
        dismiss(run, helper, error)
      },
    )
  }

  return {
    open(facts) {
      const run: Run = {
        ...facts, key: `run ${++counter}`, seeking: false, paused: false, helpers: new Map(), unfit: new Set([facts.worker]), album: new Album(), told: 0,
      }
      runs.add(run)
      return {
        seek() {
          run.seeking = true
          review()
        },
        share: (number, work) => share(run, number, work),
        stand(paused) {
          run.paused = paused
          review()
        },
        end() {
          runs.delete(run)
          review()
        },
      }
    },
    review,
  }
}

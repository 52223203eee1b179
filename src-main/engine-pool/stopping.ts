import type { WorkerHandle } from './worker-handle.ts'

/** A worker that does not heed a cancellation for so long is ended. One step of the largest networks takes seconds. */
const cancelPatience = 30_000

/** Cancels a worker's request when a signal says so. */
export interface Stopping {
  /** The request has been sent under this id. */
  begin(id: number): void
  /** It is over, whatever came of it. */
  end(): void
}

export function stopping(worker: WorkerHandle, signal: AbortSignal | undefined): Stopping {
  let patience: NodeJS.Timeout | undefined
  let stop: (() => void) | undefined
  return {
    begin(id) {
      stop = () => {
        worker.control({ type: 'cancel', id })
        patience = setTimeout(() => worker.kill(), cancelPatience)
      }
      signal?.addEventListener('abort', stop, { once: true })
    },
    end() {
      clearTimeout(patience)
      if (stop) signal?.removeEventListener('abort', stop)
    },
  }
}

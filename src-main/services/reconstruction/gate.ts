import { MaskscopeError } from '#shared/domain/errors.ts'

/** Work that can stand still: what cannot wait by itself is broken off, and done again, from what it has stored, when it goes on. */
export interface Gate {
  pause(): void
  resume(): void
  readonly paused: boolean
  /** @param work gets a signal that also says that it is to be broken off for a pause. @throws MaskscopeError 'cancelled', and whatever the work throws */
  through<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>
  /** Work that knows how to wait; it is told of pauses instead. */
  steer(hands: { pause(): void; resume(): void } | undefined): void
}

export function createGate(signal: AbortSignal, tell: (paused: boolean) => void): Gate {
  let paused = false
  let current: AbortController | undefined
  let steered: { pause(): void; resume(): void } | undefined
  let goOn: (() => void) | undefined

  function standing(): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        signal.removeEventListener('abort', end)
        goOn = undefined
        resolve()
      }
      goOn = end
      signal.addEventListener('abort', end)
    })
  }

  return {
    get paused() {
      return paused
    },
    pause() {
      if (paused || signal.aborted) return
      paused = true
      if (steered) return steered.pause()
      current?.abort()
      tell(true)
    },
    resume() {
      if (!paused) return
      paused = false
      if (steered) return steered.resume()
      tell(false)
      goOn?.()
    },
    steer(hands) {
      steered = hands
      if (paused) hands?.pause()
    },
    async through(work) {
      for (;;) {
        while (paused && !signal.aborted) await standing()
        if (signal.aborted) throw new MaskscopeError('cancelled', 'The reconstruction was cancelled; what was done is kept.')
        const own = new AbortController()
        current = own
        try {
          return await work(AbortSignal.any([signal, own.signal]))
        } catch (error) {
          if (signal.aborted) throw new MaskscopeError('cancelled', 'The reconstruction was cancelled; what was done is kept.', { cause: error })
          if (!own.signal.aborted) throw error
        } finally {
          current = undefined
        }
      }
    },
  }
}

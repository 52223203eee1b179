import { setMaxListeners } from 'node:events'
import { MaskscopeError } from '#shared/domain/errors.ts'

/** An interrupt (Ctrl-C, or SIGTERM) ends the work in order; a second one ends the program at once. */
export interface Interruption {
  signal: AbortSignal
  /** `work`, or its abandonment. @throws MaskscopeError 'cancelled' as soon as the interrupt comes. */
  race<T>(work: Promise<T>): Promise<T>
  /** Stops listening. */
  end(): void
}

export function watchForInterrupt(): Interruption {
  const controller = new AbortController()
  // Everything that runs at a time listens to it.
  setMaxListeners(0, controller.signal)
  const interrupt = (): void => {
    // The workers end with this process.
    if (controller.signal.aborted) process.exit(130)
    controller.abort()
  }
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const signal of signals) process.on(signal, interrupt)
  return {
    signal: controller.signal,
    race(work) {
      const interrupted = new Promise<never>((_, reject) => {
        const fail = (): void => reject(new MaskscopeError('cancelled', 'Interrupted.'))
        if (controller.signal.aborted) fail()
        else controller.signal.addEventListener('abort', fail, { once: true })
      })
      return Promise.race([work, interrupted])
    },
    end: () => signals.forEach((signal) => process.removeListener(signal, interrupt)),
  }
}

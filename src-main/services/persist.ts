import { MaskscopeError } from '#shared/domain/errors.ts'

/** An engine process may die under a piece of work; a second one may live. */
const attempts = 2

/** Does a piece of work once more where an engine process died under it. @throws what the work throws otherwise, or again */
export async function persist<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      const died = error instanceof MaskscopeError && error.code === 'worker'
      if (!died || attempt >= attempts || signal.aborted) throw error
    }
  }
}

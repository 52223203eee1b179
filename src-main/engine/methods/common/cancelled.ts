import { MaskscopeError } from '#shared/domain/errors.ts'

/** @throws MaskscopeError 'cancelled' once the run is. */
export function checkCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw cancelled()
}

export function cancelled(): MaskscopeError {
  return new MaskscopeError('cancelled', 'The run was cancelled.')
}

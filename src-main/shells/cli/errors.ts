import { MaskscopeError, type ErrorCode } from '#shared/domain/errors.ts'

const exitCodes: Record<ErrorCode, number> = {
  usage: 2, input: 2, unavailable: 2, run: 1, worker: 1, storage: 1, cancelled: 130,
}

/** 1 a run failed, 2 bad usage or input, 130 interrupted. */
export function exitCodeOf(error: unknown): number {
  return error instanceof MaskscopeError ? exitCodes[error.code] : 1
}

/** One line for a person on standard error; a stack only for what is our own fault. */
export function reportError(error: unknown): void {
  if (error instanceof MaskscopeError) process.stderr.write(`maskscope: ${error.message}\n`)
  else process.stderr.write(`maskscope: internal error\n${error instanceof Error ? error.stack : String(error)}\n`)
}

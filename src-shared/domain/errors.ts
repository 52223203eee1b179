/**
 * Errors meant for a person. `message` is one or two sentences: what happened, to which file or field, and what to
 * do next. Codes decide the exit code of the CLI and the place where the window shows the error.
 */
export type ErrorCode =
  | 'usage' // wrong option, parameter or target: exit 2
  | 'input' // a file or model that cannot be used: exit 2
  | 'run' // the run itself failed: exit 1
  | 'worker' // an engine worker died under the run: exit 1
  | 'storage' // a study that cannot be read or written: exit 1
  | 'unavailable' // a backend or method that this machine or model does not offer: exit 2
  | 'cancelled'

export class MaskscopeError extends Error {
  override readonly name = 'MaskscopeError'
  readonly code: ErrorCode
  /** The file, option or field the error belongs to, so that a window can show it there. */
  readonly subject: string | undefined

  constructor(code: ErrorCode, message: string, options: { subject?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.subject = options.subject
  }
}

/** What crosses a process border or is written to a study. */
export interface SerialisedError {
  code: ErrorCode
  message: string
  subject?: string
}

export function serialiseError(error: unknown, fallback: ErrorCode = 'run'): SerialisedError {
  if (error instanceof MaskscopeError) {
    return error.subject === undefined
      ? { code: error.code, message: error.message }
      : { code: error.code, message: error.message, subject: error.subject }
  }
  return { code: fallback, message: error instanceof Error ? error.message : String(error) }
}

export function reviveError(error: SerialisedError): MaskscopeError {
  return new MaskscopeError(error.code, error.message, error.subject === undefined ? {} : { subject: error.subject })
}

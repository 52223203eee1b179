import pino from 'pino'

/** Warnings and errors of the program itself, as lines of JSON on standard error. Requests are not logged. */
export function createLog(): { warn(message: string, error?: unknown): void; error(message: string, error?: unknown): void } {
  const logger = pino({ base: null, level: 'warn', timestamp: pino.stdTimeFunctions.isoTime, serializers: { error: pino.stdSerializers.err } }, pino.destination({ dest: 2, sync: true }))
  return {
    warn: (message, error) => logger.warn(error === undefined ? {} : { error }, message),
    error: (message, error) => logger.error(error === undefined ? {} : { error }, message),
  }
}

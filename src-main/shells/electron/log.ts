import { mkdirSync, renameSync, statSync } from 'node:fs'
import path from 'node:path'
import pino from 'pino'

/** The program's own log. What a run did is in its study, not here. */
export interface Log {
  info(message: string, facts?: Record<string, unknown>): void
  warn(message: string, facts?: Record<string, unknown>): void
  error(message: string, facts?: Record<string, unknown>): void
}

const mostBytes = 4 << 20

/**
 * Writes lines of JSON to maskscope.log, at once, so that the last words before a crash are there. A long log is put
 * aside when the program starts. Where the folder cannot be written the log goes to standard error.
 */
export function createLog(folder: string): Log {
  const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { error: pino.stdSerializers.err } }, destination(folder))
  return {
    info: (message, facts = {}) => logger.info(facts, message),
    warn: (message, facts = {}) => logger.warn(facts, message),
    error: (message, facts = {}) => logger.error(facts, message),
  }
}

function destination(folder: string): pino.DestinationStream {
  try {
    const file = path.join(folder, 'maskscope.log')
    mkdirSync(folder, { recursive: true })
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > mostBytes) renameSync(file, path.join(folder, 'maskscope.old.log'))
    return pino.destination({ dest: file, sync: true })
  } catch {
    return pino.destination({ dest: 2, sync: true })
  }
}

import type { ShellEvent } from '#shared/contract/system.ts'
import type { Log } from './log.ts'

/** What escapes every other place: into the log, and said once per message, so that a loop does not bury the window. */
export function watchErrors(log: Log, tell: (event: ShellEvent) => void, emitter: NodeJS.EventEmitter = process): void {
  const told = new Set<string>()
  function report(kind: string, error: unknown): void {
    log.error(kind, { error: error instanceof Error ? error : new Error(String(error)) })
    const message = error instanceof Error ? error.message : String(error)
    if (told.has(message) || told.size >= 20) return
    told.add(message)
    tell({ type: 'notice', level: 'error', message: `Something went wrong in Maskscope itself: ${message.slice(0, 2000)}. Your study is safe. If the window behaves oddly, start Maskscope again.` })
  }
  emitter.on('uncaughtException', (error) => report('uncaught exception', error))
  emitter.on('unhandledRejection', (error) => report('unhandled rejection', error))
}

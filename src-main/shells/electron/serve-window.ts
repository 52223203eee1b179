import type { MessagePortMain } from 'electron'
import { contract, type WorkbenchContract } from '#shared/contract/contract.ts'
import type { Handlers } from '#shared/link/link.ts'
import { portWire } from '#shared/link/port-wire.ts'
import { serve } from '#shared/link/serve.ts'
import type { Log } from './log.ts'

/** Answers the window over a port. @returns what ends that: calls and streams are aborted, the port is closed */
export type ServePort = (port: MessagePortMain, onClosed: () => void) => () => void

export function serveWindow(handlers: Handlers<WorkbenchContract>, log: Log): ServePort {
  return (port, onClosed) => {
    const wire = portWire(port)
    wire.onClose(onClosed)
    return serve(contract, handlers, wire, { log: (message, error) => log.warn(message, { error }) })
  }
}

import path from 'node:path'
import envPaths from 'env-paths'
import { contract } from '#shared/contract/contract.ts'
import { serve } from '#shared/link/serve.ts'
import type { Wire } from '#shared/link/wire.ts'
import { createDesk, type Desk } from '#main/desk.ts'
import type { ShellHost } from '#main/shell-host.ts'
import type { WebStart } from './arguments.ts'

/** The desk behind the page, which lasts as long as the server: a page that is loaded again finds everything going on. */
export async function deskOf(start: WebStart, host: ShellHost, log: { warn(message: string, error?: unknown): void }): Promise<{ desk: Desk; serveWire(wire: Wire): void }> {
  const desk = await createDesk({
    host, studiesFolder: start.studies,
    settingsFile: path.join(envPaths('maskscope', { suffix: '' }).config, 'settings.json'),
    workbench: start.backend === undefined ? {} : { backend: start.backend },
    log: (message) => log.warn(message),
  })
  return { desk, serveWire: (wire) => void serve(contract, desk.handlers, wire, { log: log.warn }) }
}

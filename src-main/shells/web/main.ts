import { tmpdir } from 'node:os'
import path from 'node:path'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { programFolder } from '#services/program.ts'
import { readArguments } from './arguments.ts'
import { openBrowser } from './browser.ts'
import { checkStart, listenError } from './checks.ts'
import { createWebHost } from './host.ts'
import { endInOrder } from './leaving.ts'
import { createLog } from './log.ts'
import { startWebServer } from './server.ts'
import { createUploads } from './uploads.ts'

/** The web shell: the window in a browser, on this machine or through a tunnel to it. */
async function main(): Promise<void> {
  const start = readArguments(process.argv.slice(2), process.cwd())
  const page = path.join(programFolder(), 'out', 'renderer')
  checkStart(start, page)
  const log = createLog()
  const uploads = createUploads(tmpdir())
  const { host, events } = createWebHost(start.roots, uploads.told, uploads.place)
  watchErrors((message, error) => {
    log.error(message, error)
    events.emit({ type: 'notice', level: 'error', message: `Something went wrong in Maskscope itself: ${messageOf(error).slice(0, 2000)}. Your study is safe. If the window behaves oddly, start Maskscope again.` })
  })
  // Loading it takes longer than the browser needs to come; what the page asks in between waits on its wire.
  const making = import('./desk-of.ts').then(({ deskOf }) => deskOf(start, host, log))
  // Reported once, below.
  making.catch(() => undefined)
  const server = await startWebServer({
    page, port: start.port, uploads,
    onWire: (wire) => void making.then(({ serveWire }) => serveWire(wire), () => wire.close()),
    give: async (file) => (await making).desk.handles.give(file),
    log: log.warn,
  }).catch((error: unknown) => {
    throw listenError(error, start.port)
  })
  let busy = (): number => 0
  endInOrder({
    busy: () => busy(),
    async end() {
      await server.close()
      await Promise.allSettled([making.then((made) => made.desk.dispose()), uploads.dispose()])
    },
  })
  process.stdout.write(`Maskscope is at ${server.url}\n`)
  if (start.open) openBrowser(server.url)
  busy = (await making).desk.busy
}

function watchErrors(report: (message: string, error: unknown) => void): void {
  process.on('uncaughtException', (error) => report('Uncaught exception', error))
  process.on('unhandledRejection', (error) => report('Unhandled rejection', error))
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

try {
  await main()
} catch (error) {
  process.stderr.write(`${error instanceof MaskscopeError ? error.message : `Maskscope could not start: ${messageOf(error)}`}\n`)
  process.exit(error instanceof MaskscopeError && error.code === 'usage' ? 2 : 1)
}

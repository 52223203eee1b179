import { watch as watchValue, type App } from 'vue'
import type { WorkbenchContract } from '#shared/contract/contract.ts'
import type { ShellEvent } from '#shared/contract/system.ts'
import { createClient } from '#shared/link/client.ts'
import { followSelectedRun } from './components/inputs/run-actions.ts'
import type { Host } from './host/host.ts'
import { call, connect, connection, watch } from './rpc.ts'
import { takesText, useCommands } from './stores/commands.ts'
import { useFiles } from './stores/files.ts'
import { useMetrics } from './stores/metrics.ts'
import { useModels } from './stores/models.ts'
import { useNotices } from './stores/notices.ts'
import { useOrder } from './stores/order.ts'
import { useRuns } from './stores/runs.ts'
import { useSession } from './stores/session.ts'

/** Connects the window and fills its stores; again after every loss. */
export async function boot(): Promise<void> {
  useRuns().begin()
  followSelectedRun()
  watch('shell.watch', {}, hearShell)
  watchValue(connection, (state) => {
    if (state === 'open') void begin()
  })
  await connect(await pickHost(), async (host) => createClient<WorkbenchContract>(await host.connect()))
}

async function pickHost(): Promise<Host> {
  if (window.maskscope) return (await import('./host/electron.ts')).electronHost()!
  return (await import('./host/web.ts')).webHost()
}

async function begin(): Promise<void> {
  const session = useSession()
  try {
    await Promise.all([session.begin(), useModels().begin(), useOrder().begin(), useMetrics().begin()])
  } catch (error) {
    useNotices().fail(error)
  }
  // Starting the first worker takes seconds; nothing waits for it.
  void session.findBackend()
}

/** What the shell tells without having been asked. */
export function hearShell(event: ShellEvent): void {
  switch (event.type) {
    case 'command':
      return hearCommand(event.id)
    case 'open':
      return void useFiles().open([event.file])
    case 'notice':
      if (event.level === 'error') useNotices().fail(new Error(event.message))
      else useNotices().say(event.message)
  }
}

/** The menu of the desktop program takes the keys of undo and redo before the page sees them: in a text field they are the text's own. */
function hearCommand(id: string): void {
  if ((id === 'undo' || id === 'redo') && takesText(document.activeElement)) document.execCommand(id)
  else useCommands().run(id)
}

/** What nobody caught is shown, and told to the main side for its log. */
export function catchErrors(app: App, page: Window = window): void {
  const tell = (error: unknown): void => {
    useNotices().fail(error)
    const message = error instanceof Error ? error.message : String(error)
    const stack = error instanceof Error ? error.stack : undefined
    // While the link is down there is nobody to tell.
    call('system.report', { message: message.slice(0, 20_000), ...(stack === undefined ? {} : { stack: stack.slice(0, 20_000) }) }).catch(() => undefined)
  }
  app.config.errorHandler = (error) => {
    console.error(error)
    tell(error)
  }
  page.addEventListener('error', (event: ErrorEvent) => {
    // Browsers report this of any layout that takes two rounds; it means nothing.
    if (event.message.startsWith('ResizeObserver loop')) return
    tell(event.error ?? event.message)
  })
  page.addEventListener('unhandledrejection', (event) => tell(event.reason))
}

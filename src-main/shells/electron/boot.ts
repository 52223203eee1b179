import path from 'node:path'
import { app, dialog, nativeTheme, session, type BrowserWindow } from 'electron'
import type { WorkbenchContract } from '#shared/contract/contract.ts'
import type { FileEntry } from '#shared/contract/system.ts'
import type { Handlers } from '#shared/link/link.ts'
import type { ShellHost } from '#main/shell-host.ts'
import { programFolder } from '#services/program.ts'
import { debuggingSwitches, readArguments, type Start } from './arguments.ts'
import { watchProcesses, watchWindow } from './crash.ts'
import { createDialogs } from './dialogs.ts'
import { watchErrors } from './errors.ts'
import { listenToWindow } from './ipc.ts'
import { createLog, type Log } from './log.ts'
import { guardNavigation } from './navigation-guard.ts'
import { createFileOpener, type FileOpener } from './open-files.ts'
import { refusePermissions } from './permissions.ts'
import { registerScheme, serveBundle } from './protocol.ts'
import { watchQuit } from './quit.ts'
import { recentFiles, rememberFile, showMenu } from './recent.ts'
import type { ServePort } from './serve-window.ts'
import { createShellEvents, type ShellEvents } from '../shell-events.ts'
import { followTheme, restoreTheme } from './theme.ts'
import { openWindow } from './window.ts'

/** What the shell needs of the program's desk. */
export interface ShellDesk {
  handlers: Handlers<WorkbenchContract>
  handles: { give(file: string): Promise<FileEntry> }
  busy(): number
  dispose(): Promise<void>
}

export interface BootParts {
  /** Called when Electron is ready. */
  makeDesk(options: { host: ShellHost; studiesFolder: string; settingsFile: string; log(message: string): void }): Promise<ShellDesk>
  serve(handlers: Handlers<WorkbenchContract>, log: Log): ServePort
}

/** Starts the desktop program, or hands its files to the one that runs. */
export async function boot(parts: BootParts): Promise<void> {
  const start = readArguments(process.argv, process.cwd(), app.getAppPath())
  // Electron hands over a start's command line reordered; this is how it was.
  if (!app.requestSingleInstanceLock({ files: start.files })) return app.quit()
  const log = createLog(app.getPath('logs'))
  const events = createShellEvents()
  watchErrors(log, events.emit)
  const opener = createFileOpener(events.emit)
  try {
    beforeReady(start, log, opener)
    await app.whenReady()
    await whenReady(parts, start, log, events, opener)
  } catch (error) {
    log.error('the program did not start', { error })
    dialog.showErrorBox('Maskscope could not start', `${error instanceof Error ? error.message : String(error)}\n\nThe log in ${app.getPath('logs')} says more.`)
    app.exit(1)
  }
}

/** What must be settled before Electron is ready. */
function beforeReady(start: Start, log: Log, opener: FileOpener): void {
  app.enableSandbox()
  if (app.isPackaged && !start.devTools) for (const name of debuggingSwitches) app.commandLine.removeSwitch(name)
  registerScheme()
  guardNavigation(log)
  // A Mac sends the file of a double click as an event, and early.
  app.on('open-file', (event, file) => {
    event.preventDefault()
    void opener.open([file])
  })
  void opener.open(start.files)
}

async function whenReady(parts: BootParts, start: Start, log: Log, events: ShellEvents, opener: FileOpener): Promise<void> {
  const devTools = !app.isPackaged || start.devTools
  const userData = app.getPath('userData')
  let window: BrowserWindow | null = null
  refusePermissions(session.defaultSession)
  serveBundle(path.join(programFolder(), 'out', 'renderer'))
  watchProcesses(log, events.emit)

  const desk = await parts.makeDesk({
    studiesFolder: start.studies ?? path.join(app.getPath('documents'), 'Maskscope'),
    settingsFile: path.join(userData, 'settings.json'),
    log: (message) => log.error('the window reports', { message }),
    host: {
      shell: 'electron',
      roots: [],
      dialogs: createDialogs(() => window),
      subscribe: events.subscribe,
      opened(file) {
        rememberFile(file)
        void refreshMenu()
      },
    },
  })
  const handlers = followTheme(desk.handlers)
  await restoreTheme(handlers)
  const quitting = watchQuit({ busy: desk.busy, dispose: desk.dispose, window: () => window, log })
  listenToWindow({ isOurs: (contents) => contents === window?.webContents, serve: parts.serve(handlers, log), give: desk.handles.give, log })

  async function refreshMenu(): Promise<void> {
    const recent = await recentFiles(handlers).catch(() => [])
    showMenu({
      platform: process.platform, devTools, recent,
      run(id) {
        events.emit({ type: 'command', id })
        show()
      },
      open(file) {
        events.emit({ type: 'open', file })
        show()
      },
    })
  }

  function show(): void {
    if (window) {
      if (window.isMinimized()) window.restore()
      window.focus()
      return
    }
    const opened = openWindow({ stateFile: path.join(userData, 'window.json'), dark: nativeTheme.shouldUseDarkColors, devTools })
    window = opened
    quitting.stay()
    quitting.watch(opened)
    watchWindow(opened, log)
    opened.once('closed', () => {
      if (window === opened) window = null
    })
  }

  app.on('second-instance', (_event, _argv, _workingFolder, data) => {
    void opener.open(filesOf(data))
    show()
  })
  app.on('activate', show)
  await refreshMenu()
  show()
  await opener.ready(desk.handles.give)
}

/** What another start of the program was asked to open; it is our own program, and still only a message. */
function filesOf(data: unknown): string[] {
  const files = (data as { files?: unknown } | null)?.files
  return Array.isArray(files) ? files.filter((file): file is string => typeof file === 'string' && path.isAbsolute(file)) : []
}

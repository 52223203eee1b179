import { app, dialog, type BrowserWindow } from 'electron'
import type { ShellEvent } from '#shared/contract/system.ts'
import { isWorker } from './engine-launch.ts'
import type { Log } from './log.ts'
import { startUrl } from './protocol.ts'

/** Chromium's number for a load that something else replaced. */
const aborted = -3

/** When the page dies, hangs or does not load, the person decides; the runs go on in any case. */
export function watchWindow(window: BrowserWindow, log: Log): void {
  const contents = window.webContents
  let asking: AbortController | null = null
  /** We ended the page ourselves, to load it again. */
  let ending = false

  async function ask(message: string, detail: string, waits: boolean): Promise<void> {
    if (window.isDestroyed()) return
    const question = new AbortController()
    asking = question
    const buttons = waits ? ['Wait', 'Reopen', 'Close'] : ['Reopen', 'Close']
    const { response } = await dialog.showMessageBox(window, {
      type: 'error', message, detail, buttons, defaultId: 0, cancelId: waits ? 0 : buttons.length - 1, noLink: true, signal: question.signal,
    })
    if (asking === question) asking = null
    if (question.signal.aborted || window.isDestroyed()) return
    if (buttons[response] === 'Close') window.destroy()
    if (buttons[response] !== 'Reopen') return
    // A page that hangs would answer a new load no sooner than anything else.
    ending = waits
    if (waits) contents.forcefullyCrashRenderer()
    void window.loadURL(startUrl).catch(() => undefined)
  }

  const goesOn = 'Runs go on meanwhile, and what is finished is stored.'
  contents.on('render-process-gone', (_event, { reason, exitCode }) => {
    if (reason === 'clean-exit') return
    log.error('window gone', { reason, exitCode })
    if (ending) {
      ending = false
      return
    }
    // What was asked about a page that hung is settled.
    asking?.abort()
    void ask(reason === 'oom' ? 'The window ran out of memory.' : 'The window stopped working.', `${goesOn} Reopen it to go on.`, false)
  })
  contents.on('did-fail-load', (_event, code, description, url, isMainFrame) => {
    if (!isMainFrame || code === aborted) return
    log.error('window not loaded', { code, description, url })
    if (asking) return
    void ask('The window could not be loaded.', `${description || `Error ${code}`}. ${goesOn} Reopen it; if that does not help, install Maskscope again.`, false)
  })
  window.on('unresponsive', () => {
    log.warn('window unresponsive')
    if (asking || ending) return
    void ask('The window does not answer.', `${goesOn} Wait for it, or reopen it.`, true)
  })
  window.on('responsive', () => asking?.abort())
}

/** Other processes of the program that die: said once each. A worker's end is told by the run that it ended. */
export function watchProcesses(log: Log, tell: (event: ShellEvent) => void): void {
  const told = new Set<string>()
  app.on('child-process-gone', (_event, details) => {
    if (details.reason === 'clean-exit' || details.reason === 'killed') return
    const name = details.name ?? details.type
    log.error('process gone', { ...details })
    if (isWorker(name) || told.has(name)) return
    told.add(name)
    tell({ type: 'notice', level: 'error', message: `A part of Maskscope stopped and was started again (${name}: ${details.reason}). If pictures stay empty, close the window and open it again.` })
  })
}

import { app, dialog, type BrowserWindow } from 'electron'
import type { Log } from './log.ts'

/** The desk has so long to cancel its runs and close its study; then its processes end with the program. */
const patienceMs = 10_000
const pollMs = 1000

export interface QuitParts {
  /** Runs queued, running or paused. */
  busy(): number
  /** Cancels what runs, closes the study, ends the workers. */
  dispose(): Promise<void>
  window(): BrowserWindow | null
  log: Log
}

export interface Quitting {
  /** Asks before a window is closed in the middle of a run. */
  watch(window: BrowserWindow): void
  /** A window is there again: the program stays when its runs have finished. */
  stay(): void
}

type Choice = 'background' | 'cancel' | 'stay'
const choices: readonly Choice[] = ['background', 'cancel', 'stay']

/** Leaving the program, by its menu or with its last window; in the middle of a run it asks, once. */
export function watchQuit({ busy, dispose, window, log }: QuitParts): Quitting {
  let asking = false
  let leaving = false
  let left = false
  let waiting: NodeJS.Timeout | undefined

  async function ask(): Promise<Choice> {
    const runs = busy()
    const options = {
      type: 'question' as const,
      message: runs === 1 ? 'A run has not finished yet.' : `${runs} runs have not finished yet.`,
      detail: 'Maskscope can finish without its window and end then. Start it again to see how far it is.',
      buttons: ['Finish in the background', 'Cancel the runs and quit', 'Stay'],
      defaultId: 0,
      cancelId: 2,
      noLink: true,
    }
    const parent = window()
    const { response } = await (parent ? dialog.showMessageBox(parent, options) : dialog.showMessageBox(options))
    return choices[response] ?? 'stay'
  }

  async function decide(): Promise<void> {
    if (asking) return
    asking = true
    try {
      const choice = await ask()
      if (choice === 'background') finishInBackground()
      if (choice === 'cancel') await leave()
    } catch (error) {
      log.error('quitting', { error })
    } finally {
      asking = false
    }
  }

  function finishInBackground(): void {
    window()?.destroy()
    clearInterval(waiting)
    waiting = setInterval(() => {
      if (busy() === 0) void leave()
    }, pollMs)
  }

  /** Whatever happens to the desk, the program ends. */
  async function leave(): Promise<void> {
    if (leaving) return
    leaving = true
    clearInterval(waiting)
    let patience: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      patience = setTimeout(() => {
        log.error('the desk did not close in time')
        resolve()
      }, patienceMs)
    })
    await Promise.race([dispose().catch((error: unknown) => log.error('the desk did not close', { error })), late])
    clearTimeout(patience)
    left = true
    window()?.destroy()
    app.quit()
  }

  app.on('before-quit', (event) => {
    if (left) return
    event.preventDefault()
    if (busy() > 0 && !leaving) void decide()
    else void leave()
  })
  app.on('window-all-closed', () => {
    // On a Mac a program stays without a window; with runs to finish it stays everywhere.
    if (!left && waiting === undefined && process.platform !== 'darwin') app.quit()
  })

  return {
    watch(opened) {
      opened.on('close', (event) => {
        if (left || leaving || busy() === 0) return
        event.preventDefault()
        void decide()
      })
    },
    stay() {
      clearInterval(waiting)
      waiting = undefined
    },
  }
}

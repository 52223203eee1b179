import type { BrowserWindow } from 'electron'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { watchProcesses, watchWindow } from '#main/shells/electron/crash.ts'
import { app, dialog, fakeLog, FakeWindow, resetElectron } from './electron-stub.ts'

vi.mock('electron', () => import('./electron-stub.ts'))
beforeEach(resetElectron)

interface Question {
  message: string
  buttons: string[]
  signal: AbortSignal
}

function watched() {
  const window = new FakeWindow()
  const log = fakeLog()
  watchWindow(window as unknown as BrowserWindow, log)
  const questions = (): Question[] => dialog.showMessageBox.mock.calls.map((call) => call[1] as Question)
  /** Answers the next question with this button. */
  function answer(button: string): void {
    dialog.showMessageBox.mockImplementationOnce((_window, options) => Promise.resolve({ response: (options as Question).buttons.indexOf(button), checkboxChecked: false }))
  }
  /** Leaves the next question open; closing it is answered as a closed dialog is. */
  function leaveOpen(): void {
    dialog.showMessageBox.mockImplementationOnce((_window, options) => new Promise((resolve) => {
      (options as Question).signal.addEventListener('abort', () => resolve({ response: 0, checkboxChecked: false }))
    }))
  }
  return { window, contents: window.webContents, log, questions, answer, leaveOpen }
}
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('security 15: the window', () => {
  test.each(['crashed', 'oom', 'killed', 'abnormal-exit', 'launch-failed'])('that is gone (%s) is reopened', async (reason) => {
    const { window, contents, questions, answer, log } = watched()
    answer('Reopen')
    contents.emit('render-process-gone', {}, { reason, exitCode: 5 })
    await settle()
    expect(questions()[0]!.buttons).toEqual(['Reopen', 'Close'])
    expect(questions()[0]!.message).toBe(reason === 'oom' ? 'The window ran out of memory.' : 'The window stopped working.')
    expect(window.loadURL).toHaveBeenCalledExactlyOnceWith('app://bundle/index.html')
    expect(log.error).toHaveBeenCalledOnce()
  })

  test('or closed', async () => {
    const { window, contents, answer } = watched()
    answer('Close')
    contents.emit('render-process-gone', {}, { reason: 'crashed', exitCode: 5 })
    await settle()
    expect(window.destroyed).toBe(true)
    expect(window.loadURL).not.toHaveBeenCalled()
  })

  test('that ends as it should asks nothing', async () => {
    const { contents, questions } = watched()
    contents.emit('render-process-gone', {}, { reason: 'clean-exit', exitCode: 0 })
    await settle()
    expect(questions()).toEqual([])
  })

  test('that does not load asks; a load that another replaced, and a frame within, do not', async () => {
    const { window, contents, questions, answer } = watched()
    contents.emit('did-fail-load', {}, -3, 'ERR_ABORTED', 'app://bundle/index.html', true)
    contents.emit('did-fail-load', {}, -6, 'ERR_FILE_NOT_FOUND', 'app://bundle/x', false)
    await settle()
    expect(questions()).toEqual([])
    answer('Reopen')
    contents.emit('did-fail-load', {}, -6, 'ERR_FILE_NOT_FOUND', 'app://bundle/index.html', true)
    await settle()
    expect(questions()[0]!.message).toBe('The window could not be loaded.')
    expect(window.loadURL).toHaveBeenCalledOnce()
  })

  test('that hangs can be waited for', async () => {
    const { window, contents, questions, answer } = watched()
    answer('Wait')
    window.emit('unresponsive')
    await settle()
    expect(questions()[0]!.buttons).toEqual(['Wait', 'Reopen', 'Close'])
    expect(contents.forcefullyCrashRenderer).not.toHaveBeenCalled()
    expect(window.destroyed).toBe(false)
  })

  test('that hangs is ended before it is reopened, and that end asks nothing again', async () => {
    const { window, contents, questions, answer } = watched()
    answer('Reopen')
    window.emit('unresponsive')
    await settle()
    expect(contents.forcefullyCrashRenderer).toHaveBeenCalledOnce()
    expect(window.loadURL).toHaveBeenCalledOnce()
    contents.emit('render-process-gone', {}, { reason: 'crashed', exitCode: 1 })
    await settle()
    expect(questions()).toHaveLength(1)
    answer('Close')
    contents.emit('render-process-gone', {}, { reason: 'crashed', exitCode: 1 })
    await settle()
    expect(questions()).toHaveLength(2)
  })

  test('that answers again takes its question back', async () => {
    const { window, questions, leaveOpen } = watched()
    leaveOpen()
    window.emit('unresponsive')
    window.emit('unresponsive')
    expect(questions()).toHaveLength(1)
    window.emit('responsive')
    await settle()
    expect(questions()[0]!.signal.aborted).toBe(true)
    expect(window.destroyed).toBe(false)
    expect(window.loadURL).not.toHaveBeenCalled()
  })

  test('that hangs and then dies is asked about anew', async () => {
    const { window, contents, questions, leaveOpen, answer } = watched()
    leaveOpen()
    window.emit('unresponsive')
    answer('Reopen')
    contents.emit('render-process-gone', {}, { reason: 'oom', exitCode: 1 })
    await settle()
    expect(questions()[0]!.signal.aborted).toBe(true)
    expect(questions()[1]!.buttons).toEqual(['Reopen', 'Close'])
    expect(window.loadURL).toHaveBeenCalledOnce()
  })
})

describe('security 14: other processes that are gone', () => {
  test('are told of once each; workers are told of by their run, and what ended by itself is not', () => {
    const tell = vi.fn()
    const log = fakeLog()
    watchProcesses(log, tell)
    const gone = (details: object): void => void app.emit('child-process-gone', {}, details)
    gone({ type: 'GPU', reason: 'crashed', exitCode: 1 })
    gone({ type: 'GPU', reason: 'crashed', exitCode: 1 })
    gone({ type: 'Utility', name: 'Maskscope engine 1', reason: 'oom', exitCode: 1 })
    gone({ type: 'Utility', name: 'Network Service', reason: 'clean-exit', exitCode: 0 })
    gone({ type: 'Utility', name: 'Network Service', reason: 'killed', exitCode: 9 })
    expect(tell).toHaveBeenCalledOnce()
    expect(tell.mock.calls[0]![0]).toMatchObject({ type: 'notice', level: 'error', message: expect.stringContaining('GPU: crashed') as string })
    expect(log.error).toHaveBeenCalledTimes(3)
  })
})

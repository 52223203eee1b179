import type { BrowserWindow } from 'electron'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { watchQuit } from '#main/shells/electron/quit.ts'
import { app, dialog, fakeEvent, fakeLog, FakeWindow, resetElectron } from './electron-stub.ts'

vi.mock('electron', () => import('./electron-stub.ts'))

const background = 0, cancel = 1, stay = 2

beforeEach(() => {
  resetElectron()
  vi.useFakeTimers()
})
afterEach(() => vi.useRealTimers())

function running(runs: number, dispose: () => Promise<void> = () => Promise.resolve()) {
  const state = { runs }
  const disposed = vi.fn(dispose)
  const log = fakeLog()
  let window: FakeWindow | null = new FakeWindow()
  window.once('closed', () => {
    window = null
    app.emit('window-all-closed')
  })
  const quitting = watchQuit({ busy: () => state.runs, dispose: disposed, window: () => window as unknown as BrowserWindow | null, log })
  quitting.watch(window as unknown as BrowserWindow)
  // As Electron does: asked to quit it asks the listeners, and ends where none objects.
  const over = vi.fn()
  app.quit.mockImplementation(() => {
    const event = fakeEvent()
    app.emit('before-quit', event)
    if (!event.defaultPrevented) over()
  })
  const answer = (response: number): void => void dialog.showMessageBox.mockResolvedValueOnce({ response, checkboxChecked: false })
  const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0)
  return { state, disposed, log, over, quitting, answer, settle, window }
}

describe('security 20: leaving in the middle of a run', () => {
  test('asks, with three answers, closing being the one that changes nothing', async () => {
    const { answer, over, disposed, settle } = running(2)
    answer(stay)
    app.quit()
    await settle()
    expect(dialog.showMessageBox).toHaveBeenCalledOnce()
    expect(dialog.showMessageBox.mock.calls[0]![1]).toMatchObject({
      message: '2 runs have not finished yet.', buttons: ['Finish in the background', 'Cancel the runs and quit', 'Stay'], defaultId: 0, cancelId: 2,
    })
    expect(over).not.toHaveBeenCalled()
    expect(disposed).not.toHaveBeenCalled()
  })

  test('asks once, however often one tries', async () => {
    const { window, over, settle } = running(1)
    let reply: (value: { response: number; checkboxChecked: boolean }) => void = () => undefined
    dialog.showMessageBox.mockReturnValueOnce(new Promise((resolve) => {
      reply = resolve
    }))
    app.quit()
    expect(window.close()).toBe(false)
    app.quit()
    expect(dialog.showMessageBox).toHaveBeenCalledOnce()
    reply({ response: cancel, checkboxChecked: false })
    await settle()
    expect(over).toHaveBeenCalledOnce()
    expect(dialog.showMessageBox).toHaveBeenCalledOnce()
  })

  test('closing the window asks likewise; staying keeps it', async () => {
    const { window, answer, over, settle } = running(1)
    answer(stay)
    expect(window.close()).toBe(false)
    await settle()
    expect(window.destroyed).toBe(false)
    expect(over).not.toHaveBeenCalled()
  })

  test('cancelling disposes of the desk, then ends', async () => {
    const { window, answer, over, disposed, settle } = running(1)
    answer(cancel)
    window.close()
    await settle()
    expect(disposed).toHaveBeenCalledOnce()
    expect(window.destroyed).toBe(true)
    expect(over).toHaveBeenCalledOnce()
  })

  test('in the background it goes on without the window and ends with the last run', async () => {
    const { window, answer, over, disposed, state, settle } = running(1)
    answer(background)
    window.close()
    await settle()
    expect(window.destroyed).toBe(true)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(over).not.toHaveBeenCalled()
    expect(disposed).not.toHaveBeenCalled()
    state.runs = 0
    await vi.advanceTimersByTimeAsync(1000)
    expect(disposed).toHaveBeenCalledOnce()
    expect(over).toHaveBeenCalledOnce()
  })

  test('a window opened again meanwhile keeps the program', async () => {
    const { window, answer, over, state, settle, quitting } = running(1)
    answer(background)
    window.close()
    await settle()
    quitting.stay()
    state.runs = 0
    await vi.advanceTimersByTimeAsync(10_000)
    expect(over).not.toHaveBeenCalled()
  })

  test('a question that cannot be asked leaves everything as it is', async () => {
    const { window, log, over, settle } = running(1)
    dialog.showMessageBox.mockRejectedValueOnce(new Error('no display'))
    expect(window.close()).toBe(false)
    await settle()
    expect(log.error).toHaveBeenCalledOnce()
    expect(over).not.toHaveBeenCalled()
  })
})

describe('security 14: the end', () => {
  test('with nothing running comes without a question, after the desk has closed', async () => {
    let close: () => void = () => undefined
    const { over, disposed, settle } = running(0, () => new Promise((resolve) => {
      close = resolve
    }))
    app.quit()
    app.quit()
    await settle()
    expect(dialog.showMessageBox).not.toHaveBeenCalled()
    expect(disposed).toHaveBeenCalledOnce()
    expect(over).not.toHaveBeenCalled()
    close()
    await settle()
    expect(over).toHaveBeenCalledOnce()
  })

  test('comes after ten seconds where the desk does not close', async () => {
    const { over, log } = running(0, () => new Promise(() => undefined))
    app.quit()
    await vi.advanceTimersByTimeAsync(9_900)
    expect(over).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(200)
    expect(over).toHaveBeenCalledOnce()
    expect(log.error).toHaveBeenCalledOnce()
  })

  test('comes where the desk fails to close', async () => {
    const { over, log, settle } = running(0, () => Promise.reject(new Error('disk full')))
    app.quit()
    await settle()
    expect(over).toHaveBeenCalledOnce()
    expect(log.error).toHaveBeenCalledOnce()
  })

  test.each([['linux', 1], ['win32', 1], ['darwin', 0]] as const)('on %s the last window takes the program along %i times', async (platform, times) => {
    vi.spyOn(process, 'platform', 'get').mockReturnValue(platform)
    const { window, over, settle } = running(0)
    expect(window.close()).toBe(true)
    await settle()
    expect(over).toHaveBeenCalledTimes(times)
    vi.restoreAllMocks()
  })
})

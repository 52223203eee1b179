import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { BrowserWindow } from 'electron'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createDialogs } from '#main/shells/electron/dialogs.ts'
import { safeFileName } from '#main/shells/file-name.ts'
import { app, dialog, FakeWindow, resetElectron } from './electron-stub.ts'

vi.mock('electron', () => import('./electron-stub.ts'))

let folder: string
beforeEach(() => {
  resetElectron()
  folder = mkdtempSync(path.join(tmpdir(), 'maskscope-dialogs-'))
  app.paths = { documents: folder }
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('security 9: names of files to write', () => {
  test.each([
    ['zebra, mask.pdf', 'zebra, mask.pdf'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\Windows\\win.ini', 'win.ini'],
    ['a<b>:"|?*.svg', 'a-b------.svg'],
    ['line\nbreak\u0000.png', 'line-break-.png'],
    ['photo\u202Egnp.exe', 'photo-gnp.exe'],
    ['.hidden', 'hidden'],
    ['trailing. . ', 'trailing'],
    ['CON.pdf', 'figure-CON.pdf'],
    ['lpt1', 'figure-lpt1'],
    ['', 'figure'],
    ['..', 'figure'],
    ['///', 'figure'],
    ['<>.pdf', 'figure.pdf'],
    ['é'.normalize('NFD') + '.svg', 'é.svg'],
    ['斑马.pdf', '斑马.pdf'],
  ])('%j becomes %s', (name, safe) => {
    expect(safeFileName(name)).toBe(safe)
  })

  test('whatever the name, what comes of it is one short name in one folder', () => {
    fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 150 }), fc.string({ maxLength: 300 })), (name) => {
      const safe = safeFileName(name)
      expect(safe).not.toBe('')
      expect(path.basename(safe)).toBe(safe)
      expect(path.win32.basename(safe)).toBe(safe)
      expect(safe).not.toMatch(/[\p{C}<>:"|?*\\/]|^\.|[.\s]$/u)
      expect([...safe].length).toBeLessThanOrEqual(130)
    }))
  })
})

describe('the native dialogs', () => {
  test('open by purpose, in front of the window where there is one', async () => {
    const window = new FakeWindow() as unknown as BrowserWindow
    dialog.showOpenDialog.mockResolvedValueOnce({ canceled: false, filePaths: ['/a.jpg', '/b.jpg'] })
    expect(await createDialogs(() => window).open('image')).toEqual(['/a.jpg', '/b.jpg'])
    const [parent, options] = dialog.showOpenDialog.mock.calls[0] as [unknown, { properties: string[]; filters: { extensions: string[] }[] }]
    expect(parent).toBe(window)
    expect(options.properties).toEqual(['openFile', 'multiSelections'])
    expect(options.filters[0]!.extensions).toContain('jpg')
    const dialogs = createDialogs(() => null)
    for (const [purpose, ending] of [['model', 'json'], ['study', 'maskscope'], ['labels', 'txt']] as const) {
      dialog.showOpenDialog.mockClear()
      expect(await dialogs.open(purpose)).toEqual([])
      expect(dialog.showOpenDialog.mock.calls[0]![0]).toMatchObject({ properties: ['openFile'], filters: expect.arrayContaining([expect.objectContaining({ extensions: expect.arrayContaining([ending]) as string[] })]) as unknown[] })
    }
  })

  test('save under a safe name where the person says, and begin there the next time', async () => {
    const dialogs = createDialogs(() => null)
    const file = path.join(folder, 'papers', 'figure 1.pdf')
    dialog.showSaveDialog.mockResolvedValueOnce({ canceled: false, filePath: path.join(folder, 'figure 1.pdf') })
    expect(await dialogs.save('../x: y.pdf', new Uint8Array([1, 2]))).toBe(path.join(folder, 'figure 1.pdf'))
    expect(dialog.showSaveDialog.mock.calls[0]![0]).toMatchObject({ defaultPath: path.join(folder, 'x- y.pdf'), filters: [{ name: 'PDF', extensions: ['pdf'] }] })
    expect([...readFileSync(path.join(folder, 'figure 1.pdf'))]).toEqual([1, 2])
    expect(readdirSync(folder)).toEqual(['figure 1.pdf'])
    dialog.showSaveDialog.mockResolvedValueOnce({ canceled: true, filePath: '' })
    expect(await dialogs.save('b.svg', new Uint8Array())).toBeNull()
    dialog.showSaveDialog.mockResolvedValueOnce({ canceled: false, filePath: file })
    await expect(dialogs.save('b.svg', new Uint8Array())).rejects.toMatchObject({ code: 'storage' })
  })
})

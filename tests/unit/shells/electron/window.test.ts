import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openWindow, windowOptions } from '#main/shells/electron/window.ts'
import { readWindowState, writeWindowState } from '#main/shells/electron/window-state.ts'
import { resetElectron, screen, windows } from './electron-stub.ts'

vi.mock('electron', () => import('./electron-stub.ts'))

let folder: string
let stateFile: string

beforeEach(() => {
  resetElectron()
  folder = mkdtempSync(path.join(tmpdir(), 'maskscope-window-'))
  stateFile = path.join(folder, 'window.json')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('security 1: the options of the window, exactly', () => {
  const facts = { state: { bounds: { width: 1280, height: 800 }, maximised: false }, dark: false, preload: '/p/index.cjs', devTools: false }
  expect(windowOptions(facts)).toStrictEqual({
    width: 1280,
    height: 800,
    minWidth: 1024,
    minHeight: 700,
    title: 'Maskscope',
    show: false,
    backgroundColor: '#ffffff',
    webPreferences: {
      preload: '/p/index.cjs',
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      webviewTag: false,
      navigateOnDragDrop: false,
      plugins: false,
      spellcheck: false,
      devTools: false,
    },
  })
  expect(windowOptions({ ...facts, dark: true }).backgroundColor).toBe('#161616')
})

test('security 1: there is one place that makes a window, and none that makes another kind of page', () => {
  const found = execFileSync('grep', ['-rnE', String.raw`new (BrowserWindow|WebContentsView|BrowserView|BaseWindow)\b|<webview|enableBlinkFeatures`, 'src-main', 'src-renderer'], { encoding: 'utf8' })
  expect(found.trim().split('\n').map((line) => line.split(':')[0])).toEqual(['src-main/shells/electron/window.ts'])
})

test('the window loads our own page with the built preload, and shows when it has something to show', () => {
  openWindow({ stateFile, dark: true, devTools: true })
  const window = windows[0]!
  const { webPreferences } = window.options as { webPreferences: { preload: string; devTools: boolean } }
  expect(webPreferences.preload).toBe(path.resolve('out/preload/index.cjs'))
  expect(webPreferences.devTools).toBe(true)
  expect(window.loadURL).toHaveBeenCalledExactlyOnceWith('app://bundle/index.html')
  expect(window.show).not.toHaveBeenCalled()
  window.emit('ready-to-show')
  expect(window.show).toHaveBeenCalledOnce()
})

test('a closed window opens where it was', () => {
  openWindow({ stateFile, dark: false, devTools: false })
  windows[0]!.maximised = true
  windows[0]!.close()
  expect(JSON.parse(readFileSync(stateFile, 'utf8'))).toEqual({ bounds: { x: 10, y: 20, width: 1300, height: 900 }, maximised: true })
  openWindow({ stateFile, dark: false, devTools: false })
  expect(windows[1]!.options).toMatchObject({ x: 10, y: 20, width: 1300, height: 900 })
  expect(windows[1]!.maximised).toBe(true)
  screen.getAllDisplays.mockReturnValueOnce([{ workArea: { x: 4000, y: 0, width: 800, height: 600 } }])
  openWindow({ stateFile, dark: false, devTools: false })
  expect(windows[2]!.options).not.toHaveProperty('x')
})

describe('security 18: stored bounds are checked against the displays', () => {
  const one = [{ x: 0, y: 25, width: 1920, height: 1055 }]
  const two = [...one, { x: -1280, y: 0, width: 1280, height: 1024 }]
  const usual = { width: 1280, height: 800 }

  test.each([
    ['where it can be seen', one, { x: 100, y: 50, width: 1200, height: 800 }, { x: 100, y: 50, width: 1200, height: 800 }],
    ['on a second display', two, { x: -1200, y: 10, width: 1100, height: 800 }, { x: -1200, y: 10, width: 1100, height: 800 }],
    ['on a display that is gone', one, { x: -1200, y: 10, width: 1100, height: 800 }, usual],
    ['with its title bar above the display', one, { x: 100, y: -300, width: 1200, height: 800 }, usual],
    ['below the display', one, { x: 100, y: 1075, width: 1200, height: 800 }, usual],
    ['with too little of it to catch', one, { x: 1850, y: 100, width: 1200, height: 800 }, usual],
    ['too small', one, { x: 100, y: 50, width: 10, height: -5 }, { x: 100, y: 50, width: 1024, height: 700 }],
  ])('%s', (_name, displays, bounds, expected) => {
    writeWindowState(stateFile, { bounds, maximised: false })
    expect(readWindowState(stateFile, displays)).toEqual({ bounds: expected, maximised: false })
  })

  test.each([
    '', '{', 'null', '[]', '{"bounds":{}}', '{"bounds":{"x":0,"y":0,"width":"wide","height":700},"maximised":false}',
    '{"bounds":{"x":1e9,"y":0,"width":1100,"height":700},"maximised":false}', '{"bounds":{"x":0.5,"y":0,"width":1100,"height":700},"maximised":false}',
  ])('a file that says %j is not believed', (text) => {
    writeFileSync(stateFile, text)
    expect(readWindowState(stateFile, one)).toEqual({ bounds: usual, maximised: false })
  })

  test('a missing file, and a folder that cannot be written, stop nothing', () => {
    expect(readWindowState(path.join(folder, 'none.json'), one)).toEqual({ bounds: usual, maximised: false })
    writeFileSync(path.join(folder, 'file'), '')
    expect(() => writeWindowState(path.join(folder, 'file', 'window.json'), { bounds: { x: 0, y: 0, width: 1, height: 1 }, maximised: false })).not.toThrow()
  })
})

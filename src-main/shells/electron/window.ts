import path from 'node:path'
import { BrowserWindow, type BrowserWindowConstructorOptions, screen } from 'electron'
import { programFolder } from '#services/program.ts'
import { startUrl } from './protocol.ts'
import { leastSize, readWindowState, writeWindowState, type WindowState } from './window-state.ts'

export interface WindowFacts {
  state: WindowState
  dark: boolean
  /** Absolute. */
  preload: string
  devTools: boolean
}

/** Every setting that decides what the page can reach is written out, also where it is Electron's default. */
export function windowOptions({ state, dark, preload, devTools }: WindowFacts): BrowserWindowConstructorOptions {
  return {
    ...state.bounds,
    minWidth: leastSize.width,
    minHeight: leastSize.height,
    title: 'Maskscope',
    // Shown when its first picture is there; until then in the stage's colour.
    show: false,
    backgroundColor: dark ? '#161616' : '#ffffff',
    webPreferences: {
      preload,
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
      devTools,
    },
  }
}

/** Opens the window where it was the last time. */
export function openWindow(facts: { stateFile: string; dark: boolean; devTools: boolean }): BrowserWindow {
  const state = readWindowState(facts.stateFile, screen.getAllDisplays().map((display) => display.workArea))
  const preload = path.join(programFolder(), 'out', 'preload', 'index.cjs')
  const window = new BrowserWindow(windowOptions({ state, dark: facts.dark, preload, devTools: facts.devTools }))
  if (state.maximised) window.maximize()
  window.once('ready-to-show', () => window.show())
  // The study's name stands in the window itself.
  window.on('page-title-updated', (event) => event.preventDefault())
  window.on('close', () => writeWindowState(facts.stateFile, { bounds: window.getNormalBounds(), maximised: window.isMaximized() }))
  // A failure shows as did-fail-load, which asks the person (crash.ts).
  void window.loadURL(startUrl).catch(() => undefined)
  return window
}

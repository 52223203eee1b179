import { EventEmitter } from 'node:events'
import { vi } from 'vitest'

/** Stands in for the package `electron`, whose binary the tests do without. It does nothing; it writes down what it is told. */

export class FakeContents extends EventEmitter {
  mainFrame = fakeFrame('app://bundle')
  setWindowOpenHandler = vi.fn()
  forcefullyCrashRenderer = vi.fn()
  windowOpenHandler(details: { url: string }): unknown {
    return (this.setWindowOpenHandler.mock.calls.at(-1)?.[0] as (details: { url: string }) => unknown)(details)
  }
}

export interface FakeFrame {
  origin: string
  parent: FakeFrame | null
  postMessage: ReturnType<typeof vi.fn>
}

export function fakeFrame(origin: string, parent: FakeFrame | null = null): FakeFrame {
  return { origin, parent, postMessage: vi.fn() }
}

export class FakeWindow extends EventEmitter {
  webContents = new FakeContents()
  destroyed = false
  normalBounds = { x: 10, y: 20, width: 1300, height: 900 }
  maximised = false
  options: unknown
  loadURL = vi.fn(() => Promise.resolve())
  show = vi.fn()
  focus = vi.fn()
  restore = vi.fn()
  isMinimized = vi.fn(() => false)
  constructor(options?: unknown) {
    super()
    this.options = options
    windows.push(this)
  }

  maximize(): void {
    this.maximised = true
  }

  isMaximized(): boolean {
    return this.maximised
  }

  getNormalBounds(): unknown {
    return this.normalBounds
  }

  isDestroyed(): boolean {
    return this.destroyed
  }

  destroy(): void {
    if (this.destroyed) return
    this.destroyed = true
    this.emit('closed')
    this.webContents.emit('destroyed')
  }

  /** As the person does it. @returns whether the window may close */
  close(): boolean {
    const event = fakeEvent()
    this.emit('close', event)
    if (!event.defaultPrevented) this.destroy()
    return !event.defaultPrevented
  }
}

export const windows: FakeWindow[] = []

export interface FakeEvent {
  defaultPrevented: boolean
  preventDefault(): void
}

export function fakeEvent<T extends object>(facts?: T): FakeEvent & T {
  const event = {
    defaultPrevented: false,
    preventDefault() {
      event.defaultPrevented = true
    },
    ...facts,
  }
  return event as unknown as FakeEvent & T
}

export class FakePort extends EventEmitter {
  start = vi.fn()
  postMessage = vi.fn()
  closed = false
  close(): void {
    if (this.closed) return
    this.closed = true
    this.emit('close')
  }
}

export const channels: { port1: FakePort; port2: FakePort }[] = []

export class MessageChannelMain {
  port1 = new FakePort()
  port2 = new FakePort()
  constructor() {
    channels.push(this)
  }
}

export class FakeProcess extends EventEmitter {
  pid: number | undefined
  stderr = new EventEmitter()
  postMessage = vi.fn()
  kill = vi.fn(() => true)
}

export const children: FakeProcess[] = []

class FakeApp extends EventEmitter {
  isPackaged = false
  paths: Record<string, string> = {}
  quit = vi.fn()
  exit = vi.fn()
  enableSandbox = vi.fn()
  requestSingleInstanceLock = vi.fn((_data?: unknown) => true)
  whenReady = vi.fn(() => Promise.resolve())
  addRecentDocument = vi.fn()
  commandLine = { removeSwitch: vi.fn() }
  getAppPath = vi.fn(() => process.cwd())
  getPath(name: string): string {
    return this.paths[name] ?? `/nowhere/${name}`
  }
}

export const app = new FakeApp()
export const BrowserWindow = FakeWindow
export const protocol = { registerSchemesAsPrivileged: vi.fn(), handle: vi.fn() }
export const shell = { openExternal: vi.fn(() => Promise.resolve()) }
export const session = { defaultSession: fakeSession() }
export const ipcMain = { handle: vi.fn() }
export const dialog = {
  showMessageBox: vi.fn((..._arguments: unknown[]) => Promise.resolve({ response: 0, checkboxChecked: false })),
  showOpenDialog: vi.fn((..._arguments: unknown[]) => Promise.resolve({ canceled: true, filePaths: [] as string[] })),
  showSaveDialog: vi.fn((..._arguments: unknown[]) => Promise.resolve({ canceled: true, filePath: '' })),
  showErrorBox: vi.fn(),
}
export const nativeTheme = { themeSource: 'system', shouldUseDarkColors: false }
export const screen = { getAllDisplays: vi.fn(() => [{ workArea: { x: 0, y: 0, width: 1920, height: 1080 } }]) }
export const Menu = { buildFromTemplate: vi.fn((template: unknown) => template), setApplicationMenu: vi.fn() }
export const utilityProcess = {
  fork: vi.fn((..._arguments: unknown[]) => {
    const child = new FakeProcess()
    children.push(child)
    return child
  }),
}
export const contextBridge = { exposeInMainWorld: vi.fn() }
export const ipcRenderer = { invoke: vi.fn((..._arguments: unknown[]): Promise<unknown> => Promise.resolve({})), on: vi.fn() }
export const webUtils = { getPathForFile: vi.fn(() => '/home/ada/zebra.jpg') }

export function fakeSession() {
  return Object.assign(new EventEmitter(), {
    setPermissionRequestHandler: vi.fn(),
    setPermissionCheckHandler: vi.fn(),
    setDevicePermissionHandler: vi.fn(),
    setBluetoothPairingHandler: vi.fn(),
    setDisplayMediaRequestHandler: vi.fn(),
  })
}

/** A log that keeps what it is told. */
export function fakeLog() {
  return { info: vi.fn(), warn: vi.fn(), error: vi.fn() }
}

/** Before each test. */
export function resetElectron(): void {
  vi.clearAllMocks()
  app.removeAllListeners()
  app.isPackaged = false
  app.paths = {}
  windows.length = 0
  channels.length = 0
  children.length = 0
  nativeTheme.themeSource = 'system'
  session.defaultSession = fakeSession()
}

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { readArguments } from '#main/shells/electron/arguments.ts'
import { boot, type BootParts, type ShellDesk } from '#main/shells/electron/boot.ts'
import type { ShellHost } from '#main/shell-host.ts'
import type { FileEntry, ShellEvent } from '#shared/contract/system.ts'
import { app, dialog, fakeEvent, ipcMain, Menu, nativeTheme, protocol, resetElectron, session, windows } from './electron-stub.ts'

vi.mock('electron', () => import('./electron-stub.ts'))

let folder: string
let argv: string[]
/** Listeners that booting adds to the process itself. */
const processEvents = ['uncaughtException', 'unhandledRejection'] as const
let before: Map<string, unknown[]>

beforeEach(() => {
  resetElectron()
  folder = mkdtempSync(path.join(tmpdir(), 'maskscope-boot-'))
  app.paths = { logs: path.join(folder, 'logs'), userData: path.join(folder, 'data'), documents: path.join(folder, 'documents') }
  argv = process.argv
  process.argv = ['electron']
  before = new Map(processEvents.map((name) => [name, process.listeners(name as 'uncaughtException')]))
})
afterEach(() => {
  process.argv = argv
  for (const name of processEvents) {
    for (const listener of process.listeners(name as 'uncaughtException')) if (!before.get(name)!.includes(listener)) process.off(name, listener)
  }
  rmSync(folder, { recursive: true, force: true })
})

function entry(file: string): FileEntry {
  return { handle: `handle of ${file}`, name: path.basename(file), kind: 'image', place: path.dirname(file), bytes: 1 }
}

/** A desk that answers what booting asks; the engine itself has its own tests. */
function parts(theme = 'dark') {
  const made: { host: ShellHost; studiesFolder: string; settingsFile: string }[] = []
  const dispose = vi.fn(() => Promise.resolve())
  const calls = {
    'settings.get': () => ({ theme }),
    'settings.change': (change: object) => ({ theme: 'light', ...change }),
    'files.recent': () => ({ studies: [], models: [], images: [entry('/home/ada/zebra.jpg')] }),
  }
  const desk = {
    handlers: { calls, streams: {} },
    handles: { give: (file: string) => (file.includes('missing') ? Promise.reject(new Error(`${file} does not exist.`)) : Promise.resolve(entry(file))) },
    busy: () => 0,
    dispose,
  } as unknown as ShellDesk
  const serve = vi.fn<BootParts['serve']>(() => () => () => undefined)
  const given: BootParts = {
    makeDesk: (options) => {
      made.push(options)
      return Promise.resolve(desk)
    },
    serve,
  }
  return { given, made, serve, dispose }
}

/** Listens as the window does. */
function heard(host: ShellHost): ShellEvent[] {
  const events: ShellEvent[] = []
  host.subscribe((event) => events.push(event))
  return events
}

describe('starting', () => {
  test('security 1: everything that guards the window stands before there is one', async () => {
    const order: string[] = []
    app.enableSandbox.mockImplementation(() => void order.push('sandbox'))
    protocol.registerSchemesAsPrivileged.mockImplementation(() => void order.push('scheme'))
    app.whenReady.mockImplementation(() => {
      order.push(`ready, ${app.listenerCount('web-contents-created')} guard`)
      return Promise.resolve()
    })
    session.defaultSession.setPermissionRequestHandler.mockImplementation(() => void order.push('permissions'))
    protocol.handle.mockImplementation(() => void order.push('protocol'))
    ipcMain.handle.mockImplementation(() => void order.push(`ipc, ${windows.length} windows`))
    await boot(parts().given)
    expect(order).toEqual(['sandbox', 'scheme', 'ready, 1 guard', 'permissions', 'protocol', 'ipc, 0 windows'])
    expect(windows).toHaveLength(1)
    expect(Menu.setApplicationMenu).toHaveBeenCalledOnce()
    app.whenReady.mockReset().mockResolvedValue(undefined)
  })

  test('keeps studies among the documents and settings among the program\'s data', async () => {
    const { given, made } = parts()
    await boot(given)
    expect(made[0]).toMatchObject({ studiesFolder: path.join(folder, 'documents', 'Maskscope'), settingsFile: path.join(folder, 'data', 'settings.json') })
    expect(made[0]!.host).toMatchObject({ shell: 'electron', roots: [] })
    expect(made[0]!.host.dialogs).not.toBeNull()
  })

  test('follows the stored theme, and the one chosen later', async () => {
    const { given, serve } = parts('dark')
    await boot(given)
    expect(nativeTheme.themeSource).toBe('dark')
    const handlers = serve.mock.calls[0]![0]
    await handlers.calls['settings.change']({ theme: 'light' }, { signal: new AbortController().signal })
    expect(nativeTheme.themeSource).toBe('light')
  })

  test('security 16: a part that fails is said and logged, and the program ends', async () => {
    await boot({ ...parts().given, makeDesk: () => Promise.reject(new Error('The disk is full.')) })
    expect(dialog.showErrorBox).toHaveBeenCalledExactlyOnceWith('Maskscope could not start', expect.stringContaining('The disk is full.'))
    expect(app.exit).toHaveBeenCalledExactlyOnceWith(1)
    expect(windows).toHaveLength(0)
    expect(readFileSync(path.join(folder, 'logs', 'maskscope.log'), 'utf8')).toContain('The disk is full.')
  })

  test('security 16: an error that nobody caught reaches the window', async () => {
    const { given, made } = parts()
    await boot(given)
    const events = heard(made[0]!.host)
    const added = process.listeners('uncaughtException').find((listener) => !before.get('uncaughtException')!.includes(listener))!
    added(new Error('lost in a callback'), 'uncaughtException')
    expect(events).toMatchObject([{ type: 'notice', level: 'error', message: expect.stringContaining('lost in a callback') as string }])
  })
})

describe('security 10: the developer tools and remote debugging', () => {
  const removed = (): string[] => app.commandLine.removeSwitch.mock.calls.map(([name]) => name as string)
  const devTools = (): unknown => (windows[0]!.options as { webPreferences: { devTools: boolean } }).webPreferences.devTools

  test('are off in a packaged program', async () => {
    app.isPackaged = true
    await boot(parts().given)
    expect(devTools()).toBe(false)
    expect(removed()).toEqual(['remote-debugging-port', 'remote-debugging-pipe', 'remote-debugging-address', 'remote-allow-origins'])
  })

  test('are on there by a flag', async () => {
    app.isPackaged = true
    process.argv = ['maskscope', '--devtools']
    await boot(parts().given)
    expect(devTools()).toBe(true)
    expect(removed()).toEqual([])
  })

  test('are on while developing', async () => {
    await boot(parts().given)
    expect(devTools()).toBe(true)
    expect(removed()).toEqual([])
  })
})

describe('security 18: one program', () => {
  test('a second one hands over its files and ends', async () => {
    process.argv = ['electron', 'zebra.jpg', '--flag']
    app.requestSingleInstanceLock.mockReturnValueOnce(false)
    const { given, made } = parts()
    await boot(given)
    expect(app.requestSingleInstanceLock).toHaveBeenCalledExactlyOnceWith({ files: [path.resolve('zebra.jpg')] })
    expect(app.quit).toHaveBeenCalledOnce()
    expect(made).toEqual([])
    expect(app.whenReady).not.toHaveBeenCalled()
  })

  test('the first one opens them and comes to the front', async () => {
    const { given, made } = parts()
    await boot(given)
    const events = heard(made[0]!.host)
    windows[0]!.isMinimized.mockReturnValueOnce(true)
    app.emit('second-instance', fakeEvent(), ['electron', '/other.jpg'], '/', { files: ['/a.maskscope', 'relative.jpg', 7] })
    await vi.waitFor(() => expect(events).toEqual([{ type: 'open', file: entry('/a.maskscope') }]))
    expect(windows[0]!.restore).toHaveBeenCalledOnce()
    expect(windows[0]!.focus).toHaveBeenCalledOnce()
    expect(windows).toHaveLength(1)
  })

  test.each([undefined, null, 7, {}, { files: 'a' }])('a message of %j opens nothing', async (data) => {
    const { given, made } = parts()
    await boot(given)
    const events = heard(made[0]!.host)
    app.emit('second-instance', fakeEvent(), [], '/', data)
    await Promise.resolve()
    expect(events).toEqual([])
  })
})

describe('files from outside', () => {
  test('of the command line and of a double click, early ones too, wait for the window', async () => {
    process.argv = ['electron', '/studies/pets.maskscope', '/missing.jpg']
    const { given, made } = parts()
    const early = fakeEvent()
    app.whenReady.mockImplementationOnce(() => {
      app.emit('open-file', early, '/studies/early.maskscope')
      return Promise.resolve()
    })
    await boot(given)
    expect(early.defaultPrevented).toBe(true)
    const events = heard(made[0]!.host)
    expect(events).toEqual([
      { type: 'open', file: entry('/studies/pets.maskscope') },
      { type: 'notice', level: 'error', message: '/missing.jpg does not exist.' },
      { type: 'open', file: entry('/studies/early.maskscope') },
    ])
    app.emit('open-file', fakeEvent(), '/later.jpg')
    await vi.waitFor(() => expect(events.at(-1)).toEqual({ type: 'open', file: entry('/later.jpg') }))
  })

  test('that are opened in the window are remembered by the system, and the menu lists them', async () => {
    const { given, made } = parts()
    await boot(given)
    made[0]!.host.opened!('/home/ada/zebra.jpg')
    expect(app.addRecentDocument).toHaveBeenCalledExactlyOnceWith('/home/ada/zebra.jpg')
    await vi.waitFor(() => expect(Menu.setApplicationMenu).toHaveBeenCalledTimes(2))
    expect(JSON.stringify(Menu.setApplicationMenu.mock.lastCall)).toContain('zebra.jpg in /home/ada')
  })

  test('the menu\'s commands reach the window; without one they bring it back', async () => {
    const { given, made } = parts()
    await boot(given)
    windows[0]!.destroy()
    const template = Menu.setApplicationMenu.mock.lastCall![0] as { submenu?: { id?: string; click?(): void }[] }[]
    template.flatMap((item) => item.submenu ?? []).find((item) => item.id === 'open-model')!.click!()
    expect(windows).toHaveLength(2)
    expect(heard(made[0]!.host)).toEqual([{ type: 'command', id: 'open-model' }])
  })
})

describe('the command line', () => {
  const read = (...given: string[]) => readArguments(['electron', ...given], '/photos', '/programs/maskscope')

  test.each([
    [[], { files: [], studies: null, devTools: false }],
    [['.'], { files: ['/photos'] }],
    [['/programs/maskscope', 'a.jpg'], { files: ['/photos/a.jpg'] }],
    [['/programs/maskscope/out/main/index.js', '/b/c.maskscope'], { files: ['/b/c.maskscope'] }],
    [['--inspect=0', '--remote-debugging-port=0', '--no-sandbox', 'a.jpg'], { files: ['/photos/a.jpg'] }],
    [['--studies', 'here', 'a.jpg'], { files: ['/photos/a.jpg'], studies: '/photos/here' }],
    [['--studies=/there'], { files: [], studies: '/there' }],
    [['--devtools'], { devTools: true }],
  ])('%j', (given, expected) => {
    expect(read(...given)).toMatchObject(expected)
  })
})

import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { DesktopBridge } from '#main/shells/electron/bridge.ts'
import { contextBridge, ipcRenderer, webUtils } from './electron-stub.ts'

vi.mock('electron', () => import('./electron-stub.ts'))

const page = { postMessage: vi.fn(), location: { origin: 'app://bundle' } }

let name: string
let bridge: DesktopBridge
let hear: (event: object, nonce: unknown) => void

// The preload runs once per page, and so it does here.
beforeAll(async () => {
  vi.stubGlobal('window', page)
  await import('#main/shells/electron/preload.ts')
  ;[name, bridge] = contextBridge.exposeInMainWorld.mock.calls[0] as [string, DesktopBridge]
  hear = ipcRenderer.on.mock.calls[0]![1] as typeof hear
})
afterAll(() => vi.unstubAllGlobals())

describe('security 7: the preload', () => {
  beforeEach(() => {
    page.postMessage.mockClear()
    ipcRenderer.invoke.mockClear()
  })

  test('exposes two functions, frozen, and nothing else', () => {
    expect(contextBridge.exposeInMainWorld).toHaveBeenCalledOnce()
    expect(name).toBe('maskscope')
    expect(Reflect.ownKeys(bridge).sort()).toEqual(['connect', 'give'])
    expect(Object.isFrozen(bridge)).toBe(true)
    expect(Object.values(bridge).every((value) => typeof value === 'function')).toBe(true)
  })

  test('asks over one channel, and hears one', () => {
    expect(bridge.connect('nonce')).toBeUndefined()
    expect(ipcRenderer.invoke).toHaveBeenCalledExactlyOnceWith('maskscope', { type: 'connect', nonce: 'nonce' })
    expect(ipcRenderer.on.mock.calls.map(([name]) => name as string)).toEqual(['maskscope:port'])
  })

  test('hands the port to the page itself and passes no event on', () => {
    const port = {}
    hear({ ports: [port], sender: ipcRenderer }, 'nonce')
    expect(page.postMessage).toHaveBeenCalledExactlyOnceWith({ type: 'maskscope:port', nonce: 'nonce' }, 'app://bundle', [port])
    hear({ ports: [port] }, { nonce: 'nonce' })
    expect(page.postMessage).toHaveBeenCalledOnce()
  })

  test('names a dropped file by its place and answers with its entry or in words', async () => {
    const file = new File([], 'zebra.jpg')
    const entry = { handle: 'h' }
    ipcRenderer.invoke.mockResolvedValueOnce({ file: entry })
    expect(await bridge.give(file)).toBe(entry)
    expect(webUtils.getPathForFile).toHaveBeenCalledExactlyOnceWith(file)
    expect(ipcRenderer.invoke).toHaveBeenCalledExactlyOnceWith('maskscope', { type: 'give', path: '/home/ada/zebra.jpg' })
    ipcRenderer.invoke.mockResolvedValueOnce({ message: 'It is gone.' })
    await expect(bridge.give(file)).rejects.toThrow('It is gone.')
  })

  test('a main side that does not answer throws nothing into the page', async () => {
    ipcRenderer.invoke.mockRejectedValueOnce(new Error('no handler'))
    bridge.connect('nonce')
    await new Promise((resolve) => setImmediate(resolve))
  })
})

describe('security 7: the built preload', () => {
  const built = readFileSync('out/preload/index.cjs', 'utf8')

  test('requires nothing but electron, and reads no environment', () => {
    expect([...built.matchAll(/require\(([^)]*)\)/g)].map((match) => match[1]?.replaceAll(/["'`]/g, ''))).toEqual(['electron'])
    expect(built).not.toMatch(/\bimport\b|process\.|ipcRenderer\.send|eval\(/)
  })
})

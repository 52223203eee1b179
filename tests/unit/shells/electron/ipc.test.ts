import type { WebContents } from 'electron'
import fc from 'fast-check'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { listenToWindow, senderProblem } from '#main/shells/electron/ipc.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { channels, FakeContents, fakeFrame, fakeLog, ipcMain, resetElectron, type FakeFrame, type FakePort } from './electron-stub.ts'

vi.mock('electron', () => import('./electron-stub.ts'))
beforeEach(resetElectron)

const nonce = 'a1b2c3d4-e5f6-7890-abcd-ef0123456789'
const entry = { handle: 'h', name: 'zebra.jpg', kind: 'image', place: '~', bytes: 3 } as const

function listening() {
  const ours = new FakeContents()
  const log = fakeLog()
  const give = vi.fn((_file: string) => Promise.resolve(entry))
  const ended: FakePort[] = []
  listenToWindow({
    isOurs: (contents) => (contents as unknown) === ours,
    serve(port, onClosed) {
      const served = port as unknown as FakePort
      served.on('close', onClosed)
      return () => {
        ended.push(served)
        served.close()
      }
    },
    give, log,
  })
  expect(ipcMain.handle).toHaveBeenCalledOnce()
  const [name, handler] = ipcMain.handle.mock.calls[0] as [string, (event: unknown, message: unknown) => Promise<{ file?: unknown; message?: string }>]
  expect(name).toBe('maskscope')
  const ask = (message: unknown, sender: FakeContents = ours, senderFrame: FakeFrame | null = sender.mainFrame) => handler({ sender, senderFrame }, message)
  return { ours, log, give, ended, ask }
}

describe('security 8: who is heard', () => {
  const ours = new FakeContents()
  const top = fakeFrame('app://bundle')
  test.each([
    ['our page in our window', top, ours, null],
    ['a frame that is gone', null, ours, 'gone'],
    ['a frame within, of our own origin', fakeFrame('app://bundle', top), ours, 'inside the page'],
    ['another origin', fakeFrame('https://evil.example'), ours, 'https://evil.example'],
    ['an origin that begins like ours', fakeFrame('app://bundle.evil.example'), ours, 'app://bundle.evil'],
    ['an opaque origin', fakeFrame('null'), ours, 'null'],
    ['a file', fakeFrame('file://'), ours, 'file://'],
    ['another page', top, new FakeContents(), 'another page'],
  ])('%s', (_name, frame, sender, problem) => {
    const event = { sender: sender as unknown as WebContents, senderFrame: frame as never }
    const found = senderProblem(event, (contents) => (contents as unknown) === ours)
    if (problem === null) expect(found).toBeNull()
    else expect(found).toContain(problem)
  })

  test('a message from elsewhere is refused and logged, and nothing comes of it', async () => {
    const { ask, give, log, ours } = listening()
    for (const [sender, frame] of [[new FakeContents(), undefined], [ours, fakeFrame('app://bundle', ours.mainFrame)], [ours, null]] as const) {
      expect(await ask({ type: 'connect', nonce }, sender, frame)).toHaveProperty('message')
      expect(await ask({ type: 'give', path: '/etc/passwd' }, sender, frame)).toHaveProperty('message')
    }
    expect(channels).toHaveLength(0)
    expect(give).not.toHaveBeenCalled()
    expect(log.warn).toHaveBeenCalledTimes(6)
  })
})

describe('security 8: what is heard', () => {
  test.each([
    null, undefined, 'connect', 7, [], {}, { type: 'open' }, { type: 'connect' }, { type: 'connect', nonce: 7 }, { type: 'connect', nonce: 'short' },
    { type: 'connect', nonce: 'a'.repeat(65) }, { type: 'connect', nonce: `${nonce}<` }, { type: 'connect', nonce, more: 1 }, { type: 'give' },
    { type: 'give', path: 7 }, { type: 'give', path: `/${'a'.repeat(40_000)}` }, { type: 'give', path: '/a', nonce },
  ])('not %j', async (message) => {
    const { ask, give, log } = listening()
    expect(await ask(message)).toEqual({ message: 'The window may not do that. Reload it.' })
    expect(log.warn).toHaveBeenCalledOnce()
    expect(channels).toHaveLength(0)
    expect(give).not.toHaveBeenCalled()
  })

  test('security 9: whatever is sent, it is answered and opens nothing', async () => {
    const { ask, give } = listening()
    await fc.assert(fc.asyncProperty(fc.oneof(fc.anything(), fc.record({ type: fc.constantFrom('connect', 'give'), nonce: fc.anything(), path: fc.anything() })), async (message) => {
      expect(await ask(message)).toHaveProperty('message')
    }))
    expect(channels).toHaveLength(0)
    expect(give).not.toHaveBeenCalled()
  })
})

describe('security 8: the port', () => {
  test('goes to the page with its nonce, once per load', async () => {
    const { ask, ours, ended } = listening()
    expect(await ask({ type: 'connect', nonce })).toEqual({})
    expect(ours.mainFrame.postMessage).toHaveBeenCalledExactlyOnceWith('maskscope:port', nonce, [channels[0]!.port2])
    expect(await ask({ type: 'connect', nonce })).toHaveProperty('message')
    expect(channels).toHaveLength(1)
    expect(ended).toHaveLength(0)
  })

  test.each([
    ['a reload', (ours: FakeContents) => ours.emit('did-start-navigation', { isMainFrame: true, isSameDocument: false })],
    ['the page dies', (ours: FakeContents) => ours.emit('render-process-gone')],
    ['the window is closed', (ours: FakeContents) => ours.emit('destroyed')],
  ])('is closed when there is %s, and the next load has its own', async (_name, happen) => {
    const { ask, ours, ended } = listening()
    await ask({ type: 'connect', nonce })
    happen(ours)
    expect(ended).toEqual([channels[0]!.port1])
    expect(await ask({ type: 'connect', nonce })).toEqual({})
    expect(channels).toHaveLength(2)
  })

  test('stays when only a frame within or the address after # changes', async () => {
    const { ask, ours, ended } = listening()
    await ask({ type: 'connect', nonce })
    ours.emit('did-start-navigation', { isMainFrame: false, isSameDocument: false })
    ours.emit('did-start-navigation', { isMainFrame: true, isSameDocument: true })
    expect(ended).toHaveLength(0)
  })

  test('may be asked for again when it was lost', async () => {
    const { ask, ended } = listening()
    await ask({ type: 'connect', nonce })
    channels[0]!.port1.close()
    expect(await ask({ type: 'connect', nonce })).toEqual({})
    expect(ended).toHaveLength(0)
  })
})

describe('security 9: a dropped file', () => {
  test('becomes a handle', async () => {
    const { ask, give } = listening()
    expect(await ask({ type: 'give', path: '/home/ada/zebra.jpg' })).toEqual({ file: entry })
    expect(give).toHaveBeenCalledExactlyOnceWith('/home/ada/zebra.jpg')
  })

  test.each(['', 'zebra.jpg', './zebra.jpg', '/a\0b'])('without a place of its own, %j, is refused in words', async (path) => {
    const { ask, give } = listening()
    expect((await ask({ type: 'give', path })).message).toContain('no file on this computer')
    expect(give).not.toHaveBeenCalled()
  })

  test('that cannot be read says why', async () => {
    const { ask, give, log } = listening()
    give.mockRejectedValueOnce(new MaskscopeError('input', '/x does not exist; check its name.'))
    expect(await ask({ type: 'give', path: '/x' })).toEqual({ message: '/x does not exist; check its name.' })
    expect(log.warn).toHaveBeenCalledOnce()
  })
})

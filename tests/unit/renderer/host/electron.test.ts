// @vitest-environment happy-dom
import { MessageChannel as NodeChannel } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { electronHost } from '#renderer/host/electron.ts'
import type { FileEntry } from '#shared/contract/system.ts'

const bridge = { connect: vi.fn<(nonce: string) => void>(), give: vi.fn<(file: File) => Promise<FileEntry>>() }
const open: { close(): void }[] = []

beforeEach(() => {
  vi.clearAllMocks()
  bridge.connect.mockReset()
  bridge.give.mockReset().mockImplementation((file) => Promise.resolve({ handle: file.name, name: file.name, kind: 'image', place: '~', bytes: 1 }))
  window.maskscope = bridge
})
afterEach(() => {
  vi.useRealTimers()
  for (const port of open.splice(0)) port.close()
  delete window.maskscope
})

function host() {
  const made = electronHost()
  if (!made) throw new Error('there is a bridge')
  return made
}

/** Two ends of a channel; the main side's end says what it hears. */
function channel() {
  const { port1, port2 } = new NodeChannel()
  open.push(port1, port2)
  return { main: port1, page: port2 as unknown as MessagePort }
}

/** What the preload does, or what pretends to be it. */
function post(facts: { data: unknown; ports?: MessagePort[]; source?: unknown }): void {
  const event = new MessageEvent('message', { data: facts.data })
  Object.defineProperty(event, 'source', { value: 'source' in facts ? facts.source : window })
  Object.defineProperty(event, 'ports', { value: facts.ports ?? [] })
  window.dispatchEvent(event)
}

const isOpen = async (promise: Promise<unknown>): Promise<boolean> => (await Promise.race([promise.then(() => 'done'), new Promise((resolve) => setTimeout(resolve, 20, 'open'))])) === 'open'

test('there is no desktop host in a browser', () => {
  delete window.maskscope
  expect(electronHost()).toBeNull()
})

describe('security 8: the page takes its port', () => {
  test('from a message of its own window that bears the nonce', async () => {
    const { main, page } = channel()
    const connecting = host().connect()
    const nonce = bridge.connect.mock.calls[0]![0]
    expect(nonce).toMatch(/^[\w-]{16,64}$/)
    post({ data: { type: 'maskscope:port', nonce }, ports: [page] })
    const wire = await connecting
    const heard = new Promise((resolve) => main.once('message', resolve))
    wire.send({ hello: 1 })
    expect(await heard).toEqual({ hello: 1 })
    wire.close()
  })

  test('from no other', async () => {
    const connecting = host().connect()
    connecting.catch(() => undefined)
    const nonce = bridge.connect.mock.calls[0]![0]
    const { page } = channel()
    post({ data: { type: 'maskscope:port', nonce }, ports: [page], source: null })
    post({ data: { type: 'maskscope:port', nonce }, ports: [page], source: {} })
    post({ data: { type: 'maskscope:port', nonce: 'another' }, ports: [page] })
    post({ data: { type: 'other', nonce }, ports: [page] })
    post({ data: { type: 'maskscope:port', nonce } })
    for (const data of [null, undefined, 'maskscope:port', 7]) post({ data, ports: [page] })
    expect(await isOpen(connecting)).toBe(true)
    post({ data: { type: 'maskscope:port', nonce }, ports: [page] })
    ;(await connecting).close()
  })

  test('with a nonce of its own each time', async () => {
    const one = host()
    const nonces: string[] = []
    for (let i = 0; i < 3; i++) {
      const connecting = one.connect()
      const nonce = bridge.connect.mock.calls.at(-1)![0]
      nonces.push(nonce)
      post({ data: { type: 'maskscope:port', nonce }, ports: [channel().page] })
      await connecting
    }
    expect(new Set(nonces).size).toBe(3)
  })

  test('and a second wire closes the first', async () => {
    const one = host()
    const connect = (): ReturnType<typeof one.connect> => {
      const connecting = one.connect()
      post({ data: { type: 'maskscope:port', nonce: bridge.connect.mock.calls.at(-1)![0] }, ports: [channel().page] })
      return connecting
    }
    const closed = vi.fn()
    ;(await connect()).onClose(closed)
    const second = await connect()
    expect(closed).toHaveBeenCalledOnce()
    second.close()
  })

  test('or says that nobody answers', async () => {
    vi.useFakeTimers()
    const connecting = host().connect()
    const refused = expect(connecting).rejects.toMatchObject({ code: 'unavailable' })
    await vi.advanceTimersByTimeAsync(5000)
    await refused
  })
})

describe('dropped files', () => {
  const files = [new File(['a'], 'zebra.jpg'), new File(['b'], 'folder')]

  test('are given one by one, folders among them, and say how far they are', async () => {
    const onProgress = vi.fn()
    expect((await host().give(files, { onProgress })).map(({ name }) => name)).toEqual(['zebra.jpg', 'folder'])
    expect(onProgress.mock.calls).toEqual([[0.5], [1]])
    const transfer = { files } as unknown as DataTransfer
    expect(await host().give(transfer)).toHaveLength(2)
  })

  test('that cannot be taken say why, and which', async () => {
    bridge.give.mockRejectedValueOnce(new Error('zebra.jpg is gone.'))
    await expect(host().give(files)).rejects.toMatchObject({ code: 'input', message: 'zebra.jpg is gone.', subject: 'zebra.jpg' })
    await expect(host().give(files, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' })
  })
})

test('a download is a link that is clicked once, with the bytes behind it', () => {
  const clicked: HTMLAnchorElement[] = []
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function click(this: HTMLAnchorElement) {
    clicked.push(this)
  })
  vi.useFakeTimers()
  const revoke = vi.spyOn(URL, 'revokeObjectURL')
  host().download('figure.pdf', new Uint8Array([1]), 'application/pdf')
  expect(clicked.map((link) => [link.download, link.href.startsWith('blob:')])).toEqual([['figure.pdf', true]])
  vi.runAllTimers()
  expect(revoke).toHaveBeenCalledOnce()
})

import { fork, type ChildProcess } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { MessageChannel as NodeChannel, type MessagePort as NodePort } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { workerPath } from '#main/workbench.ts'
import type { WorkbenchContract } from '#shared/contract/contract.ts'
import { createClient } from '#shared/link/client.ts'
import type { Client } from '#shared/link/link.ts'
import { portWire } from '#shared/link/port-wire.ts'
import { watchRuns, type Watched } from '../fixtures/desk.ts'
import { app, dialog, fakeEvent, ipcMain, resetElectron, windows } from '../unit/shells/electron/electron-stub.ts'

/**
 * The whole desktop program but Electron itself: its entry, its desk and its engine processes, with what Electron gives
 * made of Node's own ports and processes.
 */
vi.mock('electron', async () => ({
  ...await import('../unit/shells/electron/electron-stub.ts'), MessageChannelMain: MainChannel, utilityProcess: { fork: forkWorker },
}))

class MainPort extends EventEmitter {
  readonly #port: NodePort
  constructor(port: NodePort) {
    super()
    this.#port = port
    port.on('message', (data: unknown) => this.emit('message', { data }))
    port.on('close', () => this.emit('close'))
  }

  postMessage = (message: unknown): void => this.#port.postMessage(message)
  start = (): void => this.#port.start()
  close = (): void => this.#port.close()
}

class MainChannel {
  readonly port1: MainPort
  readonly port2: NodePort
  constructor() {
    const { port1, port2 } = new NodeChannel()
    this.port1 = new MainPort(port1)
    this.port2 = port2
  }
}

const workers: ChildProcess[] = []

function forkWorker(file: string, given: string[], options: { env: NodeJS.ProcessEnv; execArgv: string[] }) {
  const child = fork(file, given, { serialization: 'advanced', execArgv: options.execArgv, env: options.env, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  workers.push(child)
  const like = Object.assign(new EventEmitter(), { pid: child.pid, stderr: child.stderr, kill: () => child.kill(), postMessage: (message: object) => child.send(message, () => undefined) })
  child.on('message', (message) => like.emit('message', message))
  child.on('exit', (code, signal) => like.emit('exit', code ?? (signal === 'SIGKILL' ? 9 : 1)))
  return like
}

let folder: string
let argv: string[]
const wires: { close(): void }[] = []

/** As the page does it, through the preload. */
async function connect(): Promise<Client<WorkbenchContract>> {
  const window = windows[0]!
  const handler = ipcMain.handle.mock.calls[0]![1] as (event: object, message: unknown) => Promise<object>
  const nonce = crypto.randomUUID()
  expect(await handler({ sender: window.webContents, senderFrame: window.webContents.mainFrame }, { type: 'connect', nonce })).toEqual({})
  const [, given, [port]] = window.webContents.mainFrame.postMessage.mock.lastCall as [string, string, [NodePort]]
  expect(given).toBe(nonce)
  const wire = portWire(port)
  wires.push(wire)
  return createClient<WorkbenchContract>(wire)
}

let client: Client<WorkbenchContract>
let watched: Watched
let order: { model: string; image: string; method: string; parameters: { iterations: number }; seed: number; target: 'auto' }

beforeAll(async () => {
  resetElectron()
  folder = mkdtempSync(path.join(tmpdir(), 'maskscope-shell-'))
  app.paths = { logs: path.join(folder, 'logs'), userData: path.join(folder, 'data'), documents: path.join(folder, 'documents') }
  argv = process.argv
  process.argv = ['electron', process.cwd()]
  await import('#main/shells/electron/main.ts')
  await vi.waitFor(() => expect(windows).toHaveLength(1), { timeout: 10_000 })
  client = await connect()
  watched = watchRuns(client)
  const model = await client.call('models.open', { from: { bundled: 'demo' }, stated: {} })
  if (model.state !== 'open') throw new Error(model.message)
  const [image] = await client.call('images.open', { from: { scene: 'scene:2000003' } })
  order = { model: model.model, image: image!.image, method: 'neuromask', parameters: { iterations: 20 }, seed: 0, target: 'auto' }
}, 60_000)

afterAll(() => {
  process.argv = argv
  for (const wire of wires) wire.close()
  for (const worker of workers) worker.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

describe('the desktop program', () => {
  test('says what it is', async () => {
    expect(await client.call('system.hello', {})).toMatchObject({ shell: 'electron', nativeDialogs: true })
    expect(workerPath()).toBe(path.resolve('out/main/worker.js'))
  })

  test('runs the demo to its end over the window\'s port', async () => {
    const { run } = await client.call('runs.submit', order)
    expect(await watched.ended(run)).toMatchObject({ state: 'finished', iteration: 20 })
    expect(existsSync(path.join(folder, 'documents', 'Maskscope'))).toBe(true)
  }, 60_000)

  test('security 14: a worker killed in the middle fails its run, and the next run works', async () => {
    const { run } = await client.call('runs.submit', { ...order, parameters: { iterations: 2000 } })
    await watched.until(() => watched.events.some((event) => event.type === 'progress' && event.run === run && event.iteration >= 3))
    for (const worker of workers) worker.kill('SIGKILL')
    expect(await watched.ended(run)).toMatchObject({ state: 'failed', error: { code: 'worker' } })
    const next = await client.call('runs.submit', { ...order, parameters: { iterations: 5 } })
    expect(await watched.ended(next.run)).toMatchObject({ state: 'finished' })
  }, 60_000)

  test('security 15: a reload ends the old port and finds the running run again', async () => {
    const { run } = await client.call('runs.submit', { ...order, parameters: { iterations: 2000 } })
    await watched.until(() => watched.events.some((event) => event.type === 'progress' && event.run === run))
    windows[0]!.webContents.emit('did-start-navigation', { isMainFrame: true, isSameDocument: false })
    await client.closed
    client = await connect()
    watched = watchRuns(client)
    await watched.until(() => watched.rows.get(run)?.state === 'running')
    await client.call('runs.cancel', { run })
    expect(await watched.ended(run)).toMatchObject({ state: 'cancelled' })
  }, 60_000)

  test('security 20: quitting in the middle of a run asks; cancelling ends every process', async () => {
    const { run } = await client.call('runs.submit', { ...order, parameters: { iterations: 2000 } })
    await watched.until(() => watched.events.some((event) => event.type === 'progress' && event.run === run))
    const over = new Promise<void>((resolve) => {
      app.quit.mockImplementation(() => {
        const event = fakeEvent()
        app.emit('before-quit', event)
        if (!event.defaultPrevented) resolve()
      })
    })
    dialog.showMessageBox.mockResolvedValueOnce({ response: 1, checkboxChecked: false })
    app.quit()
    await over
    expect(dialog.showMessageBox).toHaveBeenCalledOnce()
    await vi.waitFor(() => expect(workers.every(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null)).toBe(true))
  }, 60_000)
})

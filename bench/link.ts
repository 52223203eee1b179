import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { availableParallelism } from 'node:os'
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads'
import { WebSocketServer, type WebSocket } from 'ws'
import { portWire } from '#shared/link/port-wire.ts'
import { serve } from '#shared/link/serve.ts'
import { socketWire } from '#shared/link/socket-wire.ts'
import type { Wire } from '#shared/link/wire.ts'
import { linkContract, type LinkContract } from './link-contract.ts'
import { median, rounded } from './timing.ts'

const side = 224
const frameBytes = 4 * side * side

interface Window {
  frames(): Promise<number>
  latencies(): Promise<number[]>
  end(): Promise<void>
}

/**
 * Frames of 224 x 224 floats per second and the time of a call, over a WebSocket on 127.0.0.1 and over a MessagePort,
 * through the whole link (schemas and codec); the same with WASM computing on every core.
 */
export async function run(): Promise<object> {
  const windows = { webSocket: await overSocket(), messagePort: overPort() }
  const idle = await measure(windows)
  const cores = availableParallelism()
  const busy = Array.from({ length: cores }, () => fork(new URL('./link-busy.ts', import.meta.url)))
  try {
    await Promise.all(busy.map((child) => once(child, 'message')))
    return { frame: `${side}x${side} floats, ${frameBytes} bytes`, cores, idle, busy: await measure(windows) }
  } finally {
    await Promise.all(busy.map(endChild))
    await Promise.all(Object.values(windows).map((window) => window.end()))
  }
}

async function measure(windows: Record<string, Window>): Promise<object> {
  const result: Record<string, object> = {}
  for (const [name, window] of Object.entries(windows)) {
    const perSecond = await window.frames()
    const latencies = (await window.latencies()).sort((a, b) => a - b)
    result[name] = {
      framesPerSecond: rounded(perSecond, 0),
      megabytesPerSecond: rounded((perSecond * frameBytes) / 1e6, 0),
      callMs: { median: rounded(median(latencies)), p95: rounded(latencies[Math.floor(latencies.length * 0.95)]!) },
    }
  }
  return result
}

function answer(wire: Wire): void {
  const data = Float32Array.from({ length: side * side }, (_, i) => Math.sin(i))
  serve<LinkContract>(linkContract, {
    calls: { echo: (input) => input },
    streams: {
      async frames({ count }, emit) {
        for (let iteration = 0; iteration < count; iteration++) {
          emit({ type: 'frame', iteration, map: { height: side, width: side, data } })
          if (iteration % 10 === 9) await new Promise((resolve) => setImmediate(resolve))
        }
      },
    },
  }, wire)
}

async function overSocket(): Promise<Window> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  await once(server, 'listening')
  server.on('connection', (socket: WebSocket) => answer(socketWire(socket)))
  const window = openWindow(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, null)
  return {
    ...window,
    async end() {
      await window.end()
      server.close()
    },
  }
}

function overPort(): Window {
  const { port1, port2 } = new MessageChannel()
  answer(portWire(port1))
  return openWindow(null, port2)
}

function openWindow(url: string | null, port: MessagePort | null): Window {
  // A thread does not take over what lets this process read TypeScript.
  const source = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(new URL('./link-window.ts', import.meta.url).href)}) })`
  const worker = new Worker(source, { eval: true, workerData: { url, port }, transferList: port ? [port] : [] })
  async function ask<T>(what: string): Promise<T> {
    worker.postMessage(what)
    const [found] = (await once(worker, 'message')) as [T]
    return found
  }
  return {
    frames: () => ask('frames'),
    latencies: () => ask('latencies'),
    async end() {
      worker.postMessage('end')
      await once(worker, 'exit')
    },
  }
}

async function endChild(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

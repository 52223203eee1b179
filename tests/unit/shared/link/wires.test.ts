import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { MessageChannel } from 'node:worker_threads'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { WebSocket as ClientSocket, WebSocketServer } from 'ws'
import { createClient } from '#shared/link/client.ts'
import { memoryWires } from '#shared/link/memory-wire.ts'
import { portWire, type MainPort } from '#shared/link/port-wire.ts'
import { socketWire } from '#shared/link/socket-wire.ts'
import type { Wire } from '#shared/link/wire.ts'
import { serveExample, type Example } from './example-contract.ts'

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

function ports(): [Wire, Wire] {
  const { port1, port2 } = new MessageChannel()
  return [portWire(port1), portWire(port2)]
}

/** Electron's kind of port: events with `data`, nothing before `start`. */
function mainPorts(): [Wire, Wire] {
  const { port1, port2 } = new MessageChannel()
  const emitter = new EventEmitter()
  port2.on('message', (data: unknown) => emitter.emit('message', { data, ports: [] }))
  port2.on('close', () => emitter.emit('close'))
  port2.unref()
  const main = Object.assign(emitter, {
    postMessage: (message: unknown) => port2.postMessage(message), start: () => port2.ref(), close: () => port2.close(),
  })
  return [portWire(port1), portWire(main as MainPort)]
}

async function sockets(): Promise<[Wire, Wire]> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets = new WebSocketServer({ server })
  const far = once(sockets, 'connection')
  // Not open yet: what is sent before waits.
  const near = socketWire(new ClientSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`))
  const [socket] = (await far) as [ClientSocket]
  ends.push(() => {
    socket.terminate()
    sockets.close()
    server.close()
  })
  return [near, socketWire(socket)]
}

const kinds: Record<string, () => Promise<[Wire, Wire]> | [Wire, Wire]> = { memory: memoryWires, port: ports, 'port of Electron': mainPorts, socket: sockets }

describe.each(Object.entries(kinds))('%s', (_, make) => {
  test('carries calls, arrays and streams', async () => {
    const [here, there] = await make()
    ends.push(() => here.close())
    serveExample(there)
    const client = createClient<Example>(here)
    const map = Float32Array.from({ length: 50_176 }, (_x, i) => i / 7)
    const file = Uint8Array.of(1, 2, 3)
    expect(await client.call('mirror', { map, file })).toEqual({ map, file })
    const seen: number[] = []
    client.watch('count', { to: 500 }, ({ n }) => seen.push(n))
    await vi.waitFor(() => expect(seen).toHaveLength(500))
    expect(seen.at(-1)).toBe(500)
  })

  test('keeps what comes before somebody listens', async () => {
    const [here, there] = await make()
    ends.push(() => here.close())
    here.send({ n: 1 })
    here.send({ n: 2 })
    await new Promise((resolve) => setTimeout(resolve, 30))
    const heard: unknown[] = []
    there.onMessage((message) => heard.push(message))
    await vi.waitFor(() => expect(heard).toEqual([{ n: 1 }, { n: 2 }]))
  })

  test('tells both sides of its end, once, also who asks later', async () => {
    const [here, there] = await make()
    const heard: string[] = []
    there.onClose((reason) => heard.push(reason))
    here.close()
    here.close()
    here.send({ late: true })
    await vi.waitFor(() => expect(heard).toHaveLength(1))
    const late = vi.fn()
    there.onClose(late)
    here.onClose(late)
    expect(late).toHaveBeenCalledTimes(2)
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(heard).toHaveLength(1)
  })
})

test('a socket that sends text or nonsense is closed', async () => {
  for (const data of ['{"type":"call"}', Uint8Array.of(0xc1)]) {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    const raw = new ClientSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const [socket] = (await once(server, 'connection')) as [ClientSocket]
    const wire = socketWire(socket)
    const closed = new Promise((resolve) => wire.onClose(resolve))
    if (raw.readyState !== raw.OPEN) await once(raw, 'open')
    raw.send(data)
    expect(await closed).toBe('the other side sent what is no message')
    const [code] = (await once(raw, 'close')) as [number]
    expect(code).toBe(1007)
    server.close()
  }
})

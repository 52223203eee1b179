import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { WebSocket } from 'ws'
import { createClient } from '#shared/link/client.ts'
import { portWire } from '#shared/link/port-wire.ts'
import { socketWire } from '#shared/link/socket-wire.ts'
import type { LinkContract } from './link-contract.ts'

/** The window's end, in a thread of its own as the page is in a process of its own. */
const { port, url } = workerData as { port: MessagePort | null; url: string | null }
const client = createClient<LinkContract>(port ? portWire(port) : socketWire(new WebSocket(url!)))

const rounds = 20
const framesPerRound = 50
const calls = 200

/** Frames per second, in rounds so that what waits on the way stays bounded. */
async function frames(): Promise<number> {
  await oneRound()
  const start = performance.now()
  for (let i = 0; i < rounds; i++) await oneRound()
  return (1000 * rounds * framesPerRound) / (performance.now() - start)
}

function oneRound(): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = 0
    const stop = client.watch('frames', { count: framesPerRound }, ({ map }) => {
      if (map.data.length !== 50_176) throw new Error('a frame is not whole')
      if (++seen < framesPerRound) return
      stop()
      resolve()
    }, (error) => error && reject(error))
  })
}

/** Of single calls with pauses between them, in ms. */
async function latencies(): Promise<number[]> {
  const found: number[] = []
  for (let n = -20; n < calls; n++) {
    await new Promise((resolve) => setTimeout(resolve, 5))
    const start = performance.now()
    await client.call('echo', { n })
    if (n >= 0) found.push(performance.now() - start)
  }
  return found
}

parentPort!.on('message', async (what: 'frames' | 'latencies' | 'end') => {
  if (what === 'end') {
    client.close()
    parentPort!.close()
  } else parentPort!.postMessage(await (what === 'frames' ? frames() : latencies()))
})

import { decodeMessage, encodeMessage } from './codec.ts'
import { createMailbox } from './mailbox.ts'
import type { Wire } from './wire.ts'

/** What a browser's WebSocket and that of `ws` have in common. */
export interface Socket {
  binaryType: string
  readonly readyState: number
  readonly bufferedAmount: number
  send(data: Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
  addEventListener(type: 'open' | 'error', listener: () => void): void
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void
}

const connecting = 0
const open = 1

/** A WebSocket as a wire. What is sent before it is open waits; the first frame that is no message closes it. */
export function socketWire(socket: Socket): Wire {
  const box = createMailbox()
  let early: Uint8Array<ArrayBuffer>[] = []
  socket.binaryType = 'arraybuffer'
  socket.addEventListener('open', () => {
    for (const bytes of early) socket.send(bytes)
    early = []
  })
  socket.addEventListener('message', ({ data }) => {
    let message: unknown
    try {
      if (!(data instanceof ArrayBuffer)) throw new TypeError('text')
      message = decodeMessage(data)
    } catch {
      close(1007, 'the other side sent what is no message')
      return
    }
    box.deliver(message)
  })
  socket.addEventListener('close', ({ code, reason }) => box.end(reason || `the connection ended with code ${code}`))
  // Always followed by `close`; without a listener it would be thrown.
  socket.addEventListener('error', () => undefined)
  if (socket.readyState > open) box.end('the connection was closed already')

  function close(code: number, reason: string): void {
    early = []
    socket.close(code, reason)
    box.end(reason)
  }

  return {
    send(message) {
      if (box.ended) return
      const bytes = encodeMessage(message)
      if (socket.readyState === connecting) early.push(bytes)
      else if (socket.readyState === open) socket.send(bytes)
    },
    onMessage: box.onMessage,
    onClose: box.onClose,
    close: () => close(1000, 'closed on this side'),
    buffered: () => socket.bufferedAmount,
  }
}

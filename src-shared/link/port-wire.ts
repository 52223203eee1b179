import { createMailbox } from './mailbox.ts'
import type { Wire } from './wire.ts'

interface PortBase {
  postMessage(message: unknown): void
  start(): void
  close(): void
}

/** MessagePort of a page or of Node. */
export interface PagePort extends PortBase {
  addEventListener(type: string, listener: (event: { data: unknown }) => void): void
}

/** MessagePortMain of Electron. */
export interface MainPort extends PortBase {
  on(type: 'message', listener: (event: { data: unknown }) => void): unknown
  on(type: 'close', listener: () => void): unknown
}

/** Said before closing: not every kind of port tells the other side. */
const goodbye = 'maskscope:goodbye'

/** A port as a wire. Nothing is ever transferred, only cloned: Electron loses transferred arrays on the way. */
export function portWire(port: PagePort | MainPort): Wire {
  const box = createMailbox()
  const hear = ({ data }: { data: unknown }): void => {
    if (data === goodbye) end('closed by the other side')
    else box.deliver(data)
  }
  const closed = (): void => box.end('closed by the other side')
  if ('on' in port && !('addEventListener' in port)) {
    port.on('message', hear)
    port.on('close', closed)
  } else {
    const page = port as PagePort
    page.addEventListener('message', hear)
    page.addEventListener('close', closed)
    page.addEventListener('messageerror', () => end('the other side sent what is no message'))
  }
  port.start()

  function end(reason: string): void {
    box.end(reason)
    port.close()
  }

  return {
    send(message) {
      if (!box.ended) port.postMessage(message)
    },
    onMessage: box.onMessage,
    onClose: box.onClose,
    close() {
      if (!box.ended) port.postMessage(goodbye)
      end('closed on this side')
    },
    // A port does not tell; the window's `seen` holds back what it is too slow for.
    buffered: () => 0,
  }
}

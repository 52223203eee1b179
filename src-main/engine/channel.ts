import type { WorkerReply, WorkerRequest } from './protocol.ts'

/** What a worker hears and says, whatever kind of process it is. */
export interface Channel {
  /** Resolves once the message is on its way. A long one leaves in pieces, one in each turn of the event loop. */
  send(reply: WorkerReply): void | Promise<void>
  onRequest(listener: (request: WorkerRequest) => void): void
  /** The one who asked is gone. */
  onClose(listener: () => void): void
  readonly open: boolean
}

/** The part of `process` that leads to the parent: that of a child process of Node, or of a utility process of Electron. */
export interface ChildProcess {
  send?: ((message: unknown, handle: undefined, options: undefined, sent: () => void) => unknown) | undefined
  connected?: boolean
  on(event: string, listener: (message: unknown) => void): unknown
  parentPort?: ParentPort
}

/** Electron's `process.parentPort`, as far as it is used here. */
interface ParentPort {
  postMessage(message: unknown): void
  on(event: 'message', listener: (event: { data: unknown }) => void): unknown
}

/** @returns null for a process that nobody started as a worker */
export function openChannel(child: ChildProcess): Channel | null {
  const { parentPort } = child
  if (parentPort) {
    return {
      open: true,
      send: (reply) => parentPort.postMessage(reply),
      onRequest: (listener) => void parentPort.on('message', ({ data }) => listener(data as WorkerRequest)),
      // Electron ends its utility processes itself.
      onClose: () => undefined,
    }
  }
  if (!child.send) return null
  return {
    get open() {
      return child.connected === true
    },
    send(reply) {
      if (!child.connected) return
      return new Promise((resolve) => void child.send!(reply, undefined, undefined, () => resolve()))
    },
    onRequest: (listener) => void child.on('message', (message) => listener(message as WorkerRequest)),
    onClose: (listener) => void child.on('disconnect', listener),
  }
}

import { createMailbox, type Mailbox } from './mailbox.ts'
import type { Wire } from './wire.ts'

/** Two ends within one process, for tests. Messages are cloned as a MessagePort clones them, and come later, in order. */
export function memoryWires(): [Wire, Wire] {
  const boxes: [Mailbox, Mailbox] = [createMailbox(), createMailbox()]
  const end = (own: Mailbox, other: Mailbox): Wire => ({
    send(message) {
      const copy = structuredClone(message)
      if (!own.ended) queueMicrotask(() => other.deliver(copy))
    },
    onMessage: own.onMessage,
    onClose: own.onClose,
    close() {
      own.end('closed on this side')
      queueMicrotask(() => other.end('closed by the other side'))
    },
    buffered: () => 0,
  })
  return [end(boxes[0], boxes[1]), end(boxes[1], boxes[0])]
}

import type { FileEntry } from '#shared/contract/system.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { portWire } from '#shared/link/port-wire.ts'
import type { Wire } from '#shared/link/wire.ts'
import type { Host } from './host.ts'

/** What the preload of the desktop program puts into the page (src-main/shells/electron/bridge.ts). */
interface DesktopBridge {
  connect(nonce: string): void
  give(file: File): Promise<FileEntry>
}

declare global {
  interface Window {
    maskscope?: DesktopBridge
  }
}

/** The port comes at once or, where the main side is not there, never. */
const patienceMs = 5000

/** The desktop program, or null in a browser. */
export function electronHost(page: Window = window): Host | null {
  const bridge = page.maskscope
  if (!bridge) return null
  let wire: Wire | null = null
  return {
    async connect() {
      wire?.close()
      wire = portWire(await receivePort(page, bridge))
      return wire
    },
    async give(files, { onProgress, signal } = {}) {
      const given: FileEntry[] = []
      // A dropped folder stands among the files, as one of them.
      const list = Array.isArray(files) ? (files as readonly File[]) : [...(files as DataTransfer).files]
      for (const file of list) {
        if (signal?.aborted) throw new MaskscopeError('cancelled', 'Nothing more was opened.')
        given.push(await bridge.give(file).catch((cause: unknown) => {
          throw new MaskscopeError('input', cause instanceof Error ? cause.message : String(cause), { subject: file.name, cause })
        }))
        onProgress?.(given.length / list.length)
      }
      return given
    },
    download(name, bytes, type) {
      const address = URL.createObjectURL(new Blob([bytes], { type }))
      const link = page.document.createElement('a')
      link.href = address
      link.download = name
      link.click()
      setTimeout(() => URL.revokeObjectURL(address), 10_000)
    },
  }
}

/** Only a message of the window to itself, with the nonce that was asked with, brings the port. */
function receivePort(page: Window, bridge: DesktopBridge): Promise<MessagePort> {
  const nonce = crypto.randomUUID()
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      page.removeEventListener('message', hear)
      reject(new MaskscopeError('unavailable', 'Maskscope does not answer its window. Close it and start it again.'))
    }, patienceMs)
    function hear(event: MessageEvent<unknown>): void {
      const data = event.data as { type?: unknown; nonce?: unknown } | null
      const port = event.ports[0]
      if (event.source !== page || data?.type !== 'maskscope:port' || data.nonce !== nonce || !port) return
      clearTimeout(late)
      page.removeEventListener('message', hear)
      resolve(port)
    }
    page.addEventListener('message', hear)
    bridge.connect(nonce)
  })
}

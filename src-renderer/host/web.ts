import type { FileEntry } from '#shared/contract/system.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { socketWire } from '#shared/link/socket-wire.ts'
import type { Wire } from '#shared/link/wire.ts'
import { collectGroups, type FileGroup } from './dropped-files.ts'
import type { Host } from './host.ts'

/** Bytes of one request, as the server takes them. */
const chunk = 8 << 20

/** The window in a browser: the link is a WebSocket to the server of the page, files are sent to it. */
export function webHost(): Host {
  return { connect, give, download }
}

let current: Wire | undefined

async function connect(): Promise<Wire> {
  current?.close()
  const socket = new WebSocket(`ws://${location.host}/engine`)
  const wire = socketWire(socket)
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve(), { once: true })
    socket.addEventListener('close', () => reject(new MaskscopeError('unavailable', 'Maskscope does not answer. Is it still running where you started it?')), { once: true })
  })
  current = wire
  return wire
}

async function give(files: DataTransfer | readonly File[], options: { onProgress?(share: number): void; signal?: AbortSignal } = {}): Promise<FileEntry[]> {
  const groups = await collectGroups(files)
  const total = groups.reduce((sum, { bytes }) => sum + bytes, 0)
  let sent = 0
  const entries: FileEntry[] = []
  for (const group of groups) {
    entries.push(await send(group, options.signal, (bytes) => {
      sent += bytes
      options.onProgress?.(total === 0 ? 1 : sent / total)
    }))
  }
  return entries
}

async function send({ files }: FileGroup, signal: AbortSignal | undefined, onSent: (bytes: number) => void): Promise<FileEntry> {
  const group = crypto.randomUUID()
  try {
    for (const { path, file } of files) {
      for (let offset = 0; offset === 0 || offset < file.size; offset += chunk) {
        const part = file.slice(offset, offset + chunk)
        await post({ group, file: path, offset: String(offset) }, part, signal)
        onSent(part.size)
      }
    }
    const response = await post({ group, finish: '1' }, null, signal)
    return (await response.json()) as FileEntry
  } catch (error) {
    // What has arrived is of no use; where this fails too, the server gives it up by itself.
    void post({ group, abandon: '1' }, null, undefined).catch(() => undefined)
    throw error
  }
}

async function post(query: Record<string, string>, body: Blob | null, signal: AbortSignal | undefined): Promise<Response> {
  let response: Response
  try {
    response = await fetch(`/upload?${new URLSearchParams(query).toString()}`, { method: 'POST', body, signal: signal ?? null })
  } catch (cause) {
    if (signal?.aborted) throw new MaskscopeError('cancelled', 'Cancelled.', { cause })
    throw new MaskscopeError('input', 'The file could not be sent: it may not be read, or the connection to Maskscope broke. Try again.', { cause })
  }
  if (!response.ok) throw new MaskscopeError('input', (await response.text()).trim() || `The file could not be sent (${response.status}).`)
  return response
}

function download(name: string, bytes: Uint8Array<ArrayBuffer>, type: string): void {
  const url = URL.createObjectURL(new Blob([bytes], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser has read it by then; at once would be too early for some.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

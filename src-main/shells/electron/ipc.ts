import path from 'node:path'
import { ipcMain, MessageChannelMain, type IpcMainInvokeEvent, type WebContents, type WebFrameMain } from 'electron'
import * as z from 'zod/mini'
import type { FileEntry } from '#shared/contract/system.ts'
import { serialiseError } from '#shared/domain/errors.ts'
import type { BridgeAnswer } from './bridge.ts'
import type { Log } from './log.ts'
import { ownOrigin } from './protocol.ts'
import type { ServePort } from './serve-window.ts'

/** The one channel from the window's preload; everything else goes over the port. */
export const channel = 'maskscope'

const request = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('connect'), nonce: z.string().check(z.regex(/^[\w-]{16,64}$/)) }),
  z.strictObject({ type: z.literal('give'), path: z.string().check(z.maxLength(32_768)) }),
])

export interface IpcParts {
  /** Whether a page is the program's window. */
  isOurs(contents: WebContents): boolean
  serve: ServePort
  give(file: string): Promise<FileEntry>
  log: Log
}

/** Hears the window's preload: the sender is checked, then the message, and what fails is refused and logged. */
export function listenToWindow(parts: IpcParts): void {
  const ports = givePorts(parts.serve)
  ipcMain.handle(channel, async (event, message: unknown): Promise<BridgeAnswer> => {
    const problem = senderProblem(event, parts.isOurs)
    if (problem !== null) return refuse(problem)
    const parsed = request.safeParse(message)
    if (!parsed.success) return refuse('the message is none of ours')
    if (parsed.data.type === 'give') return giveFile(parsed.data.path, parts)
    // Checked above: a frame without a sender has a problem.
    return ports.give(event.sender, event.senderFrame as WebFrameMain, parsed.data.nonce) ? {} : refuse('this page has its port')
  })

  function refuse(reason: string): BridgeAnswer {
    parts.log.warn('message refused', { channel, reason })
    return { message: 'The window may not do that. Reload it.' }
  }
}

/** Why a message is not heard, or null: only the top frame of our own window, showing our own page, is. */
export function senderProblem(event: Pick<IpcMainInvokeEvent, 'sender' | 'senderFrame'>, isOurs: (contents: WebContents) => boolean): string | null {
  const frame = event.senderFrame
  if (!frame) return 'the frame that sent it is gone'
  if (frame.parent !== null) return 'it comes from a frame inside the page'
  if (frame.origin !== ownOrigin) return `it comes from ${frame.origin}`
  return isOurs(event.sender) ? null : 'it comes from another page'
}

async function giveFile(file: string, { give, log }: IpcParts): Promise<BridgeAnswer> {
  // A picture that was pasted or made in the page has no path.
  if (!path.isAbsolute(file) || file.includes('\0')) return { message: 'This is no file on this computer. Drop a file from a folder instead.' }
  try {
    return { file: await give(file) }
  } catch (error) {
    log.warn('file not taken', { error })
    return { message: serialiseError(error, 'input').message }
  }
}

/** One port for each load of the page; the one before is closed when the page goes. */
function givePorts(serve: ServePort): { give(contents: WebContents, frame: WebFrameMain, nonce: string): boolean } {
  const open = new WeakMap<WebContents, () => void>()
  const watched = new WeakSet<WebContents>()

  function watch(contents: WebContents): void {
    if (watched.has(contents)) return
    watched.add(contents)
    const close = (): void => open.get(contents)?.()
    contents.on('did-start-navigation', (details) => {
      if (details.isMainFrame && !details.isSameDocument) close()
    })
    contents.on('render-process-gone', close)
    contents.once('destroyed', close)
  }

  return {
    give(contents, frame, nonce) {
      if (open.has(contents)) return false
      watch(contents)
      const { port1, port2 } = new MessageChannelMain()
      // Whoever closed it, the page may ask for another.
      open.set(contents, serve(port1, () => void open.delete(contents)))
      frame.postMessage('maskscope:port', nonce, [port2])
      return true
    },
  }
}

import type { FileEntry } from '#shared/contract/system.ts'

/** `window.maskscope`, as the preload makes it; src-renderer/host/electron.ts says the same of its side. */
export interface DesktopBridge {
  /** The port comes as a message of the window to itself: `{type: 'maskscope:port', nonce}`. */
  connect(nonce: string): void
  /** @throws Error in words for a person */
  give(file: File): Promise<FileEntry>
}

/** What the preload asks the main side. */
export type BridgeRequest = { type: 'connect'; nonce: string } | { type: 'give'; path: string }

/** What became of it: the file, or in words for a person why there is none. Of `connect`, neither. */
export interface BridgeAnswer {
  file?: FileEntry
  message?: string
}

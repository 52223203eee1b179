import type { FileEntry } from '#shared/contract/system.ts'
import type { Wire } from '#shared/link/wire.ts'

/** Whatever carries the window: the desktop program or a browser. */
export interface Host {
  /** A new wire to the main side; the one before is closed by that. */
  connect(): Promise<Wire>
  /**
   * Makes dropped, pasted or chosen files known to the main side; a dropped folder is one entry.
   * @param onProgress share of the bytes, 0 to 1, where they have to be sent
   * @throws MaskscopeError 'input' for what is too large or cannot be sent
   */
  give(files: DataTransfer | readonly File[], options?: { onProgress?(share: number): void; signal?: AbortSignal }): Promise<FileEntry[]>
  /** Gives the person a file where there is no native dialog. */
  download(name: string, bytes: Uint8Array<ArrayBuffer>, type: string): void
}

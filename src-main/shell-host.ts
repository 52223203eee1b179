import type { ChoosePurpose, ShellEvent } from '#shared/contract/system.ts'

/** What a shell is to the rest of the program: everything a window has that a browser page has not, and the reverse. */
export interface ShellHost {
  shell: 'electron' | 'web'
  /** Native dialogs; null where the page shows its own chooser and downloads files. */
  dialogs: {
    /** Absolute paths; empty where the dialog was closed. */
    open(purpose: ChoosePurpose): Promise<string[]>
    /** Asks for a place and writes there. @returns the path, or null where the dialog was closed */
    save(name: string, bytes: Uint8Array): Promise<string | null>
  } | null
  /** Absolute folders below which the page's own chooser may look; empty in the desktop program. */
  roots: readonly string[]
  /** Absolute; where what the page has sent lies. Undefined where nothing was sent. */
  sent?(): string | undefined
  /** A text without what a person cannot know of files, e.g. where those lie that a browser has sent; as it is where undefined. */
  told?(text: string): string
  /** Menu commands, files opened from outside, notices. @returns what ends it */
  subscribe(listener: (event: ShellEvent) => void): () => void
  /** A model, image or study was opened; the system's list of recent documents may want it. */
  opened?(file: string): void
}

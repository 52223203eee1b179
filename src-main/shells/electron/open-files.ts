import type { FileEntry, ShellEvent } from '#shared/contract/system.ts'
import { serialiseError } from '#shared/domain/errors.ts'

/** Opens files that come from outside: by double click, by a second start, by the list of recent files. */
export interface FileOpener {
  open(files: readonly string[]): Promise<void>
  /** From now on files can be given to the window; those that came before are. */
  ready(give: (file: string) => Promise<FileEntry>): Promise<void>
}

const mostFiles = 100

export function createFileOpener(tell: (event: ShellEvent) => void): FileOpener {
  let early: string[] = []
  let giveFile: ((file: string) => Promise<FileEntry>) | null = null

  async function open(files: readonly string[]): Promise<void> {
    if (!giveFile) {
      early = [...early, ...files].slice(0, mostFiles)
      return
    }
    for (const file of files.slice(0, mostFiles)) {
      try {
        tell({ type: 'open', file: await giveFile(file) })
      } catch (error) {
        tell({ type: 'notice', level: 'error', message: serialiseError(error, 'input').message })
      }
    }
  }

  return {
    open,
    async ready(give) {
      giveFile = give
      const waiting = early
      early = []
      await open(waiting)
    },
  }
}

import { randomBytes } from 'node:crypto'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { MaskscopeError } from '#shared/domain/errors.ts'

/** The calls that atomic writing makes, so that a test can let any of them fail. */
export interface FileOperations {
  mkdir: typeof mkdir
  open: typeof open
  rename: typeof rename
  rm: typeof rm
}

export const nodeOperations: FileOperations = { mkdir, open, rename, rm }

export interface Files {
  /**
   * Writes a whole file so that at every instant, a crash and a power cut included, its name leads to the old content or
   * to the new one: temporary file in the same folder, fsync, rename, fsync of the folder. The parts are written one
   * after the other.
   * @throws MaskscopeError 'storage' naming the file and what to do; nothing is left behind then.
   */
  write(file: string, ...parts: readonly (string | Uint8Array)[]): Promise<void>
  /** Makes a folder and its parents; one that exists is fine. @throws MaskscopeError 'storage' */
  makeFolder(folder: string): Promise<void>
  /** Renames a file or folder; one that has the new name must not be there. @throws MaskscopeError 'storage' */
  move(from: string, to: string): Promise<void>
  /** Removes a file or folder if it is there. @throws MaskscopeError 'storage' */
  remove(target: string): Promise<void>
}

/** Temporary files carry this ending; whoever opens a study to write removes those that a crash left. */
export const temporaryEnding = '.part'

export function createFiles(operations: FileOperations = nodeOperations): Files {
  async function write(file: string, ...parts: readonly (string | Uint8Array)[]): Promise<void> {
    const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${randomBytes(6).toString('hex')}${temporaryEnding}`)
    try {
      const handle = await operations.open(temporary, 'wx')
      try {
        for (const part of parts) await handle.writeFile(part)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await operations.rename(temporary, file)
    } catch (error) {
      // The first error is the one to report, whether or not the clean-up succeeds.
      await operations.rm(temporary, { force: true }).catch(() => undefined)
      throw storageError(error, file, 'write')
    }
    await syncFolder(operations, path.dirname(file))
  }

  async function makeFolder(folder: string): Promise<void> {
    try {
      await makeWithParents(folder)
    } catch (error) {
      throw storageError(error, folder, 'create')
    }
  }

  /** Node's own `recursive` never returns where a file system answers ENOENT to every mkdir, as /proc does. */
  async function makeWithParents(folder: string): Promise<void> {
    try {
      await operations.mkdir(folder)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EEXIST' && (await stat(folder)).isDirectory()) return
      const parent = path.dirname(folder)
      if (code !== 'ENOENT' || parent === folder) throw error
      await makeWithParents(parent)
      await operations.mkdir(folder).catch((again: NodeJS.ErrnoException) => {
        if (again.code !== 'EEXIST') throw again
      })
    }
  }

  async function move(from: string, to: string): Promise<void> {
    try {
      await operations.rename(from, to)
    } catch (error) {
      throw storageError(error, from, 'move')
    }
    await syncFolder(operations, path.dirname(to))
    await syncFolder(operations, path.dirname(from))
  }

  async function remove(target: string): Promise<void> {
    try {
      await operations.rm(target, { recursive: true, force: true })
    } catch (error) {
      throw storageError(error, target, 'remove')
    }
  }

  return { write, makeFolder, move, remove }
}

/** Makes a rename durable. Some file systems, and Windows, refuse to open or sync a folder; then there is nothing to do. */
async function syncFolder(operations: FileOperations, folder: string): Promise<void> {
  try {
    const handle = await operations.open(folder, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch {
    return
  }
}

const advice: Record<string, string> = {
  ENOSPC: 'the disk is full; free some space or choose another folder',
  EDQUOT: 'the disk quota is used up; free some space or choose another folder',
  EFBIG: 'the file would be larger than this disk or account allows; choose another folder',
  EACCES: 'permission is denied; change the permissions or choose another folder',
  EPERM: 'the operation is not permitted; change the permissions or choose another folder',
  EROFS: 'the disk is read-only; choose another folder',
  ENOENT: 'a file or folder on this path does not exist; check the path',
  ENOTDIR: 'a part of this path is a file, not a folder; choose another folder',
  EEXIST: 'something else with this name is in the way; choose another folder',
  EISDIR: 'it is a folder where a file is expected; check the path',
  ENAMETOOLONG: 'the name is too long for this disk; choose a shorter one',
  EIO: 'the disk reports an error; check the disk or choose another folder',
  EMFILE: 'too many files are open; close other programs and try again',
}

/** An error of the file system in the person's words. Errors that are already ours pass unchanged. */
export function storageError(error: unknown, target: string, verb: 'write' | 'create' | 'move' | 'remove' | 'read'): MaskscopeError {
  if (error instanceof MaskscopeError) return error
  const code = (error as NodeJS.ErrnoException | null)?.code
  const why = (code === undefined ? undefined : advice[code]) ?? (error instanceof Error ? error.message : String(error))
  return new MaskscopeError('storage', `Cannot ${verb} ${target}: ${why}.`, { subject: target, cause: error })
}

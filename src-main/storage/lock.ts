import { randomBytes } from 'node:crypto'
import { readFileSync, unlinkSync } from 'node:fs'
import { link, readFile, stat, unlink, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import path from 'node:path'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { storageError } from './files.ts'
import { lockFile } from './layout.ts'

/**
 * One writer per study. The lock is a file that names its process by number and start time, so that neither a dead
 * process nor a stranger with its number keeps it. From another computer (a shared disk) a process cannot be looked at;
 * there a lock counts as dead when its holder has not touched it for ten minutes.
 */
interface LockContent {
  nonce: string
  host: string
  pid: number
  /** Start time of the process in the kernel's own unit, or null where the system does not tell. */
  started: string | null
}

export interface Lock {
  release(): Promise<void>
}

const touchEvery = 30_000
const foreignDeadAfter = 600_000
/** A take-over lasts well under a second; a marker older than this was left by a crash. */
const takeOverAbandonedAfter = 10_000

/** @throws MaskscopeError 'storage' when another live process writes to the study, or the folder cannot be written. */
export async function takeLock(folder: string): Promise<Lock> {
  const file = path.join(folder, lockFile)
  const mine: LockContent = { nonce: randomBytes(8).toString('hex'), host: hostname(), pid: process.pid, started: await startTime(process.pid) }
  for (let attempt = 0; attempt < 5; attempt++) {
    if (await createLock(file, mine)) return holdLock(file, mine.nonce)
    const held = await readLock(file)
    if (held === null) continue
    if (await isAlive(held, file)) {
      throw new MaskscopeError('storage', `The study ${folder} is being written by another Maskscope (process ${held.pid} on ${held.host}). Wait for it, or choose another folder.`, { subject: folder })
    }
    await removeDeadLock(file, held)
  }
  throw new MaskscopeError('storage', `The study ${folder} is just being opened by another Maskscope. Try again, or choose another folder.`, { subject: folder })
}

/** Whether a live process writes to the study. */
export async function isLocked(folder: string): Promise<boolean> {
  const file = path.join(folder, lockFile)
  const held = await readLock(file)
  return held !== null && isAlive(held, file)
}

/** The content is complete before the name exists: a link to a temporary file, which fails where the name is taken. */
async function createLock(file: string, content: LockContent): Promise<boolean> {
  const text = `${JSON.stringify(content)}\n`
  const temporary = `${file}.${content.nonce}`
  try {
    await writeFile(temporary, text, { flag: 'wx' })
    try {
      await link(temporary, file)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EEXIST') return false
      // Disks without hard links (FAT, some network disks).
      await writeFile(file, text, { flag: 'wx' })
    } finally {
      await unlink(temporary).catch(() => undefined)
    }
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw storageError(error, path.dirname(file), 'write')
  }
}

function holdLock(file: string, nonce: string): Lock {
  const timer = setInterval(() => void touch(file), touchEvery)
  timer.unref()
  const onExit = (): void => {
    if (readNonce(file) === nonce) unlinkSync(file)
  }
  process.once('exit', onExit)
  return {
    async release() {
      clearInterval(timer)
      process.removeListener('exit', onExit)
      if (readNonce(file) === nonce) await unlink(file).catch(() => undefined)
    },
  }
}

async function touch(file: string): Promise<void> {
  const now = new Date()
  await utimes(file, now, now).catch(() => undefined)
}

function readNonce(file: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as LockContent).nonce
  } catch {
    return undefined
  }
}

async function readLock(file: string): Promise<LockContent | null> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch {
    return null
  }
  try {
    const parsed = JSON.parse(text) as Partial<LockContent>
    if (typeof parsed.pid === 'number' && typeof parsed.nonce === 'string' && typeof parsed.host === 'string') {
      return { nonce: parsed.nonce, host: parsed.host, pid: parsed.pid, started: parsed.started ?? null }
    }
  } catch {
    // Cut short by a crash on a disk without links: nobody holds it.
  }
  return { nonce: 'unreadable', host: hostname(), pid: 0, started: null }
}

async function isAlive(held: LockContent, file: string): Promise<boolean> {
  if (held.host !== hostname()) {
    const touched = await stat(file).then((s) => s.mtimeMs, () => 0)
    return Date.now() - touched < foreignDeadAfter
  }
  if (held.pid <= 0) return false
  try {
    process.kill(held.pid, 0)
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return held.started === null || (await startTime(held.pid)) === held.started
}

/**
 * Only the process that makes the marker of a dead lock may remove that lock, so that of two that found it dead neither
 * removes the new lock of the other.
 */
async function removeDeadLock(file: string, held: LockContent): Promise<void> {
  const marker = `${file}.dead-${held.nonce}`
  try {
    await writeFile(marker, '', { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw storageError(error, path.dirname(file), 'write')
    const made = await stat(marker).then((s) => s.mtimeMs, () => Date.now())
    if (Date.now() - made > takeOverAbandonedAfter) await unlink(marker).catch(() => undefined)
    else await new Promise((resolve) => setTimeout(resolve, 50))
    return
  }
  try {
    if ((await readLock(file))?.nonce === held.nonce) await unlink(file).catch(() => undefined)
  } finally {
    await unlink(marker).catch(() => undefined)
  }
}

/** Linux: boot id and the start time in clock ticks since boot (field 22 of /proc/PID/stat). Elsewhere null. */
async function startTime(pid: number): Promise<string | null> {
  if (process.platform !== 'linux') return null
  try {
    const [boot, text] = await Promise.all([readFile('/proc/sys/kernel/random/boot_id', 'utf8'), readFile(`/proc/${pid}/stat`, 'utf8')])
    // The name in field 2 is in parentheses and may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return `${boot.trim()}/${fields[19]}`
  } catch {
    return null
  }
}

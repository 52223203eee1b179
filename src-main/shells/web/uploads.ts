import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import path from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { safeFileName } from '../file-name.ts'

export interface UploadLimits {
  /** Bytes of one request. */
  chunk: number
  /** Bytes of all files of a group. */
  group: number
  files: number
  /** Groups that are not finished yet. */
  groups: number
  /** A group of which nothing is heard for so long, in ms, is given up. */
  idle: number
}

export const uploadLimits: UploadLimits = { chunk: 8 << 20, group: 4 * 2 ** 30, files: 10_000, groups: 32, idle: 60_000 }

/** Refused, with the status of HTTP that says why. */
export class UploadRefusal extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Files that the page sends in pieces; several with relative paths form a group, e.g. the folder of a model. */
export interface Uploads {
  /** Appends a request's body to a file of a group. @throws UploadRefusal; the group is removed then, or cut off half way */
  receive(group: string, file: string, offset: number, body: IncomingMessage): Promise<void>
  /** @returns the absolute path of the one file or folder that the group is */
  finish(group: string): Promise<string>
  /** A text with the files by the names that they were sent with, not by where they lie. */
  told(text: string): string
  /** Absolute, below which everything lies that was sent; undefined before anything was. */
  place(): string | undefined
  /** Gives up a group. */
  abandon(group: string): Promise<void>
  /** Removes everything that was sent. */
  dispose(): Promise<void>
}

interface Group {
  folder: string
  /** By path relative to the folder: bytes so far. */
  sizes: Map<string, number>
  bytes: number
  busy: boolean
  idle: NodeJS.Timeout
}

/** @param parent an existing folder, below which one of this session is made */
export function createUploads(parent: string, limits: UploadLimits = uploadLimits): Uploads {
  const groups = new Map<string, Group>()
  let session: Promise<string> | undefined
  let place: string | undefined
  let count = 0

  async function groupOf(name: string): Promise<Group> {
    const known = groups.get(name)
    if (known) return known
    if (!/^[\w-]{8,64}$/.test(name)) throw new UploadRefusal(400, 'This is no name of a group of files.')
    if (groups.size >= limits.groups) throw new UploadRefusal(429, 'Too many files are being sent at once. Wait for some to arrive.')
    const made: Group = { folder: '', sizes: new Map(), bytes: 0, busy: true, idle: setTimeout(() => void abandon(name), limits.idle) }
    made.idle.unref()
    groups.set(name, made)
    session ??= mkdtemp(path.join(parent, 'maskscope-'))
    place = await session
    made.folder = path.join(place, String(++count))
    await mkdir(made.folder)
    made.busy = false
    return made
  }

  async function receive(name: string, file: string, offset: number, body: IncomingMessage): Promise<void> {
    const group = await groupOf(name)
    // One piece after the other: two at once would mix.
    if (group.busy) throw new UploadRefusal(409, 'Another piece of this group is still on its way.')
    group.busy = true
    group.idle.refresh()
    try {
      const relative = cleanPath(file)
      if (offset !== (group.sizes.get(relative) ?? 0)) throw new UploadRefusal(409, 'This piece does not follow on the one before.')
      if (!group.sizes.has(relative) && group.sizes.size >= limits.files) throw new UploadRefusal(413, `More than ${limits.files} files at once cannot be sent.`)
      const target = path.join(group.folder, relative)
      await mkdir(path.dirname(target), { recursive: true })
      const length = await write(target, offset, body, Math.min(limits.chunk, limits.group - group.bytes))
      group.sizes.set(relative, offset + length)
      group.bytes += length
    } catch (error) {
      await abandon(name)
      if (error instanceof UploadRefusal || (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE') throw error
      throw new UploadRefusal(507, `The file could not be kept: ${(error as Error).message}.`)
    } finally {
      group.busy = false
    }
  }

  async function finish(name: string): Promise<string> {
    const group = groups.get(name)
    if (!group || group.busy || group.sizes.size === 0) throw new UploadRefusal(409, 'Nothing of this group has arrived.')
    groups.delete(name)
    clearTimeout(group.idle)
    const entries = await readdir(group.folder)
    if (entries.length !== 1) {
      await rm(group.folder, { recursive: true, force: true })
      throw new UploadRefusal(400, 'The files of a group must lie in one folder.')
    }
    return path.join(group.folder, entries[0]!)
  }

  async function abandon(name: string): Promise<void> {
    const group = groups.get(name)
    if (!group) return
    groups.delete(name)
    clearTimeout(group.idle)
    if (group.folder !== '') await rm(group.folder, { recursive: true, force: true })
  }

  function told(text: string): string {
    if (place === undefined) return text
    // Each group lies in a folder of its own, by number.
    const [first, ...others] = text.split(place + path.sep)
    return first! + others.map((rest) => rest.replace(/^\d+(?:[\\/]|(?=\W|$))/, (folder) => (/\D$/.test(folder) ? '' : 'what was sent from this window'))).join('')
  }

  return {
    receive, finish, abandon, told,
    place: () => place,
    async dispose() {
      for (const { idle } of groups.values()) clearTimeout(idle)
      groups.clear()
      if (session) await rm(await session, { recursive: true, force: true })
    },
  }
}

/** A relative path of safe names. @throws UploadRefusal for one that leads elsewhere */
export function cleanPath(file: string): string {
  const segments = file.split('/')
  const wrong = segments.some((segment) => segment === '' || segment === '.' || segment === '..' || /[\\\0]/.test(segment) || /^[a-z]:/i.test(segment))
  if (wrong || segments.length > 16 || file.length > 1024) throw new UploadRefusal(400, 'A file of this name cannot be sent.')
  return path.join(...segments.map((segment) => safeFileName(segment, 'file')))
}

async function write(target: string, offset: number, body: IncomingMessage, most: number): Promise<number> {
  let length = 0
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      length += chunk.length
      if (length > most) done(new UploadRefusal(413, 'The files are larger than what can be sent. Copy them to the machine and choose them there.'))
      else done(null, chunk)
    },
  })
  await pipeline(body, count, createWriteStream(target, { flags: offset === 0 ? 'wx' : 'a', mode: 0o600 }))
  return length
}

import { randomUUID } from 'node:crypto'
import { open, readdir, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'
import type { FileEntry } from '#shared/contract/system.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { manifestEnding } from '#storage/layout.ts'
import { imageEndings, probeImage } from './images.ts'
import { isCard } from './model-card.ts'
import { isOnnx } from './onnx-files.ts'
import { otherFormats } from './find-model.ts'

/** The window never sees a path that it could make up: it is given names that mean nothing, and gives them back. */
export interface Handles {
  /** A name for a file or folder; the same for the same place. @throws MaskscopeError 'input' where there is none */
  give(file: string): Promise<FileEntry>
  /** The absolute path behind a name. @throws MaskscopeError 'usage' for a name that was not given out */
  path(handle: string): string
}

export function createHandles(): Handles {
  const paths = new Map<string, string>()
  const names = new Map<string, string>()

  function nameFor(file: string): string {
    const known = names.get(file)
    if (known !== undefined) return known
    const handle = randomUUID()
    names.set(file, handle)
    paths.set(handle, file)
    return handle
  }

  return {
    async give(file) {
      const place = path.resolve(file)
      const info = await stat(place).catch((cause: unknown) => {
        throw new MaskscopeError('input', `${place} does not exist or may not be read; check its name and folder.`, { subject: place, cause })
      })
      return {
        handle: nameFor(place),
        name: path.basename(place) || place,
        kind: info.isDirectory() ? await folderKind(place) : await fileKind(place),
        place: shortPlace(path.dirname(place)),
        bytes: info.isFile() ? info.size : null,
      }
    },
    path(handle) {
      const file = paths.get(handle)
      if (file === undefined) throw new MaskscopeError('usage', 'This file is not known any more; choose it again.', { subject: 'file' })
      return file
    },
  }
}

/** A path for people, with ~ for their own folder. */
export function shortPlace(place: string): string {
  const home = homedir()
  if (place === home) return '~'
  return place.startsWith(home + path.sep) ? `~${place.slice(home.length)}` : place
}

async function folderKind(folder: string): Promise<FileEntry['kind']> {
  const names = await readdir(folder).catch((): string[] => [])
  if (names.includes('benchmark.json')) return 'benchmark'
  if (names.some((name) => name.endsWith(manifestEnding) && !name.startsWith('.'))) return 'study'
  return names.some((name) => name === 'model.json' || isOnnx(name)) ? 'model' : 'folder'
}

async function fileKind(file: string): Promise<FileEntry['kind']> {
  const name = path.basename(file)
  const ending = path.extname(name).toLowerCase()
  if (ending === manifestEnding) return 'study'
  if (isCard(name)) return 'card'
  if (isOnnx(name)) return 'model'
  // Refused where models are opened, with what to do about it.
  if (ending in otherFormats && ending !== '.bin') return 'model'
  if (ending === '.json') return name === 'model.json' || (await looksLikeModel(file)) ? 'model' : 'other'
  if (ending === '.txt' || ending === '.csv') return 'labels'
  if (imageEndings.includes(ending)) return 'image'
  return probeImage(file).then(() => 'image' as const, () => 'other' as const)
}

/** By its first and last 64 KB: the manifest of the weights stands at one end, the network between may be long. */
async function looksLikeModel(file: string): Promise<boolean> {
  const length = 65_536
  const handle = await open(file, 'r').catch(() => null)
  if (!handle) return false
  try {
    const { size } = await handle.stat()
    const buffer = Buffer.alloc(length)
    const start = await handle.read(buffer, 0, length, 0)
    if (buffer.subarray(0, start.bytesRead).includes('"modelTopology"')) return true
    const end = await handle.read(buffer, 0, length, Math.max(0, size - length))
    const last = buffer.subarray(0, end.bytesRead)
    return last.includes('"modelTopology"') || last.includes('"weightsManifest"')
  } catch {
    return false
  } finally {
    await handle.close()
  }
}

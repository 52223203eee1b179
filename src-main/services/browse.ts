import { readdir, realpath } from 'node:fs/promises'
import path from 'node:path'
import type { FileEntry } from '#shared/contract/system.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Handles } from './handles.ts'

/** The page's own chooser, for shells without native dialogs. */
export interface Listing {
  /** null: the list of roots. */
  folder: FileEntry | null
  parent: string | null
  /** Folders first, by name. */
  entries: FileEntry[]
  /** What is not listed; null where all is. */
  note: string | null
}

const mostEntries = 2000

/**
 * What lies in a folder below one of the roots. Hidden files are left out, and so are links that lead outside.
 * @param folder absolute; null: the roots themselves
 * @throws MaskscopeError 'usage' for a folder outside the roots, 'input' for one that cannot be read
 */
export async function browse(handles: Handles, roots: readonly string[], folder: string | null): Promise<Listing> {
  if (folder === null) {
    const entries = await Promise.all(roots.map((root) => handles.give(root).catch(() => null)))
    return { folder: null, parent: null, entries: entries.filter((entry) => entry !== null), note: null }
  }
  const real = await realRoots(roots)
  const place = await realpath(folder).catch(() => null)
  if (place === null || !isInside(place, real)) {
    throw new MaskscopeError('usage', 'This folder lies outside those that the program was started for; start it with --root to reach others.', { subject: 'folder' })
  }
  const names = await listNames(folder)
  const shown = names.slice(0, mostEntries)
  const entries: FileEntry[] = []
  // In small groups, so that a folder of thousands neither takes one look at a time nor opens all of them at once.
  for (let i = 0; i < shown.length; i += 32) {
    const group = await Promise.all(shown.slice(i, i + 32).map((name) => entryInside(handles, path.join(folder, name), real)))
    entries.push(...group.filter((entry) => entry !== null))
  }
  entries.sort((a, b) => Number(b.bytes === null) - Number(a.bytes === null))
  const parent = path.dirname(folder)
  const parentReal = await realpath(parent).catch(() => null)
  const hasParent = !real.includes(place) && parentReal !== null && isInside(parentReal, real)
  return {
    folder: await handles.give(folder),
    parent: hasParent ? (await handles.give(parent)).handle : null,
    entries,
    note: names.length > mostEntries ? `The folder holds ${names.length} entries; the first ${mostEntries} by name are listed.` : null,
  }
}

async function listNames(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new MaskscopeError('input', `The folder ${folder} cannot be read; check its permissions.`, { subject: 'folder', cause })
  })
  return names.filter((name) => !name.startsWith('.')).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
}

/** null for what is gone, may not be read, or leads outside. */
async function entryInside(handles: Handles, file: string, roots: readonly string[]): Promise<FileEntry | null> {
  const place = await realpath(file).catch(() => null)
  if (place === null || !isInside(place, roots)) return null
  return handles.give(file).catch(() => null)
}

async function realRoots(roots: readonly string[]): Promise<string[]> {
  const real = await Promise.all(roots.map((root) => realpath(root).catch(() => null)))
  return real.filter((root) => root !== null)
}

function isInside(place: string, roots: readonly string[]): boolean {
  return roots.some((root) => place === root || place.startsWith(root.endsWith(path.sep) ? root : root + path.sep))
}

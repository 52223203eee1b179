import { readdir, realpath } from 'node:fs/promises'
import path from 'node:path'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { resolveData } from '../datasets.ts'
import { sceneItems } from './scenes.ts'
import type { DataItem } from './item.ts'

/** What may be read. */
export interface Reach {
  /** @throws MaskscopeError 'usage' for what lies elsewhere, also where a link leads there */
  check(file: string): Promise<void>
}

/** @param folders absolute; asked each time, since some come to be later */
export function reachOf(folders: () => readonly string[]): Reach {
  return {
    async check(file) {
      const [place, ...real] = await Promise.all([realPlace(path.resolve(file)), ...folders().map((folder) => realpath(folder).catch(() => null))])
      if (real.some((folder) => folder !== null && isInside(place!, folder))) return
      throw new MaskscopeError('usage', `${file} lies outside the folders that the program was started for; start it with --root to reach others.`, { subject: 'data' })
    },
  }
}

/** Of what is not there, where it would be. */
async function realPlace(file: string): Promise<string> {
  try {
    return await realpath(file)
  } catch {
    const parent = path.dirname(file)
    return parent === file ? file : path.join(await realPlace(parent), path.basename(file))
  }
}

function isInside(place: string, folder: string): boolean {
  return place === folder || place.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep)
}

const folderKinds = /^(?:idx|cifar10|folder|boxes|segmentation):(.*)$/s

/**
 * As `resolveData`, of data that lies within reach: the place itself, what its links lead to, and the files that a list names.
 * @param reach null: everything is
 * @throws MaskscopeError as `resolveData`, and 'usage' naming what lies elsewhere
 */
export async function resolveWithin(spec: string, reach: Reach | null): Promise<DataItem[]> {
  if (reach) await checkAll(spec, reach)
  return resolveData(spec)
}

async function checkAll(spec: string, reach: Reach): Promise<void> {
  const inner = /^mosaic:\d+\((.+)\)(?:\*\d+)?(?:@\d+)?(?:#\d+)?$/s.exec(spec)?.[1]
  if (inner !== undefined) return checkAll(inner, reach)
  if (isScenes(spec)) return
  const list = /^list:(.*?)(?:#\d+)?$/s.exec(spec)?.[1]
  if (list !== undefined) {
    await reach.check(list)
    return checkEach((await resolveData(`list:${list}`)).map(({ reference }) => reference), reach)
  }
  const folder = folderKinds.exec(spec)?.[1]?.replace(/(?:#\d+)?$/, '').replace(/:train$/, '') ?? spec.replace(/#\d+$/, '')
  await reach.check(folder)
  // What lies there lies there, but where links lead somewhere else; the sets that are read are two folders deep.
  await checkEach(await linksIn(folder, 2), reach)
}

function isScenes(spec: string): boolean {
  try {
    return sceneItems(spec) !== undefined
  } catch {
    // Wrong, and told better elsewhere; it names no file.
    return true
  }
}

async function linksIn(folder: string, depth: number): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const links = entries.filter((entry) => entry.isSymbolicLink()).map(({ name }) => path.join(folder, name))
  const deeper = depth === 1 ? [] : entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
  for (const { name } of deeper) links.push(...await linksIn(path.join(folder, name), depth - 1))
  return links
}

async function checkEach(files: readonly string[], reach: Reach): Promise<void> {
  for (let i = 0; i < files.length; i += 32) await Promise.all(files.slice(i, i + 32).map((file) => reach.check(file)))
}

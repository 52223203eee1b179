import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ImageBatch, Picture } from '#shared/domain/image.ts'
import type { SceneKind } from '#engine/scenes/scenes.ts'
import { encodePng, imageEndings, loadImage, type LoadedImage } from './images.ts'

/** One image of a data set, not loaded yet: a data set may be larger than memory. */
export interface DataItem {
  kind: 'file' | 'scene'
  /** `scene:SEED` (or `scenes-two:1@SEED`, …), or the file's path as given. */
  reference: string
  load(): Promise<LoadedItem>
}

export interface LoadedItem extends LoadedImage {
  /** Scenes only: the exact values, 1×64×64×3, of which the picture and its bytes (a PNG) are the rounded form. */
  exact?: ImageBatch
  /** Scenes only: the object's class. */
  label?: string
}

const sceneSyntax = /^(scene|scenes|scenes-two|scenes-shifted):([^#]*)(?:#(\d+))?$/
const syntax = 'a file, a folder, scene:SEED or scenes:COUNT@SEED (also scenes-two:, scenes-shifted:), with #i for the i-th image, counted from 0'
const countLimit = 1_000_000

/**
 * The images that one word of the command line or the window means.
 * @throws MaskscopeError 'usage' for wrong syntax or an index past the end, 'input' for files and folders that are not
 * there or hold no images.
 */
export async function resolveData(spec: string): Promise<DataItem[]> {
  const scene = sceneSyntax.exec(spec)
  if (scene) return sceneItems(spec, scene[1]!, scene[2]!, scene[3])
  const info = await stat(spec).catch(() => undefined)
  if (info) return info.isDirectory() ? folderItems(spec) : [fileItem(spec)]
  // A file's own name may hold a #, so the whole word is tried first.
  const indexed = /^(.+)#(\d+)$/.exec(spec)
  if (indexed) return [pick(await resolveData(indexed[1]!), indexed[2]!, spec)]
  const kind = /^([a-z][a-z0-9-]+):/.exec(spec)?.[1]
  if (kind !== undefined) throw wrong(spec, `There is no data set of the kind "${kind}:" (in "${spec}"); give ${syntax}.`)
  return [fileItem(spec)]
}

/**
 * The scenes that a word means, and nothing else: no file is ever looked for.
 * @throws MaskscopeError 'usage'
 */
export function resolveScenes(spec: string): DataItem[] {
  const scene = sceneSyntax.exec(spec)
  if (!scene) throw wrong(spec, `"${spec}" is no scene; write scene:SEED or scenes:COUNT@SEED (also scenes-two:, scenes-shifted:).`)
  return sceneItems(spec, scene[1]!, scene[2]!, scene[3])
}

/** How a scene is named: `scene:2000007`, `scenes-two:1@2000007`. */
export function sceneReference(kind: SceneKind, seed: number): string {
  return kind === 'scenes' ? `scene:${seed}` : `${kind}:1@${seed}`
}

function pick(items: readonly DataItem[], index: string, spec: string): DataItem {
  const item = items[Number(index)]
  if (!item) throw wrong(spec, `"${spec}" asks for image ${index}, counted from 0, but there are ${items.length}.`)
  return item
}

export function fileItem(file: string): DataItem {
  return { kind: 'file', reference: file, load: () => loadImage(file) }
}

/** All images of a folder, by name. @throws MaskscopeError 'input' where it cannot be read or holds none */
export async function folderItems(folder: string): Promise<DataItem[]> {
  let names: string[]
  try {
    names = await readdir(folder)
  } catch (cause) {
    throw new MaskscopeError('input', `The folder ${folder} cannot be read (${(cause as NodeJS.ErrnoException).code}); check its permissions.`, { subject: folder, cause })
  }
  const images = names
    .filter((name) => !name.startsWith('.') && imageEndings.includes(path.extname(name).toLowerCase()))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }) || (a < b ? -1 : 1))
  if (images.length === 0) {
    throw new MaskscopeError('input', `The folder ${folder} holds no images (files that end in ${imageEndings.join(', ')}).`, { subject: folder })
  }
  return images.map((name) => fileItem(path.join(folder, name)))
}

function sceneItems(spec: string, word: string, rest: string, index: string | undefined): DataItem[] {
  const single = word === 'scene'
  const match = single ? /^(\d+)$/.exec(rest) : /^(\d+)@(\d+)$/.exec(rest)
  if (!match) {
    const wanted = single ? 'scene:SEED, e.g. scene:2000007' : `${word}:COUNT@SEED, e.g. ${word}:20@2000000`
    throw wrong(spec, `"${spec}" is no data set; write ${wanted}.`)
  }
  const count = single ? 1 : Number(match[1])
  const first = Number(single ? match[1] : match[2])
  if (count < 1 || count > countLimit) throw wrong(spec, `"${spec}" asks for ${count} scenes; ask for 1 to ${countLimit}.`)
  if (first + count > 2 ** 32) throw wrong(spec, `"${spec}" goes past the last seed, ${2 ** 32 - 1}; choose a smaller one.`)
  const kind = single ? 'scenes' : (word as SceneKind)
  const items = Array.from({ length: count }, (_, i) => sceneItem(kind, first + i))
  return index === undefined ? items : [pick(items, index, spec)]
}

function sceneItem(kind: SceneKind, seed: number): DataItem {
  const reference = sceneReference(kind, seed)
  return { kind: 'scene', reference, load: () => loadScene(kind, seed, reference) }
}

async function loadScene(kind: SceneKind, seed: number, reference: string): Promise<LoadedItem> {
  const { renderScene, sceneClasses } = await import('#engine/scenes/scenes.ts')
  const { createHash } = await import('node:crypto')
  const { image, objects } = renderScene(seed, kind)
  const label = sceneClasses[objects[0]?.class ?? -1]
  const picture = pictureOf(image)
  const bytes = await encodePng(picture)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { name: reference, picture, bytes, sha256, format: 'png', notes: [], exact: image, ...(label === undefined ? {} : { label }) }
}

/** An RGB image of a batch of one, rounded to 8 bits. */
export function pictureOf(image: Pick<ImageBatch, 'width' | 'height' | 'data'>): Picture {
  const { width, height, data } = image
  return { width, height, data: Uint8Array.from(data, (v) => Math.round(Math.min(1, Math.max(0, v)) * 255)) }
}

function wrong(spec: string, message: string): MaskscopeError {
  return new MaskscopeError('usage', message, { subject: spec })
}

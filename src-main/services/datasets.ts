import { stat } from 'node:fs/promises'
import { fileItem, folderItems } from './datasets/files.ts'
import { pick, wrongSpec, type DataItem } from './datasets/item.ts'
import { sceneItems } from './datasets/scenes.ts'

export { fileItem, folderItems } from './datasets/files.ts'
export { pictureOf, type DataItem, type Label, type LoadedItem, type TrueObject, type Truth, type TruthKind } from './datasets/item.ts'
export { sceneReference } from './datasets/scenes.ts'
export { seenTruth } from './datasets/seen-truth.ts'

const kinds = ['idx', 'cifar10', 'folder', 'list', 'boxes', 'segmentation', 'mosaic'] as const
type Kind = (typeof kinds)[number]

/** What a person may write where images are asked for. */
export const dataSyntax =
  'a file, a folder, scene:SEED, scenes:COUNT@SEED (also scenes-two:, scenes-shifted:), idx:DIR[:train], cifar10:DIR[:train], folder:DIR (a folder per class), list:FILE.csv, boxes:DIR, segmentation:DIR or mosaic:N(DATA)'
const syntax = `${dataSyntax}, with #i for the i-th image, counted from 0`

/**
 * The images that one word of the command line or the window means.
 * @throws MaskscopeError 'usage' for wrong syntax or an index past the end, 'input' for files and folders that are not
 * there, hold no images, or are not what they claim.
 */
export async function resolveData(spec: string): Promise<DataItem[]> {
  const scenes = sceneItems(spec)
  if (scenes) return scenes
  const info = await stat(spec).catch(() => undefined)
  if (info) return info.isDirectory() ? folderItems(spec) : [fileItem(spec)]
  const [, word, rest] = /^([a-z][a-z0-9-]+):(.*)$/s.exec(spec) ?? []
  const kind = kinds.find((candidate) => candidate === word)
  if (kind) return setItems(kind, rest!, spec)
  // A file's own name may hold a #, so the whole word is tried first.
  const indexed = /^(.+)#(\d+)$/s.exec(spec)
  if (indexed) return pick(await resolveData(indexed[1]!), indexed[2]!, spec)
  if (word !== undefined) throw wrongSpec(spec, `There is no data set of the kind "${word}:" (in "${spec}"); give ${syntax}.`)
  return [fileItem(spec)]
}

/**
 * An image of a data set once more, with its class and its truth; undefined where it is none, is gone or has changed.
 * @param sha256 of the file that it was
 */
export async function memberAgain(reference: string, sha256: string): Promise<DataItem | undefined> {
  if (!kinds.some((kind) => reference.startsWith(`${kind}:`))) return undefined
  try {
    const [item] = await resolveData(reference)
    return (await item!.load()).sha256 === sha256 ? item : undefined
  } catch {
    return undefined
  }
}

/**
 * The scenes that a word means, and nothing else: no file is ever looked for.
 * @throws MaskscopeError 'usage'
 */
export function resolveScenes(spec: string): DataItem[] {
  const scenes = sceneItems(spec)
  if (scenes) return scenes
  throw wrongSpec(spec, `"${spec}" is no scene; write scene:SEED or scenes:COUNT@SEED (also scenes-two:, scenes-shifted:).`)
}

/** @param rest what stands behind the kind's name */
async function setItems(kind: Kind, rest: string, spec: string): Promise<DataItem[]> {
  if (kind === 'mosaic') return mosaics(rest, spec)
  // A folder's own name may hold a #, too.
  const whole = (await stat(rest).catch(() => undefined)) !== undefined
  const [, place, index] = whole ? [rest, rest, undefined] : /^(.*?)(?:#(\d+))?$/s.exec(rest)!
  return pick(await allOf(kind, place!, spec), index, spec)
}

async function allOf(kind: Exclude<Kind, 'mosaic'>, place: string, spec: string): Promise<DataItem[]> {
  const [, folder, part] = /^(.*?)(:train)?$/s.exec(place)!
  switch (kind) {
    case 'idx': return (await import('./datasets/idx.ts')).idxItems(folder!, part !== undefined, spec)
    case 'cifar10': return (await import('./datasets/cifar10.ts')).cifar10Items(folder!, part !== undefined, spec)
    case 'folder': return (await import('./datasets/class-folders.ts')).classFolderItems(place, spec)
    case 'list': return (await import('./datasets/list-file.ts')).listItems(place)
    case 'boxes': return (await import('./datasets/boxes.ts')).boxItems(place, spec)
    case 'segmentation': return (await import('./datasets/segmentation.ts')).segmentationItems(place, spec)
  }
}

/** `N(DATA)`, and behind it `*REPEATS` and `@SEED`, both if wanted. */
async function mosaics(rest: string, spec: string): Promise<DataItem[]> {
  const match = /^(\d+)\((.+)\)(?:\*(\d+))?(?:@(\d+))?(?:#(\d+))?$/s.exec(rest)
  const [side, repeats, seed] = [Number(match?.[1]), Number(match?.[3] ?? 1), Number(match?.[4] ?? 0)]
  if (!match || side < 2 || side > 8 || repeats < 1 || repeats > 100 || !Number.isSafeInteger(seed)) {
    throw wrongSpec(spec, `"${spec}" is no mosaic; write mosaic:N(DATA) with N from 2 to 8, e.g. mosaic:2(scenes:40@2000000); *5 behind it shares the images out five times, @SEED draws them otherwise.`)
  }
  const stem = spec.replace(/#\d+$/, '')
  const { mosaicItems } = await import('./datasets/mosaic.ts')
  return pick(await mosaicItems(await resolveData(match[2]!), { side, repeats, seed }, stem), match[5], spec)
}

import { randomUUID } from 'node:crypto'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { DataSet, OpenImage } from '#shared/contract/models.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { folderItems, resolveScenes, fileItem, type DataItem, type LoadedItem } from './datasets.ts'
import { reachOf, type Reach } from './datasets/reach.ts'
import type { Handles } from './handles.ts'
import { decodeImage } from './images.ts'
import { createLru } from './lru.ts'
import { createOpenData, itemName, labelText, type OpenData } from './open-data.ts'
import { own, pngWithin, shownSide, thumbnailSide } from './thumbnails.ts'

export type ImageSource = { file: string } | { scene: string } | { data: DataSet; indices: readonly number[] } | { name: string; bytes: Uint8Array }

/** An image that the window has opened. */
export interface ImageAtHand {
  item: DataItem
  kind: OpenImage['kind']
  /** What a person calls it. */
  name: string
  thumbnail: Uint8Array<ArrayBuffer>
}

export interface OpenImages {
  /** At most 500. @throws MaskscopeError with the subject 'image' */
  open(from: ImageSource): Promise<OpenImage[]>
  /** An image from elsewhere, e.g. of a stored run. */
  openItem(item: DataItem, kind: OpenImage['kind'], name: string): Promise<OpenImage>
  /** @throws MaskscopeError 'usage' for an unknown handle */
  get(image: string): ImageAtHand
  /** Decoded, from memory or once more. */
  load(image: string): Promise<LoadedItem>
  /** PNG of at most 2,048 px. */
  picture(image: string): Promise<Uint8Array<ArrayBuffer>>
  /** Of a data set, to choose from. */
  page: OpenData['page']
  /** The thumbnail of an item that was opened here. */
  thumbnailOf(item: DataItem): Uint8Array<ArrayBuffer> | undefined
}

export interface OpenImagesOptions {
  handles: Handles
  /** What of data sets may be read; everything where null or undefined. */
  reach?: Reach | null
  /** A file or folder was opened. */
  onOpen?(file: string): void
  /** Something for the person besides the answer, e.g. that some images of a folder are damaged. */
  onNotice?(message: string): void
}

const mostImages = 500
/** Decoded pictures at hand. */
const keepPictures = { count: 200, bytes: 384 << 20 }
/** Bytes of pasted images: they come from nowhere else again. */
const mostPasted = 512 << 20
/** So many images of a folder are decoded at a time. */
const atATime = 3

export function createOpenImages({ handles, reach, onOpen, onNotice }: OpenImagesOptions): OpenImages {
  const known = new Map<string, ImageAtHand>()
  const thumbnails = new WeakMap<DataItem, Uint8Array<ArrayBuffer>>()
  const loaded = createLru<LoadedItem>(keepPictures, (item) => item.picture.data.byteLength + item.bytes.byteLength + (item.exact?.data.byteLength ?? 0))
  const pictures = createLru<Uint8Array<ArrayBuffer>>({ count: 50, bytes: 128 << 20 }, (png) => png.byteLength)
  const sets = createOpenData(handles, reach)
  let pasted = 0

  function find(image: string): ImageAtHand {
    const found = known.get(image)
    if (!found) throw new MaskscopeError('usage', 'This image is not open any more; open it again.', { subject: 'image' })
    return found
  }

  async function openItem(item: DataItem, kind: OpenImage['kind'], name: string): Promise<OpenImage> {
    const content = await item.load()
    const image = randomUUID()
    const { width, height } = content.picture
    const thumbnail = await pngWithin(content.picture, thumbnailSide)
    known.set(image, { item, kind, name, thumbnail })
    thumbnails.set(item, thumbnail)
    loaded.put(image, content)
    return { image, name, kind, width, height, label: labelText(content.label), truth: content.truth !== undefined, notes: [...content.notes], thumbnail }
  }

  async function openFile(handle: string): Promise<OpenImage[]> {
    const file = handles.path(handle)
    const info = await stat(file).catch(() => null)
    if (!info?.isDirectory()) {
      const image = await openItem(fileItem(file), 'file', path.basename(file))
      onOpen?.(file)
      return [image]
    }
    const items = await folderItems(file)
    // A folder that may be read can hold links that lead to what may not.
    if (reach) for (const { reference } of items) await reachOf(() => [file]).check(reference).catch(() => reach.check(reference))
    const { opened, failed } = await openMany(items.slice(0, mostImages))
    if (opened.length === 0) throw failed[0]!.error
    if (failed.length > 0) onNotice?.(`${failed.length} of the ${items.length} images in ${file} could not be opened: ${failed.slice(0, 5).map((f) => f.name).join(', ')}${failed.length > 5 ? ', …' : ''}.`)
    if (items.length > mostImages) onNotice?.(`${file} holds ${items.length} images; the first ${mostImages} by name were opened.`)
    onOpen?.(file)
    return opened
  }

  async function openMany(items: readonly DataItem[]): Promise<{ opened: OpenImage[]; failed: { name: string; error: unknown }[] }> {
    const opened: OpenImage[] = []
    const failed: { name: string; error: unknown }[] = []
    let next = 0
    async function work(): Promise<void> {
      while (next < items.length) {
        const index = next++
        const item = items[index]!
        const name = itemName(item)
        try {
          opened[index] = await openItem(item, item.kind, name)
        } catch (error) {
          failed.push({ name, error })
        }
      }
    }
    await Promise.all(Array.from({ length: atATime }, work))
    // In the order of their names; those that failed left holes.
    return { opened: Object.values(opened), failed }
  }

  async function openScenes(spec: string): Promise<OpenImage[]> {
    const items = resolveScenes(spec)
    const { opened, failed } = await openMany(items.slice(0, mostImages))
    if (failed[0]) throw failed[0].error
    if (items.length > mostImages) onNotice?.(`${spec} means ${items.length} scenes; the first ${mostImages} were opened.`)
    return opened
  }

  async function openMembers(data: DataSet, indices: readonly number[]): Promise<OpenImage[]> {
    const { opened, failed } = await openMany(await sets.pick(data, indices))
    if (opened.length === 0) throw failed[0]!.error
    if (failed.length > 0) onNotice?.(`${failed.length} of the ${indices.length} images could not be opened: ${failed.slice(0, 5).map((f) => f.name).join(', ')}${failed.length > 5 ? ', …' : ''}.`)
    return opened
  }

  async function openPasted(given: string, bytes: Uint8Array): Promise<OpenImage[]> {
    if (pasted + bytes.byteLength > mostPasted) {
      throw new MaskscopeError('usage', 'The images pasted so far fill the memory kept for them; save this one as a file and open that.', { subject: 'image' })
    }
    const name = path.basename(given.replaceAll('\\', '/')) || 'Pasted image'
    const copy = own(bytes)
    const item: DataItem = { kind: 'file', reference: pastedReference, load: () => decodeImage(copy, name) }
    const image = await openItem(item, 'pasted', name)
    pasted += copy.byteLength
    return [image]
  }

  async function load(image: string): Promise<LoadedItem> {
    const { item } = find(image)
    return loaded.get(image, () => item.load()).catch((error: unknown) => {
      throw ofImage(error)
    })
  }

  return {
    openItem,
    get: find,
    load,
    open: async (from) => {
      try {
        if ('file' in from) return await openFile(from.file)
        if ('data' in from) return await openMembers(from.data, from.indices)
        return 'scene' in from ? await openScenes(from.scene) : await openPasted(from.name, from.bytes)
      } catch (error) {
        throw ofImage(error)
      }
    },
    page: sets.page,
    picture: (image) => pictures.get(image, async () => pngWithin((await load(image)).picture, shownSide)),
    thumbnailOf: (item) => thumbnails.get(item),
  }
}

/** What a run of a pasted image calls it: there is no file to name. */
export const pastedReference = 'pasted-image.png'

function ofImage(error: unknown): unknown {
  return error instanceof MaskscopeError ? new MaskscopeError(error.code, error.message, { subject: 'image', cause: error }) : error
}

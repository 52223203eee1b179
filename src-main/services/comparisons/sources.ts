import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ComparisonFile, StoredImage, StoredModel } from '#storage/comparisons.ts'
import { fileItem, memberAgain, resolveScenes, type DataItem, type LoadedItem } from '../datasets.ts'
import { decodeImage } from '../images.ts'
import { createLru } from '../lru.ts'
import type { ModelAtHand, OpenModels } from '../open-models.ts'
import { pastedReference } from '../open-images.ts'
import { readInput } from '../studies.ts'
import { pngWithin } from '../thumbnails.ts'

/** Pictures and models of the grids of one study, found again where they were, else as the study keeps them. */
export interface ComparisonSources {
  /** Decodes at most once while it is looked at. @throws MaskscopeError 'usage' for a key that the comparison does not have */
  item(file: ComparisonFile, image: string): Promise<DataItem>
  model(file: ComparisonFile, model: string): Promise<ModelAtHand>
  picture(file: ComparisonFile, image: string, side: number): Promise<Uint8Array<ArrayBuffer>>
}

export function createComparisonSources(study: string, models: OpenModels): ComparisonSources {
  const items = new Map<string, Promise<DataItem>>()
  const handles = new Map<string, string>()
  const loaded = createLru<LoadedItem>({ count: 200, bytes: 192 << 20 }, (item) => item.picture.data.byteLength + item.bytes.byteLength + (item.exact?.data.byteLength ?? 0))
  const pictures = createLru<Uint8Array<ArrayBuffer>>({ count: 400, bytes: 64 << 20 }, (png) => png.byteLength)

  async function find(key: string, image: StoredImage): Promise<DataItem> {
    const item = await findItem(study, image)
    return { ...item, load: () => loaded.get(key, () => item.load()) }
  }

  function item(file: ComparisonFile, key: string): Promise<DataItem> {
    const image = file.images[key]
    if (!image) return Promise.reject(new MaskscopeError('usage', 'This comparison has no such image any more; add it again.', { subject: 'image' }))
    const found = items.get(key) ?? find(key, image)
    items.set(key, found)
    found.catch(() => items.delete(key))
    return found
  }

  return {
    item,
    async model(file, key) {
      const model = file.models[key]
      if (!model) throw new MaskscopeError('usage', 'This comparison has no such model any more; add the row again.', { subject: 'model' })
      const handle = handles.get(key) ?? await reopen(models, model)
      handles.set(key, handle)
      return models.get(handle)
    },
    picture: (file, key, side) => pictures.get(`${key} ${side}`, async () => pngWithin((await (await item(file, key)).load()).picture, side)),
  }
}

async function reopen(models: OpenModels, { place, name, sha256, stated }: StoredModel): Promise<string> {
  return (await models.openAgain(place, { name, sha256 }, plainStated(stated))).model
}

function plainStated({ card, fit, range, mean, std, labels, inputScale }: StoredModel['stated']): Parameters<OpenModels['openAgain']>[2] {
  return {
    ...(card === undefined ? {} : { card }), ...(fit === undefined ? {} : { fit }), ...(range === undefined ? {} : { range }),
    ...(mean === undefined ? {} : { mean }), ...(std === undefined ? {} : { std }), ...(labels === undefined ? {} : { labels }), ...(inputScale === undefined ? {} : { inputScale }),
  }
}

/** The file itself where it still is what it was, so that a command can name it and its data set tells the truth. */
async function findItem(study: string, image: StoredImage): Promise<DataItem> {
  if (image.kind === 'scene') return resolveScenes(image.reference)[0]!
  const member = image.member === null ? undefined : await memberAgain(image.member, image.sha256)
  if (member) return member
  if (path.isAbsolute(image.reference)) {
    const bytes = await readFile(image.reference).catch(() => null)
    if (bytes && createHash('sha256').update(bytes).digest('hex') === image.sha256) return fileItem(image.reference)
  }
  const reference = image.reference === pastedReference ? pastedReference : path.basename(image.reference)
  return { kind: 'file', reference, load: async () => decodeImage(await readInput(study, image), image.name) }
}

import type { ImageBatch } from '#shared/domain/image.ts'
import type { ModelInfo } from '#shared/domain/model.ts'
import { pictureOf, type DataItem } from '../datasets.ts'
import { prepareItem } from '../prepared-input.ts'
import { pngWithin, thumbnailSide } from '../thumbnails.ts'
import { unitName } from './perform.ts'
import { openRecords, type Subject, type UnitRecord } from './records.ts'

export interface CellPicture {
  subject: number
  png: Uint8Array<ArrayBuffer> | null
  map: { height: number; width: number; data: Float32Array<ArrayBuffer> } | null
  signed: boolean
}

/**
 * What stands beside the values of some images: what the classifier saw of each, and a method's map of it, where maps are kept.
 * @param info null: the model is not at hand, and the whole picture is shown
 */
export async function cellPictures(
  folder: string, method: string, info: Pick<ModelInfo, 'input' | 'preprocessing'> | null, items: readonly DataItem[] | null,
  subjects: readonly { index: number; subject: Subject; chunk: number; place: number }[],
): Promise<CellPicture[]> {
  const records = await openRecords(folder)
  const units = new Map<number, Promise<{ record: UnitRecord | undefined; maps: Float32Array | undefined }>>()
  const unitOf = (chunk: number): Promise<{ record: UnitRecord | undefined; maps: Float32Array | undefined }> => {
    const name = unitName(chunk, method, 0)
    const known = units.get(chunk) ?? Promise.all([records.read<UnitRecord>(name), records.readMaps(name)]).then(([record, maps]) => ({ record, maps }))
    units.set(chunk, known)
    return known
  }
  const pictures: CellPicture[] = []
  for (const { index, subject, chunk, place } of subjects) {
    const { record, maps } = await unitOf(chunk)
    const item = items?.[subject.image]
    // A file may be gone or have changed meanwhile; its numbers stay.
    const seen = item ? await seenPng(item, info).catch(() => null) : null
    pictures.push({ subject: index, png: seen?.png ?? null, map: maps && record ? mapAt(maps, record.maps.length, place, seen?.size ?? null) : null, signed: record?.maps[place]?.signed ?? false })
  }
  return pictures
}

async function seenPng(item: DataItem, info: Pick<ModelInfo, 'input' | 'preprocessing'> | null): Promise<{ png: Uint8Array<ArrayBuffer>; size: { height: number; width: number } | null }> {
  const loaded = await item.load()
  if (!info) return { png: await pngWithin(loaded.picture, thumbnailSide), size: null }
  const { image } = await prepareItem(loaded, info)
  return { png: await pngWithin(pictureOf(coloured(image)), thumbnailSide), size: { height: image.height, width: image.width } }
}

/** Grey ones in three channels. */
function coloured({ width, height, channels, data }: ImageBatch): Pick<ImageBatch, 'width' | 'height' | 'data'> {
  return { width, height, data: channels === 3 ? data : Float32Array.from({ length: width * height * 3 }, (_, i) => data[Math.floor(i / 3) * channels]!) }
}

/** [maps, 2, height, width]: the saliency of one. */
function mapAt(maps: Float32Array, count: number, place: number, size: { height: number; width: number } | null): CellPicture['map'] {
  const pixels = maps.length / (2 * count)
  const side = Math.sqrt(pixels)
  const { height, width } = size ?? { height: side, width: side }
  if (height * width !== pixels) return null
  return { height, width, data: Float32Array.from(maps.subarray(2 * place * pixels, (2 * place + 1) * pixels)) }
}

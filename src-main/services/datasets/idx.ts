import path from 'node:path'
import type { Picture } from '#shared/domain/image.ts'
import { namesIn, onlyFile, requireFolder } from './files.ts'
import { badFile, counted, type DataItem } from './item.ts'
import { madeImage } from './made-image.ts'
import { packedLimit, readPacked } from './packed-bytes.ts'

/** Images and labels as the MNIST family packs them (IDX, unsigned bytes), read once for all items. */
interface Idx {
  count: number
  height: number
  width: number
  /** [count, height, width], grey */
  pixels: Uint8Array
  labels: Uint8Array
}

const imagesKind = 'IDX file of images'
const labelsKind = 'IDX file of labels'

/**
 * `idx:DIR[:train]`: the images of an IDX pair, packed by gzip or not.
 * @throws MaskscopeError naming file and field where it is not what it claims
 */
export async function idxItems(folder: string, train: boolean, spec: string): Promise<DataItem[]> {
  await requireFolder(folder, spec)
  const names = await namesIn(folder)
  const part = train ? 'train' : '(?:t10k|test)'
  const example = train ? 'train' : 't10k'
  const find = (what: string, rank: number): string =>
    onlyFile(folder, names, new RegExp(`^${part}[-_.]${what}[-_.]idx${rank}-ubyte(?:\\.gz)?$`), `${example}-${what}-idx${rank}-ubyte.gz`)
  const { count, height, width, pixels, labels } = await readIdx(find('images', 3), find('labels', 1))
  const stem = `idx:${folder}${train ? ':train' : ''}`
  return Array.from({ length: count }, (_, i): DataItem => {
    const reference = `${stem}#${i}`
    const label = { index: labels[i]! }
    return {
      kind: 'file', reference, member: reference, label: () => Promise.resolve(label),
      picture: () => Promise.resolve(pictureAt(pixels, i, height, width)),
      load: async () => ({ ...await madeImage(reference, pictureAt(pixels, i, height, width)), label }),
    }
  })
}

async function readIdx(imagesFile: string, labelsFile: string): Promise<Idx> {
  let shape: number[] = []
  const images = await readPacked(imagesKind, imagesFile, 16, (start) => {
    shape = shapeOf(imagesKind, imagesFile, start, 3)
    return 16 + shape.reduce((a, b) => a * b, 1)
  })
  const [count, height, width] = shape as [number, number, number]
  const labels = await readPacked(labelsKind, labelsFile, 8, (start) => {
    const [labelled] = shapeOf(labelsKind, labelsFile, start, 1) as [number]
    if (labelled !== count) {
      throw badFile(labelsKind, labelsFile, `has labels of ${counted(labelled, 'image')}, but ${path.basename(imagesFile)} holds ${counted(count, 'image')}; the two do not belong together`)
    }
    return 8 + labelled
  })
  return { count, height, width, pixels: images.subarray(16), labels: labels.subarray(8) }
}

/** @returns the sizes of an IDX array of unsigned bytes */
function shapeOf(kind: string, file: string, start: Uint8Array, rank: number): number[] {
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength)
  if (start.length < 4 * (rank + 1)) throw badFile(kind, file, 'is cut off in its header; copy or download it again')
  const magic = view.getUint32(0)
  if (magic !== 0x800 + rank) {
    throw badFile(kind, file, `begins with the number ${magic} where ${0x800 + rank} is expected (unsigned bytes of ${rank} dimensions)`)
  }
  const names = ['count', 'rows', 'columns']
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i))
  const empty = shape.findIndex((size) => size === 0)
  if (empty >= 0) throw badFile(kind, file, `says that its ${names[empty]} is 0`)
  if (shape.reduce((a, b) => a * b, 1) > packedLimit) throw badFile(kind, file, `says that it holds ${shape.join(' × ')} values, more than the ${packedLimit} that are read`)
  return shape
}

function pictureAt(pixels: Uint8Array, index: number, height: number, width: number): Picture {
  const data = new Uint8Array(height * width * 3)
  const from = index * height * width
  for (let i = 0; i < height * width; i++) data.fill(pixels[from + i]!, 3 * i, 3 * i + 3)
  return { width, height, data }
}

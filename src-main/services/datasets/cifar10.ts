import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Picture } from '#shared/domain/image.ts'
import { readSmallFile } from '../files.ts'
import { namesIn, requireFolder, sorted } from './files.ts'
import { badFile, counted, wrongSpec, type DataItem, type Label } from './item.ts'
import { madeImage } from './made-image.ts'
import { packedLimit } from './packed-bytes.ts'

const side = 32
const plane = side * side
const record = 1 + 3 * plane
const classes = 10
const kind = 'CIFAR-10 file'

/**
 * `cifar10:DIR[:train]`: the binary version, one label byte and three planes of 32×32 a record; class names from
 * batches.meta.txt where it is there. Each file is read once, when an image of it is.
 */
export async function cifar10Items(folder: string, train: boolean, spec: string): Promise<DataItem[]> {
  await requireFolder(folder, spec)
  const names = await namesIn(folder)
  const wanted = train ? /^data_batch.*\.bin$/ : /^test_batch.*\.bin$/
  const files = sorted(names.filter((name) => wanted.test(name)))
  if (files.length === 0) throw wrongSpec(spec, `The folder ${folder} lacks files such as ${train ? 'data_batch_1.bin' : 'test_batch.bin'}, which the binary version of CIFAR-10 has.`)
  const texts = names.includes('batches.meta.txt') ? await readNames(path.join(folder, 'batches.meta.txt')) : undefined
  const stem = `cifar10:${folder}${train ? ':train' : ''}`
  const items: DataItem[] = []
  for (const name of files) {
    const file = path.join(folder, name)
    const count = await countRecords(file)
    let whole: Promise<Uint8Array> | undefined
    const recordAt = async (i: number): Promise<Uint8Array> => {
      whole ??= readFile(file)
      const bytes = (await whole).subarray(i * record, (i + 1) * record)
      if (bytes.length < record) throw badFile(kind, file, 'became shorter while it was read')
      if (bytes[0]! >= classes) throw badFile(kind, file, `gives image ${i} the label ${bytes[0]}; labels are 0 to ${classes - 1}`)
      return bytes
    }
    const labelIn = (bytes: Uint8Array): Label => ({ index: bytes[0]!, ...(texts ? { text: texts[bytes[0]!]! } : {}) })
    for (let i = 0; i < count; i++) {
      const reference = `${stem}#${items.length}`
      items.push({
        kind: 'file', reference, member: reference,
        label: async () => labelIn(await recordAt(i)),
        picture: async () => pictureOfRecord(await recordAt(i)),
        async load() {
          const bytes = await recordAt(i)
          return { ...await madeImage(reference, pictureOfRecord(bytes)), label: labelIn(bytes) }
        },
      })
    }
  }
  return items
}

async function countRecords(file: string): Promise<number> {
  const { size } = await stat(file)
  if (size > packedLimit) throw badFile(kind, file, `has ${size} bytes, more than the ${packedLimit} that are read`)
  if (size > 0 && size % record === 0) return size / record
  throw badFile(kind, file, `has ${counted(size, 'byte')}, which is no whole number of images of ${record} bytes; it is cut off or of another kind (the binary version is read, not the one for Python)`)
}

async function readNames(file: string): Promise<string[]> {
  // The published file ends with an empty line.
  const text = new TextDecoder().decode(await readSmallFile(file, 'list of class names', 1 << 20))
  const names = text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== '').slice(0, classes)
  if (names.length < classes) throw badFile('list of class names', file, `names ${names.length} classes; CIFAR-10 has ${classes}`)
  return names
}

function pictureOfRecord(bytes: Uint8Array): Picture {
  const data = new Uint8Array(3 * plane)
  for (let i = 0; i < plane; i++) for (let k = 0; k < 3; k++) data[3 * i + k] = bytes[1 + k * plane + i]!
  return { width: side, height: side, data }
}

import { createHash } from 'node:crypto'
import { readFile, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { onnxInputShape } from '#engine/graph/import/onnx/model-input.ts'
import { externalLocations, tensorsOf } from '#engine/graph/onnx-format/external.ts'
import { readOnnx } from '#engine/graph/onnx-format/read.ts'
import type { OnnxModel } from '#engine/graph/onnx-format/schema.ts'
import { declaredBytes, externalPart } from '#engine/graph/onnx-format/tensor.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { OnnxSource } from '#shared/domain/model.ts'
import { readSmallFile } from './files.ts'

/** What an ONNX model's own files hold, and how many channels its input has. */
export type OnnxFiles = Pick<OnnxSource, 'format' | 'bytes' | 'external' | 'sha256'> & { channels: number }

/** Of the model file and all files beside it; protobuf's own limit for one of them. */
export const onnxLimit = 2 ** 31 - 1

export function isOnnx(file: string): boolean {
  return path.extname(file).toLowerCase() === '.onnx'
}

/**
 * Reads an ONNX model and the files beside it that hold its weights. The hash is over the model file and then those, in the order
 * in which the model names them.
 * @throws MaskscopeError 'input' naming the file, for whatever is missing, cut off, too long, elsewhere or no model.
 */
export async function readOnnxFiles(file: string): Promise<OnnxFiles> {
  await checkSize(file)
  const bytes = await readSmallFile(file, 'model file', onnxLimit)
  const { model, locations, channels } = named(file, () => {
    const model = readOnnx(bytes)
    return { model, locations: externalLocations(model), channels: onnxInputShape(model).channels }
  })
  const hash = createHash('sha256').update(bytes)
  const external: Record<string, Uint8Array> = {}
  for (const [location, place] of await placesOf(locations, file, bytes.length)) {
    const data = await readFile(place)
    checkLength(model, location, data.length, place, file)
    external[location] = data
    hash.update(data)
  }
  return { format: 'onnx', bytes, external, sha256: hash.digest('hex'), channels }
}

/** What is wrong with a model, told with its file. */
export function onnxError(error: unknown, file: string): unknown {
  if (!(error instanceof MaskscopeError) || error.code !== 'input' || error.message.includes(path.basename(file))) return error
  return new MaskscopeError('input', `${file} cannot be used. ${error.message}`, { subject: error.subject ?? file, cause: error })
}

function named<T>(file: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw onnxError(error, file)
  }
}

/** A longer file gets a word of its own: what to do about it is known. */
async function checkSize(file: string): Promise<void> {
  const info = await stat(file).catch(() => null)
  if (!info || info.size <= onnxLimit) return
  throw bad(file, `has ${info.size} bytes, more than the ${onnxLimit} that an ONNX file can have and that are read; choose a smaller model`)
}

/** The weights files' real places, checked before anything is read. */
async function placesOf(locations: readonly string[], file: string, modelBytes: number): Promise<Map<string, string>> {
  const places = new Map<string, string>()
  if (locations.length === 0) return places
  const folder = await realpath(path.dirname(path.resolve(file)))
  let total = modelBytes
  for (const location of locations) {
    const given = path.join(path.dirname(file), location)
    const place = await realpath(given).catch((cause: NodeJS.ErrnoException) => {
      const problem = cause.code === 'ENOENT' ? 'is missing' : `cannot be read (${cause.code})`
      throw new MaskscopeError('input', `The weights file ${given} ${problem}; put it beside ${path.basename(file)}, which names it.`, { subject: given, cause })
    })
    if (!place.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep)) {
      throw bad(file, `keeps weights in "${location}", which leads out of the model's own folder; put the file itself there`)
    }
    const info = await stat(place)
    if (!info.isFile()) throw bad(file, `keeps weights in "${location}", which is no file`)
    total += info.size
    if (total > onnxLimit) throw bad(file, `and the files with its weights have more than ${onnxLimit} bytes together, which is more than is read; choose a smaller model`)
    places.set(location, place)
  }
  return places
}

/** Every tensor's part must lie within the file. */
function checkLength(model: OnnxModel, location: string, length: number, place: string, file: string): void {
  let needed = 0
  for (const tensor of tensorsOf(model)) {
    if (tensor.dataLocation !== 1) continue
    const part = named(file, () => externalPart(tensor))
    if (part.location === location) needed = Math.max(needed, part.offset + named(file, () => declaredBytes(tensor)))
  }
  if (needed <= length) return
  throw new MaskscopeError('input', `The weights file ${place} of ${file} is too short (${length} bytes where the model needs ${needed}); copy or download it again.`, { subject: place })
}

function bad(file: string, what: string): MaskscopeError {
  return new MaskscopeError('input', `The model file ${file} ${what}.`, { subject: file })
}

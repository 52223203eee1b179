import { open, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { constants, gunzip, gunzipSync } from 'node:zlib'
import { badFile, counted } from './item.ts'

const unzip = promisify(gunzip)
/** Of a data set's file, packed or not; 60,000 images of 96×96×3 fit. */
export const packedLimit = 2 ** 31

/**
 * A file that may be packed by gzip, read whole.
 * @param sizeOf what the file must have in bytes, unpacked, from its first bytes (at most `head`): nothing beyond it is ever unpacked
 * @throws MaskscopeError 'input' naming the file: missing, damaged, cut off, longer than it says
 */
export async function readPacked(kind: string, file: string, head: number, sizeOf: (start: Uint8Array) => number): Promise<Uint8Array> {
  const { start, size, packed } = await look(kind, file, head)
  const wanted = sizeOf(start)
  if (wanted > packedLimit) throw badFile(kind, file, `says that it holds ${wanted} bytes, more than the ${packedLimit} that are read`)
  if (!packed) {
    if (size !== wanted) throw badFile(kind, file, `has ${counted(size, 'byte')} where its header needs ${counted(wanted, 'byte')}; copy or download it again`)
    return readFile(file)
  }
  const bytes = await unpack(kind, file, wanted)
  if (bytes.length !== wanted) throw badFile(kind, file, `holds ${counted(bytes.length, 'byte')} where its header needs ${counted(wanted, 'byte')}; copy or download it again`)
  return bytes
}

async function unpack(kind: string, file: string, wanted: number): Promise<Uint8Array> {
  try {
    return await unzip(await readFile(file), { maxOutputLength: wanted })
  } catch (error) {
    throw unpackError(kind, file, error, wanted)
  }
}

async function look(kind: string, file: string, head: number): Promise<{ start: Uint8Array; size: number; packed: boolean }> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    throw badFile(kind, file, error.code === 'ENOENT' ? 'does not exist; check its name and folder' : `cannot be read (${error.code}); check its permissions`, error)
  })
  try {
    const { size } = await handle.stat()
    if (size > packedLimit) throw badFile(kind, file, `has ${size} bytes, more than the ${packedLimit} that are read`)
    // A kilobyte of gzip unpacks to a megabyte at most.
    const raw = new Uint8Array(1024)
    const { bytesRead } = await handle.read(raw, 0, raw.length, 0)
    const first = raw.subarray(0, bytesRead)
    if (first[0] !== 0x1f || first[1] !== 0x8b) return { start: first.subarray(0, head), size, packed: false }
    try {
      return { start: gunzipSync(first, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, head), size, packed: true }
    } catch (error) {
      throw unpackError(kind, file, error, head)
    }
  } finally {
    await handle.close()
  }
}

function unpackError(kind: string, file: string, error: unknown, wanted: number): Error {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ERR_BUFFER_TOO_LARGE') return badFile(kind, file, `unpacks to more than the ${counted(wanted, 'byte')} that its header needs; it is not what it claims`, error)
  if (code === 'Z_BUF_ERROR') return badFile(kind, file, 'is cut off: its gzip stream does not end; copy or download it again', error)
  return badFile(kind, file, `is damaged (${(error as Error).message}); copy or download it again`, error)
}

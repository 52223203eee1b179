import { createHash } from 'node:crypto'
import { appendFile, readdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { decodeNpy, encodeNpy } from '#storage/npy.ts'
import { createFiles, storageError, temporaryEnding, type Files } from '#storage/files.ts'
import type { TruthKind } from '../datasets.ts'

/** Of one image of the data set, or one object in it: what is explained. */
export interface Subject {
  /** Index in the data set. */
  image: number
  /** Among the objects of the image. */
  object: number
  name: string
  label: string | null
  /** Class index. */
  target: number
  /** Of the target in the clean image; null where the outputs are no probabilities. */
  probability: number | null
  /** What belongs together in the statistics: the image, or the photo that a mosaic's cell shows. */
  cluster: string
  truth: TruthKind | null
  /** SHA-256 of the picture's bytes; not in folders of before. */
  sha256?: string
}

/** An image that is not evaluated, and why. */
export interface Excluded {
  image: number
  name: string
  /** `wrong`: the classifier names another class. */
  reason: 'wrong' | 'unknown-class' | 'no-object' | 'unreadable' | 'unanswered'
  label: string | null
  /** For people. */
  text: string
}

export interface ChunkRecord {
  subjects: Subject[]
  excluded: Excluded[]
}

export interface Value {
  /** null where it is not defined. */
  value: number | null
  details?: Record<string, number | null>
  note?: string
}

export interface MapRecord {
  forward: number
  backward: number
  signed: boolean
  mask: boolean
  values: Record<string, Value>
}

/** What came of one method with one seed on one chunk of images. */
export interface UnitRecord {
  /** Why there is no map of a subject, the first where there are several reasons. */
  error: string | null
  /** One per subject of the chunk; null where the method failed. */
  maps: (MapRecord | null)[]
}

/** Values of metrics that compare the methods, by entry. */
export type ComparedRecord = Record<string, Record<string, Value>[]>

export interface Seconds {
  unit: string
  /** Of explaining alone. */
  explain: number
  measure: number
  /** Maps that were found in it. */
  maps: number
}

const recordsFolder = 'records'
const mapsFolder = 'maps'
const secondsFile = 'seconds.jsonl'

export function chunkName(chunk: number): string {
  return `c${String(chunk).padStart(6, '0')}`
}

/** What a benchmark has made so far: one small file for each piece of work, complete or not there. */
export interface Records {
  /** Names of the pieces that are there. */
  done(): Promise<Set<string>>
  /** @returns undefined where it is not there, or damaged: then it is made again. */
  read<T>(name: string): Promise<T | undefined>
  write(name: string, record: object): Promise<void>
  /** So that it is made anew. */
  remove(name: string): Promise<void>
  /** [maps, 2, height, width]: saliency and ranking. */
  writeMaps(name: string, maps: { count: number; height: number; width: number; data: Float32Array }): Promise<void>
  readMaps(name: string): Promise<Float32Array | undefined>
  removeMaps(name: string): Promise<void>
  addSeconds(seconds: Seconds): Promise<void>
  seconds(): Promise<Seconds[]>
}

export async function openRecords(folder: string, files: Files = createFiles()): Promise<Records> {
  const records = path.join(folder, recordsFolder)
  const maps = path.join(folder, mapsFolder)
  const fileOf = (name: string): string => path.join(records, `${name}.json`)
  const mapsOf = (name: string): string => path.join(maps, `${name}.npy`)
  await files.makeFolder(records)
  return {
    async done() {
      const names = await readdir(records)
      // Left by a crash in the middle of writing.
      for (const name of names) if (name.endsWith(temporaryEnding)) await rm(path.join(records, name), { force: true })
      return new Set(names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length)))
    },
    async read<T>(name: string) {
      const text = await readFile(fileOf(name), 'utf8').catch(() => undefined)
      const [body, sum] = text?.split('\n') ?? []
      if (body === undefined || sum !== sumOf(body)) return undefined
      return JSON.parse(body) as T
    },
    async write(name, record) {
      const body = JSON.stringify(record, (_, value: unknown) => (typeof value === 'number' && !Number.isFinite(value) ? null : value))
      await files.write(fileOf(name), `${body}\n${sumOf(body)}\n`)
    },
    remove: (name) => files.remove(fileOf(name)),
    async writeMaps(name, { count, height, width, data }) {
      await files.makeFolder(maps)
      await files.write(mapsOf(name), ...encodeNpy({ shape: [count, 2, height, width], data }))
    },
    async readMaps(name) {
      const bytes = await readFile(mapsOf(name)).catch(() => undefined)
      try {
        return bytes && decodeNpy(bytes, mapsOf(name)).data as Float32Array
      } catch {
        return undefined
      }
    },
    removeMaps: (name) => files.remove(mapsOf(name)),
    async addSeconds(seconds) {
      const file = path.join(folder, secondsFile)
      // A line that a crash cut off must not take the next one with it.
      await appendFile(file, `\n${JSON.stringify(seconds)}\n`).catch((error: unknown) => {
        throw storageError(error, file, 'write')
      })
    },
    async seconds() {
      const text = await readFile(path.join(folder, secondsFile), 'utf8').catch(() => '')
      return text.split('\n').flatMap((line): Seconds[] => {
        try {
          return line === '' ? [] : [JSON.parse(line) as Seconds]
        } catch {
          return []
        }
      })
    },
  }
}

function sumOf(body: string): string {
  return createHash('sha256').update(body).digest('hex')
}

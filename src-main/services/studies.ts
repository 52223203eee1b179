import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { MapData } from '#shared/domain/image.ts'
import type { MapPart, MapStack } from '#shared/domain/run.ts'
import { storageError } from '#storage/files.ts'
import { inputPath, isRunId, manifestEnding, partFile, runFiles, runNumber, runPath, runsFolder } from '#storage/layout.ts'
import { isLocked } from '#storage/lock.ts'
import { decodeLosses, type LossTable } from '#storage/losses.ts'
import type { RunEntry, RunManifest, RunRecord } from '#storage/manifests.ts'
import { parseRunManifest, parseRunRecord, parseStudyManifest } from '#storage/migrations.ts'
import { readNpy, type NpyArray } from '#storage/npy.ts'
import { parseMetrics, type StoredMeasurement } from '#storage/run-metrics.ts'
import { inBatches } from './batches.ts'

/** A finished run. Its maps are read when they are asked for. */
export interface StoredRun {
  id: string
  /** Absolute. */
  folder: string
  /** The part that the same run always has: what was asked, what came out. */
  manifest: RunManifest
  /** Dates, seconds, machine, where image and model were found. */
  record: RunRecord
  /** Raw values over the picture, 0 outside the crop, at `manifest.scale`. */
  saliency(): Promise<MapData>
  /** At the method's own resolution, over the crop. */
  own(): Promise<MapData>
  /** Pre-sigmoid values at the own resolution, or null. */
  ranking(): Promise<MapData | null>
  /** The stored course of the map at its own resolution; empty where the method shows none. */
  frames(): Promise<{ iteration: number; map: MapData }[]>
  losses(): Promise<LossTable>
  /** What was measured of its map so far, the latest of each metric. */
  metrics(): Promise<StoredMeasurement[]>
  /** What the method keeps beside its map; empty for most. */
  parts(): Promise<MapPart[]>
  /** The bytes of the picture, checked against their hash. For a scene this is a PNG of it. */
  input(): Promise<Uint8Array>
}

/** A study opened to read; nothing is locked, another process may be writing. */
export interface Study {
  /** Absolute. */
  folder: string
  name: string
  /** All runs that left a trace, unfinished ones too, by number. Read from disk at every call. */
  runs(): Promise<RunEntry[]>
  /** What is known of each of them beside its result, with the states as they are by now. Read from disk at every call. */
  records(): Promise<RunRecord[]>
  /**
   * @param run an id, or the number it begins with
   * @throws MaskscopeError 'usage' when there is no such run, 'storage' when it did not finish or cannot be read.
   */
  readRun(run: string): Promise<StoredRun>
}

/**
 * @param place the study's folder or its NAME.maskscope
 * @throws MaskscopeError 'usage' when there is no study, 'storage' when it cannot be read.
 */
export async function openStudy(place: string): Promise<Study> {
  const folder = path.resolve(place.endsWith(manifestEnding) ? path.dirname(place) : place)
  const manifestFile = await findManifest(folder)
  const runIds = await listRunIds(folder)
  if (manifestFile === null && runIds.length === 0) {
    throw new MaskscopeError('usage', `${place} is not a study: it holds no file that ends in ${manifestEnding}. Give the folder that --out named.`, { subject: place })
  }
  return {
    folder,
    name: await studyName(folder, manifestFile),
    runs: async () => (await readRecords(folder)).map(entryOf),
    records: () => readRecords(folder),
    readRun: (run) => readRun(folder, run),
  }
}

/** The study's manifest, or null. @throws MaskscopeError 'storage' where there are several. */
export async function findManifest(folder: string): Promise<string | null> {
  let names: string[]
  try {
    names = await readdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw storageError(error, folder, 'read')
  }
  const found = names.filter((name) => name.endsWith(manifestEnding) && !name.startsWith('.'))
  if (found.length > 1) {
    throw new MaskscopeError('storage', `${folder} holds several studies (${found.join(', ')}); a study needs a folder of its own.`, { subject: folder })
  }
  return found[0] === undefined ? null : path.join(folder, found[0])
}

export async function listRunIds(folder: string): Promise<string[]> {
  const names = await readdir(path.join(folder, runsFolder)).catch(() => [])
  return names.filter(isRunId).sort((a, b) => runNumber(a) - runNumber(b) || (a < b ? -1 : 1))
}

/** The runs as their own folders tell it; the study's manifest is only an index over them. */
async function readRecords(folder: string): Promise<RunRecord[]> {
  const beingWritten = await isLocked(folder)
  const records = await inBatches(await listRunIds(folder), async (id) => {
    const record = await readRecord(folder, id).catch(() => null)
    return record && { ...record, state: await stateOf(folder, record, beingWritten) }
  })
  return records.filter((record) => record !== null)
}

export function entryOf(record: RunRecord): RunEntry {
  const { image, model, method } = record.request
  return { id: record.id, state: record.state, image: image.reference, model: model.name, method, created: record.created }
}

/** A run is finished exactly when its run.json is there, whatever the record came to say. */
export async function stateOf(folder: string, record: RunRecord, beingWritten: boolean): Promise<RunEntry['state']> {
  const finished = await stat(path.join(runPath(folder, record.id), runFiles.manifest)).then(() => true, () => false)
  if (finished) return 'finished'
  const unfinished = record.state === 'queued' || record.state === 'running'
  if (unfinished && beingWritten) return record.state
  return unfinished || record.state === 'finished' ? 'interrupted' : record.state
}

/** @throws MaskscopeError 'storage' */
export async function readRecord(folder: string, id: string): Promise<RunRecord> {
  const file = path.join(runPath(folder, id), runFiles.record)
  const record = parseRunRecord(await readText(file), file)
  return { ...record, id }
}

async function readRun(folder: string, run: string): Promise<StoredRun> {
  const id = await findRun(folder, run)
  const record = await readRecord(folder, id)
  const state = await stateOf(folder, record, await isLocked(folder))
  if (state !== 'finished') {
    const why = record.error ? `: ${record.error.message}` : ''
    throw new MaskscopeError('storage', `Run ${id} has no result, it is ${state}${why}`, { subject: id })
  }
  return readFinished(folder, record)
}

/** @param record of a run that is known to have a result. @throws MaskscopeError 'storage' */
export async function readFinished(folder: string, record: RunRecord): Promise<StoredRun> {
  const { id } = record
  const runFolder = runPath(folder, id)
  const manifestFile = path.join(runFolder, runFiles.manifest)
  const manifest = parseRunManifest(await readText(manifestFile), manifestFile)
  const { arrays, order } = manifest
  const file = (name: keyof typeof runFiles): string => path.join(runFolder, runFiles[name])
  return {
    id,
    folder: runFolder,
    manifest,
    record,
    saliency: async () => toMap(await readNpy(file('saliency')), file('saliency')),
    own: async () => toMap(await readNpy(file('own')), file('own')),
    ranking: async () => (arrays.ranking ? toMap(await readNpy(file('ranking')), file('ranking')) : null),
    frames: async () => (arrays.frames ? toFrames(await readNpy(file('frames')), arrays.frames.iterations, file('frames')) : []),
    parts: () => Promise.all(arrays.parts.map(async ({ name, title, signed }) => {
      const partName = path.join(runFolder, partFile(name))
      return { name, title, signed, ...toStack(await readNpy(partName), partName) }
    })),
    metrics: async () => (existsSync(file('metrics')) ? parseMetrics(await readText(file('metrics')), file('metrics')) : []),
    losses: async () => decodeLosses(await readText(file('losses')), file('losses')),
    input: () => readInput(folder, order.image),
  }
}

/** @throws MaskscopeError 'usage' where no run, or more than one, is meant. */
export async function findRun(folder: string, run: string): Promise<string> {
  // Reading every run of a large study must not list all of them each time.
  if (isRunId(run) && existsSync(runPath(folder, run))) return run
  const ids = await listRunIds(folder)
  const byNumber = /^\d+$/.test(run) ? ids.filter((id) => runNumber(id) === Number(run)) : []
  if (byNumber.length === 1) return byNumber[0]!
  const known = ids.length > 8 ? `${ids.slice(0, 8).join(', ')}, …` : ids.join(', ')
  throw new MaskscopeError('usage', `There is no run "${run}" in ${folder}; it holds ${known || 'no runs'}.`, { subject: run })
}

/** The stored bytes of a picture. @throws MaskscopeError 'storage' when they are missing or not what was stored. */
export async function readInput(folder: string, image: { file: string; sha256: string }): Promise<Uint8Array> {
  const file = inputPath(folder, image.file)
  let bytes: Uint8Array
  try {
    bytes = await readFile(file)
  } catch (error) {
    throw storageError(error, file, 'read')
  }
  if (createHash('sha256').update(bytes).digest('hex') !== image.sha256) {
    throw new MaskscopeError('storage', `${file} has been changed since the run was made; restore it to run again.`, { subject: file })
  }
  return bytes
}

function toMap(array: NpyArray, file: string): MapData {
  const [height, width] = array.shape
  if (array.shape.length !== 2 || !(array.data instanceof Float32Array)) throw wrongShape(file, 'float32 [H, W]')
  return { height: height!, width: width!, data: array.data }
}

function toFrames(array: NpyArray, iterations: readonly number[], file: string): { iteration: number; map: MapData }[] {
  const [frames, height, width] = array.shape
  const { data } = array
  if (array.shape.length !== 3 || frames !== iterations.length || !(data instanceof Float32Array)) {
    throw wrongShape(file, `float32 [${iterations.length}, H, W]`)
  }
  const length = height! * width!
  return iterations.map((iteration, i) => ({
    iteration,
    map: { height: height!, width: width!, data: data.subarray(i * length, (i + 1) * length) },
  }))
}

function toStack({ shape, data }: NpyArray, file: string): MapStack {
  const [count, height, width] = shape
  if (shape.length !== 3 || !(data instanceof Float32Array)) throw wrongShape(file, 'float32 [N, H, W]')
  return { count: count!, height: height!, width: width!, data }
}

function wrongShape(file: string, wanted: string): MaskscopeError {
  return new MaskscopeError('storage', `${file} is not ${wanted}; it does not belong to this run.`, { subject: file })
}

async function studyName(folder: string, manifestFile: string | null): Promise<string> {
  if (manifestFile === null) return path.basename(folder)
  try {
    return parseStudyManifest(await readText(manifestFile), manifestFile).name
  } catch (error) {
    // A newer format must not be guessed at; a damaged index costs only its name.
    if (error instanceof MaskscopeError && error.message.includes('newer Maskscope')) throw error
    return path.basename(manifestFile, manifestEnding)
  }
}

/** Far more than any JSON or table of ours has. */
const textLimit = 256 * 2 ** 20

export async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file)
    if (size > textLimit) throw new MaskscopeError('storage', `${file} is ${size} bytes long, more than the ${textLimit} that are read.`, { subject: file })
    return await readFile(file, 'utf8')
  } catch (error) {
    throw storageError(error, file, 'read')
  }
}

import { createHash } from 'node:crypto'
import { readdir, rename, rmdir } from 'node:fs/promises'
import { availableParallelism, cpus, totalmem } from 'node:os'
import path from 'node:path'
import { MaskscopeError, serialiseError } from '#shared/domain/errors.ts'
import type { MapData } from '#shared/domain/image.ts'
import { createFiles, temporaryEnding, type Files } from '#storage/files.ts'
import { inputName, inputPath, inputsFolder, makeRunId, manifestEnding, runFiles, runNumber, runPath, runsFolder, studyFileName } from '#storage/layout.ts'
import { takeLock } from '#storage/lock.ts'
import { encodeLosses, type LossTable } from '#storage/losses.ts'
import { runFormat, runVersion, studyFormat, studyVersion, type RunEntry, type RunManifest, type RunOrderManifest, type RunRecord, type StudyManifest } from '#storage/manifests.ts'
import { formatJson, parseStudyManifest } from '#storage/migrations.ts'
import { encodeNpy, type NpyArray } from '#storage/npy.ts'
import { entryOf, findManifest, listRunIds, openStudy, readInput, readRecord, readText, stateOf, type Study } from './studies.ts'

/** What a finished run came to; the manifest's own fields but for those that the writer adds. */
export interface RunResult {
  facts: Omit<RunManifest, 'format' | 'version' | 'order' | 'arrays'>
  saliency: MapData
  own: MapData
  ranking: MapData | null
  frames: readonly { iteration: number; map: MapData }[]
  losses: LossTable
  seconds: number
  /** The backend's device. */
  device: string
}

export interface StudyWriter extends Study {
  /** The next number with these names; given out once. */
  reserveRun(image: string, method: string): string
  /** Keeps the bytes of a picture under their hash. */
  storeInput(bytes: Uint8Array, extension: string): Promise<{ file: string; sha256: string }>
  /** From here on the run leaves a trace, whatever happens. */
  beginRun(id: string, order: RunOrderManifest, found: RunRecord['found']): Promise<void>
  /** Stores the result, run.json last. @throws MaskscopeError 'storage'; the run is not finished then. */
  finishRun(id: string, result: RunResult): Promise<void>
  /** @returns the figure's name in the run's folder. @throws MaskscopeError 'storage' */
  storeFigure(id: string, png: Uint8Array): Promise<string>
  /** Never throws: what could not be recorded shows as interrupted when the study is opened next. */
  endRun(id: string, state: 'failed' | 'cancelled', error?: unknown): Promise<void>
  /** Writes the index, gives the lock back. @throws MaskscopeError 'storage' where the index cannot be written. */
  close(): Promise<void>
}

/**
 * Opens a study to write and makes it where there is none. Takes its lock, marks runs that a crash cut off, and removes
 * the temporary files it left.
 * @param folder the study's folder
 * @throws MaskscopeError 'storage' when it is locked, not writable, or of a newer format.
 */
export async function openStudyForWriting(folder: string, options: { name?: string; files?: Files } = {}): Promise<StudyWriter> {
  const files = options.files ?? createFiles()
  const root = path.resolve(folder)
  await files.makeFolder(root)
  const lock = await takeLock(root)
  try {
    return await recoverAndOpen(root, options.name ?? path.basename(root), files, lock.release)
  } catch (error) {
    await lock.release()
    throw error
  }
}

async function recoverAndOpen(root: string, name: string, files: Files, release: () => Promise<void>): Promise<StudyWriter> {
  await files.makeFolder(path.join(root, inputsFolder))
  await files.makeFolder(path.join(root, runsFolder))
  const { file: manifestFile, manifest } = await readOrMakeManifest(root, name)
  const running = new Map<string, RunRecord>()
  /** Inputs that this writer has seen to be whole. */
  const keptInputs = new Set<string>()
  let nextNumber = 1 + Math.max(0, ...(await listRunIds(root)).map(runNumber))
  manifest.runs = await recoverRuns(root, files)

  let dirty = true
  let writing: Promise<unknown> = Promise.resolve()
  /** Writes the index unless a later call's write already held what this call wants written. */
  function writeIndex(): Promise<void> {
    dirty = true
    const turn = writing.then(async () => {
      if (!dirty) return
      dirty = false
      try {
        await files.write(manifestFile, formatJson(manifest))
      } catch (error) {
        dirty = true
        throw error
      }
    })
    writing = turn.catch(() => undefined)
    return turn
  }

  function enter(entry: RunEntry): void {
    const known = manifest.runs.findIndex((run) => run.id === entry.id)
    if (known >= 0) manifest.runs[known] = entry
    else manifest.runs.push(entry)
  }

  async function saveRecord(record: RunRecord): Promise<void> {
    await files.write(path.join(runPath(root, record.id), runFiles.record), formatJson(record))
  }

  function runningRecord(id: string): RunRecord {
    const record = running.get(id)
    if (!record) throw new Error(`run ${id} was not begun`)
    return record
  }

  await writeIndex()
  const study = await openStudy(root)
  return {
    ...study,
    reserveRun: (image, method) => makeRunId(nextNumber++, image, method),

    async storeInput(bytes, extension) {
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      const file = inputName(sha256, extension)
      const place = inputPath(root, file)
      if (!keptInputs.has(file)) {
        const there = await readInput(root, { file, sha256 }).catch(() => null)
        if (there === null) await files.write(place, bytes)
        keptInputs.add(file)
      }
      return { file, sha256 }
    },

    async beginRun(id, order, found) {
      await files.makeFolder(runPath(root, id))
      const record: RunRecord = {
        id, state: 'running', created: new Date().toISOString(), ended: null, seconds: null, found, order, machine: describeMachine(null), error: null,
      }
      running.set(id, record)
      await saveRecord(record)
      enter(entryOf(record))
    },

    async finishRun(id, result) {
      const record = runningRecord(id)
      const file = (name: keyof typeof runFiles): string => path.join(runPath(root, id), runFiles[name])
      const arrays = await writeArrays(files, file, result)
      const done: RunRecord = {
        ...record, state: 'finished', ended: new Date().toISOString(), seconds: result.seconds, machine: describeMachine(result.device),
      }
      await saveRecord(done)
      const manifestOfRun: RunManifest = { format: runFormat, version: runVersion, order: record.order, ...result.facts, arrays }
      await files.write(file('manifest'), formatJson(manifestOfRun))
      running.delete(id)
      enter(entryOf(done))
      // The index may lag behind, it is rebuilt from the runs; what cannot be written now is tried again at the end.
      await writeIndex().catch(() => undefined)
    },

    async storeFigure(id, png) {
      await files.write(path.join(runPath(root, id), runFiles.figure), png)
      return runFiles.figure
    },

    async endRun(id, state, error) {
      const record = running.get(id)
      if (!record) return
      running.delete(id)
      const done: RunRecord = { ...record, state, ended: new Date().toISOString(), error: error === undefined ? null : serialiseError(error) }
      enter(entryOf(done))
      await removeArrays(root, id, files)
      await saveRecord(done).then(writeIndex).catch(() => undefined)
    },

    async close() {
      try {
        if (dirty) await writeIndex()
        else await writing
      } finally {
        await release()
      }
    },
  }
}

async function writeArrays(files: Files, file: (name: keyof typeof runFiles) => string, result: RunResult): Promise<RunManifest['arrays']> {
  async function writeArray(name: 'saliency' | 'own' | 'ranking' | 'frames', array: NpyArray): Promise<{ shape: number[]; sha256: string }> {
    const [header, data] = encodeNpy(array)
    await files.write(file(name), header, data)
    return { shape: [...array.shape], sha256: createHash('sha256').update(header).update(data).digest('hex') }
  }
  const saliency = await writeArray('saliency', mapArray(result.saliency))
  const own = await writeArray('own', mapArray(result.own))
  const ranking = result.ranking ? await writeArray('ranking', mapArray(result.ranking)) : null
  const stack = stackFrames(result.frames)
  const frames = stack ? { ...(await writeArray('frames', stack)), iterations: result.frames.map((f) => f.iteration) } : null
  const text = encodeLosses(result.losses)
  await files.write(file('losses'), text)
  const losses = { columns: [...result.losses.columns], rows: result.losses.rows.length, sha256: createHash('sha256').update(text).digest('hex') }
  return { saliency, own, ranking, frames, losses }
}

function mapArray(map: MapData): NpyArray {
  return { shape: [map.height, map.width], data: map.data }
}

function stackFrames(frames: RunResult['frames']): NpyArray | null {
  const first = frames[0]?.map
  if (!first) return null
  const length = first.height * first.width
  const data = new Float32Array(frames.length * length)
  frames.forEach(({ map }, i) => {
    if (map.height !== first.height || map.width !== first.width) throw new MaskscopeError('run', 'The frames of this run differ in size.')
    data.set(map.data, i * length)
  })
  return { shape: [frames.length, first.height, first.width], data }
}

/** A run without result keeps its record only; a full disk gets the room back. */
async function removeArrays(root: string, id: string, files: Files): Promise<void> {
  for (const name of ['saliency', 'own', 'ranking', 'frames', 'losses'] as const) {
    await files.remove(path.join(runPath(root, id), runFiles[name])).catch(() => undefined)
  }
}

async function readOrMakeManifest(root: string, name: string): Promise<{ file: string; manifest: StudyManifest }> {
  const file = await findManifest(root)
  const fresh = (as: string): StudyManifest => ({ format: studyFormat, version: studyVersion, name: as, created: new Date().toISOString(), runs: [] })
  if (file === null) return { file: path.join(root, studyFileName(name)), manifest: fresh(name) }
  try {
    return { file, manifest: parseStudyManifest(await readText(file), file) }
  } catch (error) {
    if (error instanceof MaskscopeError && error.message.includes('newer Maskscope')) throw error
    // An index that cannot be read is rebuilt from the runs; what was there is kept beside it.
    await rename(file, `${file}.damaged`)
    return { file, manifest: fresh(path.basename(file, manifestEnding)) }
  }
}

/** Marks what a crash cut off and clears its temporary files. Only under the lock. */
async function recoverRuns(root: string, files: Files): Promise<RunEntry[]> {
  await removeTemporaries(root, files)
  await removeTemporaries(path.join(root, inputsFolder), files)
  const entries: RunEntry[] = []
  for (const id of await listRunIds(root)) {
    await removeTemporaries(runPath(root, id), files)
    const record = await readRecord(root, id).catch(() => null)
    if (!record) {
      // Cut off between making the folder and writing the record; anything else in it is not ours to remove.
      await rmdir(runPath(root, id)).catch(() => undefined)
      continue
    }
    const state = await stateOf(root, record, false)
    if (state !== record.state) {
      if (state === 'interrupted') await removeArrays(root, id, files)
      await files.write(path.join(runPath(root, id), runFiles.record), formatJson({ ...record, state }))
    }
    entries.push({ ...entryOf(record), state })
  }
  return entries
}

async function removeTemporaries(folder: string, files: Files): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  for (const name of names) if (name.startsWith('.') && name.endsWith(temporaryEnding)) await files.remove(path.join(folder, name))
}

function describeMachine(device: string | null): RunRecord['machine'] {
  return {
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    device,
    node: process.versions.node,
  }
}

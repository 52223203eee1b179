import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { availableParallelism, cpus, totalmem } from 'node:os'
import path from 'node:path'
import { MaskscopeError, serialiseError } from '#shared/domain/errors.ts'
import type { ExecutorChoice } from '#shared/domain/executor.ts'
import type { MapData } from '#shared/domain/image.ts'
import type { MapPart, ParameterChange } from '#shared/domain/run.ts'
import { createFiles, type Files } from '#storage/files.ts'
import { deletedFolder, deletedPath, inputName, inputPath, inputsFolder, isRunId, makeRunId, runFiles, runNumber, runPath, runsFolder } from '#storage/layout.ts'
import { takeLock } from '#storage/lock.ts'
import type { LossTable } from '#storage/losses.ts'
import {
  recordFormat, recordVersion, runFormat, runVersion,
  type RunEntry, type RunManifest, type RunOrderManifest, type RunRecord, type RunRequestManifest,
} from '#storage/manifests.ts'
import { formatJson } from '#storage/migrations.ts'
import { metricsFormat, metricsVersion, parseMetrics, type StoredMeasurement } from '#storage/run-metrics.ts'
import { removeArrays, writeArrays } from './run-arrays.ts'
import { entryOf, openStudy, readInput, readRecord, readText, type Study } from './studies.ts'
import { nextRunNumber, purgeDeleted, readOrMakeManifest, recoverRuns } from './study-recovery.ts'

/** What a finished run came to; the manifest's own fields but for those that the writer adds. */
export interface RunResult {
  facts: Omit<RunManifest, 'format' | 'version' | 'order' | 'arrays' | 'facts'> & Partial<Pick<RunManifest, 'facts'>>
  saliency: MapData
  own: MapData
  ranking: MapData | null
  frames: readonly { iteration: number; map: MapData }[]
  losses: LossTable
  /** Beside the maps. */
  parts?: readonly MapPart[]
  seconds: number
  /** The backend's device. */
  device: string
  /** What ran the classifier, and why. */
  executor: ExecutorChoice
}

export interface StudyWriter extends Study {
  /** The next number with these names; given out once. */
  reserveRun(image: string, method: string): string
  /** Keeps the bytes of a picture under their hash. */
  storeInput(bytes: Uint8Array, extension: string): Promise<{ file: string; sha256: string }>
  /** From here on the run leaves a trace, whatever happens; it waits. @throws MaskscopeError 'storage' */
  noteRun(id: string, request: RunRequestManifest, found: RunRecord['found']): Promise<void>
  /** It runs. One that was not noted leaves a trace from here on. @throws MaskscopeError 'storage' */
  beginRun(id: string, order: RunOrderManifest, found: RunRecord['found']): Promise<void>
  /** All changes of a run that has not ended, from its start and on its way. Never throws: they are stored with its end at the latest. */
  changeRun(id: string, changes: readonly ParameterChange[]): Promise<void>
  /** Stores the result, run.json last. @throws MaskscopeError 'storage'; the run is not finished then. */
  finishRun(id: string, result: RunResult): Promise<void>
  /** @returns the figure's name in the run's folder. @throws MaskscopeError 'storage' */
  storeFigure(id: string, png: Uint8Array): Promise<string>
  /** Adds what was measured of a finished run to what is known; of a metric measured before the later counts. @returns all. @throws MaskscopeError 'storage' */
  storeMetrics(id: string, measured: readonly StoredMeasurement[]): Promise<StoredMeasurement[]>
  /** Never throws: what could not be recorded shows as interrupted when the study is opened next. */
  endRun(id: string, state: 'failed' | 'cancelled', error?: unknown): Promise<void>
  /**
   * Moves runs aside, all of them or none; `restoreRuns` brings them back until the study is opened to write the next time.
   * @throws MaskscopeError 'usage' for a run that is not there or has not ended, 'storage' where one cannot be moved
   */
  deleteRuns(ids: readonly string[]): Promise<void>
  /** @throws MaskscopeError 'usage' for a run that was not deleted or is gone for good, 'storage' where one cannot be moved */
  restoreRuns(ids: readonly string[]): Promise<void>
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
  /** Of runs that have not ended. */
  const open = new Map<string, RunRecord>()
  /** Inputs that this writer has seen to be whole. */
  const keptInputs = new Set<string>()
  manifest.nextNumber = await nextRunNumber(root, manifest)
  await purgeDeleted(root, files)
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
        // What waits is no run of the study's yet to a reader that does not know of queues.
        await files.write(manifestFile, formatJson({ ...manifest, runs: manifest.runs.filter((run) => run.state !== 'queued') }))
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

  /** One after the other, so that the last one stays. */
  let saving: Promise<unknown> = Promise.resolve()
  let measuring: Promise<unknown> = Promise.resolve()
  function saveRecord(record: RunRecord): Promise<void> {
    const turn = saving.then(() => files.write(path.join(runPath(root, record.id), runFiles.record), formatJson(record)))
    saving = turn.catch(() => undefined)
    return turn
  }

  function openRecord(id: string): RunRecord {
    const record = open.get(id)
    if (!record) throw new Error(`run ${id} was not begun`)
    return record
  }

  async function note(id: string, record: RunRecord): Promise<void> {
    open.set(id, record)
    enter(entryOf(record))
    await files.makeFolder(runPath(root, id))
    await saveRecord(record)
  }

  /** Renames all or none. */
  async function moveRuns(ids: readonly string[], from: typeof runPath, to: typeof runPath): Promise<void> {
    const moved: string[] = []
    try {
      for (const id of ids) {
        await files.move(from(root, id), to(root, id))
        moved.push(id)
      }
    } catch (error) {
      for (const id of moved) await files.move(to(root, id), from(root, id)).catch(() => undefined)
      throw error
    }
  }

  await writeIndex()
  const study = await openStudy(root)
  return {
    ...study,
    reserveRun: (image, method) => makeRunId(manifest.nextNumber!++, image, method),

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

    noteRun: (id, request, found) => note(id, freshRecord(id, request, found)),

    async beginRun(id, order, found) {
      const noted = open.get(id) ?? freshRecord(id, requestOf(order), found)
      await note(id, { ...noted, state: 'running', order })
    },

    async changeRun(id, given) {
      const record = open.get(id)
      if (!record) return
      const changes = given.map((change) => ({ ...change }))
      const changed: RunRecord = { ...record, request: { ...record.request, changes }, order: record.order && { ...record.order, changes } }
      open.set(id, changed)
      await saveRecord(changed).catch(() => undefined)
    },

    async finishRun(id, result) {
      const { order, ...record } = openRecord(id)
      if (!order) throw new Error(`run ${id} was not begun`)
      const file = (name: keyof typeof runFiles): string => path.join(runPath(root, id), runFiles[name])
      const arrays = await writeArrays(files, file, result)
      const done: RunRecord = {
        ...record, order, state: 'finished', ended: new Date().toISOString(), seconds: result.seconds, machine: describeMachine(result.device),
        executor: { ...result.executor, measured: { ...result.executor.measured } },
      }
      await saveRecord(done)
      const manifestOfRun: RunManifest = { format: runFormat, version: runVersion, order, facts: [], ...result.facts, arrays }
      await files.write(file('manifest'), formatJson(manifestOfRun))
      open.delete(id)
      enter(entryOf(done))
      // The index may lag behind, it is rebuilt from the runs; what cannot be written now is tried again at the end.
      await writeIndex().catch(() => undefined)
    },

    async storeFigure(id, png) {
      await files.write(path.join(runPath(root, id), runFiles.figure), png)
      return runFiles.figure
    },

    async storeMetrics(id, measured) {
      const file = path.join(runPath(root, id), runFiles.metrics)
      const turn = measuring.then(async () => {
        const kept = await readText(file).then((text) => parseMetrics(text, file), () => [])
        const results = [...kept.filter(({ metric }) => !measured.some((one) => one.metric === metric)), ...measured]
        await files.write(file, formatJson({ format: metricsFormat, version: metricsVersion, results }))
        return results
      })
      measuring = turn.catch(() => undefined)
      return turn
    },

    async endRun(id, state, error) {
      const record = open.get(id)
      if (!record) return
      open.delete(id)
      const done: RunRecord = { ...record, state, ended: new Date().toISOString(), error: error === undefined ? null : serialiseError(error) }
      enter(entryOf(done))
      await removeArrays(root, id, files)
      await saveRecord(done).then(writeIndex).catch(() => undefined)
    },

    async deleteRuns(ids) {
      const wanted = [...new Set(ids)]
      for (const id of wanted) {
        if (open.has(id)) throw new MaskscopeError('usage', `Run ${id} has not ended; cancel it first.`, { subject: id })
        if (!(await isFolder(root, id, runPath))) throw new MaskscopeError('usage', `There is no run "${id}" in ${root}.`, { subject: id })
      }
      await files.makeFolder(path.join(root, deletedFolder))
      await moveRuns(wanted, runPath, deletedPath)
      manifest.runs = manifest.runs.filter((run) => !wanted.includes(run.id))
      await writeIndex().catch(() => undefined)
    },

    async restoreRuns(ids) {
      const wanted = [...new Set(ids)]
      for (const id of wanted) {
        if (!(await isFolder(root, id, deletedPath))) throw new MaskscopeError('usage', `There is no deleted run "${id}" in ${root}.`, { subject: id })
      }
      await moveRuns(wanted, deletedPath, runPath)
      for (const id of wanted) {
        const record = await readRecord(root, id).catch(() => null)
        if (record) enter(entryOf(record))
      }
      manifest.runs.sort((a, b) => runNumber(a.id) - runNumber(b.id))
      await writeIndex().catch(() => undefined)
    },

    async close() {
      try {
        await saving
        await measuring
        if (dirty) await writeIndex()
        else await writing
      } finally {
        await release()
      }
    },
  }
}

function freshRecord(id: string, request: RunRequestManifest, found: RunRecord['found']): RunRecord {
  return {
    format: recordFormat, version: recordVersion, id, state: 'queued', created: new Date().toISOString(), ended: null, seconds: null, found,
    request, order: null, machine: describeMachine(null), executor: null, error: null,
  }
}

function requestOf({ model, image, method, parameters, seed, target, changes, executor }: RunOrderManifest): RunRequestManifest {
  return { model: { name: model.name, sha256: model.sha256, preprocessing: model.preprocessing }, image: { kind: image.kind, reference: image.reference }, method, parameters, seed, target, changes, executor }
}

async function isFolder(root: string, id: string, place: typeof runPath): Promise<boolean> {
  return isRunId(id) && stat(place(root, id)).then((found) => found.isDirectory(), () => false)
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

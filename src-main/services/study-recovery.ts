import { readdir, rename, rmdir } from 'node:fs/promises'
import path from 'node:path'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { temporaryEnding, type Files } from '#storage/files.ts'
import { deletedFolder, inputPath, inputsFolder, isRunId, manifestEnding, runFiles, runNumber, runPath, studyFileName } from '#storage/layout.ts'
import { studyFormat, studyVersion, type RunEntry, type RunRecord, type StudyManifest } from '#storage/manifests.ts'
import { formatJson, parseRunRecord, parseStudyManifest } from '#storage/migrations.ts'
import { removeArrays } from './run-arrays.ts'
import { entryOf, findManifest, listRunIds, readRecord, readText, stateOf } from './studies.ts'

/** The index of a study, or a new one where there is none. @throws MaskscopeError 'storage' for a newer format */
export async function readOrMakeManifest(root: string, name: string): Promise<{ file: string; manifest: StudyManifest }> {
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
export async function recoverRuns(root: string, files: Files): Promise<RunEntry[]> {
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

/** The number after the highest that was ever given, as far as the index and the folders tell. Only before `purgeDeleted`. */
export async function nextRunNumber(root: string, manifest: StudyManifest): Promise<number> {
  const ids = [...(await listRunIds(root)), ...(await deletedIds(root))]
  return ids.reduce((next, id) => Math.max(next, runNumber(id) + 1), Math.max(1, manifest.nextNumber ?? 1))
}

/**
 * Removes for good what was deleted before, with the pictures that no other run has. Only under the lock. What cannot be
 * removed stays for the next time; it takes room, no more.
 */
export async function purgeDeleted(root: string, files: Files): Promise<void> {
  const folder = path.join(root, deletedFolder)
  const ids = await deletedIds(root)
  const inputs = new Set<string>()
  for (const id of ids) {
    const input = await readText(path.join(folder, id, runFiles.record)).then((text) => inputOf(parseRunRecord(text, id)), () => undefined)
    if (input !== undefined) inputs.add(input)
  }
  if (inputs.size > 0) {
    // A run whose record cannot be read may have any of them.
    const kept = await Promise.all((await listRunIds(root)).map((id) => readRecord(root, id))).catch(() => null)
    if (!kept) inputs.clear()
    for (const record of kept ?? []) inputs.delete(inputOf(record) ?? '')
  }
  try {
    for (const input of inputs) await files.remove(inputPath(root, input))
    if (ids.length > 0) await files.remove(folder)
  } catch {
    return
  }
}

async function deletedIds(root: string): Promise<string[]> {
  return (await readdir(path.join(root, deletedFolder)).catch(() => [])).filter(isRunId)
}

function inputOf(record: RunRecord): string | undefined {
  return record.order?.image.file
}

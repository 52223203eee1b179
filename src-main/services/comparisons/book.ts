import { createHash } from 'node:crypto'
import path from 'node:path'
import { comparisonFormat, comparisonVersion, type ComparisonBoard } from '#shared/contract/comparison.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { comparisonPath, comparisonsFolder, listComparisons, parseComparison, type ComparisonFile, type StoredImage, type StoredModel } from '#storage/comparisons.ts'
import { createFiles, type Files } from '#storage/files.ts'
import { slug } from '#storage/layout.ts'
import { formatJson } from '#storage/migrations.ts'
import { readText } from '../studies.ts'

/** The comparisons of one study: read once, written whole after every change, the latest state last. */
export interface ComparisonBook {
  list(): Promise<{ comparison: string; name: string; changed: string }[]>
  /** @throws MaskscopeError 'usage' where there is none, 'storage' where it cannot be read */
  read(id: string): Promise<ComparisonFile>
  /** @returns its id */
  create(board: ComparisonBoard): Promise<string>
  /** Takes its file away, and keeps what it held. @throws MaskscopeError 'usage' where there is none, 'storage' */
  remove(id: string): Promise<void>
  /** Writes what was removed again. @throws MaskscopeError 'usage' where nothing was, 'storage' */
  restore(id: string): Promise<void>
  /** Resolves when it is on the disk. @throws MaskscopeError 'storage' */
  change(id: string, change: (file: ComparisonFile) => Partial<ComparisonFile>): Promise<void>
}

export function createComparisonBook(study: string, files: Files = createFiles()): ComparisonBook {
  const known = new Map<string, Promise<ComparisonFile>>()
  const writing = new Map<string, Promise<unknown>>()
  const dirty = new Set<string>()
  const removed = new Map<string, ComparisonFile>()

  async function load(id: string): Promise<ComparisonFile> {
    const file = comparisonPath(study, id)
    if (!(await listComparisons(study)).includes(id)) throw new MaskscopeError('usage', `There is no comparison "${id}" in this study.`, { subject: 'comparison' })
    return parseComparison(await readText(file), file)
  }

  function read(id: string): Promise<ComparisonFile> {
    const found = known.get(id) ?? load(id)
    known.set(id, found)
    found.catch(() => known.delete(id))
    return found
  }

  /** Changes that come while it is being written are written together, after it. */
  function write(id: string): Promise<void> {
    dirty.add(id)
    const turn = (writing.get(id) ?? Promise.resolve()).catch(() => undefined).then(async () => {
      if (!dirty.delete(id)) return
      try {
        await files.makeFolder(path.join(study, comparisonsFolder))
        await files.write(comparisonPath(study, id), formatJson(await read(id)))
      } catch (error) {
        dirty.add(id)
        throw error
      }
    })
    writing.set(id, turn)
    return turn
  }

  return {
    read,
    async list() {
      const ids = [...new Set([...await listComparisons(study), ...known.keys()])]
      const found = await Promise.all(ids.map((id) => read(id).then(({ board, changed }) => ({ comparison: id, name: board.name, changed }), () => null)))
      return found.filter((entry) => entry !== null)
    },
    async create(board) {
      const taken = new Set([...await listComparisons(study), ...known.keys(), ...removed.keys()])
      const stem = slug(board.name).slice(0, 34)
      let id = stem
      for (let n = 2; taken.has(id); n++) id = `${stem}-${n}`
      known.set(id, Promise.resolve({ format: comparisonFormat, version: comparisonVersion, changed: new Date().toISOString(), board, images: {}, models: {}, runs: {} }))
      await write(id)
      return id
    },
    async remove(id) {
      const file = await read(id)
      await writing.get(id)?.catch(() => undefined)
      await files.remove(comparisonPath(study, id))
      dirty.delete(id)
      known.delete(id)
      removed.set(id, file)
    },
    async restore(id) {
      const file = removed.get(id)
      if (!file) throw new MaskscopeError('usage', `No comparison "${id}" was removed here.`, { subject: 'comparison' })
      known.set(id, Promise.resolve(file))
      await write(id)
      removed.delete(id)
    },
    async change(id, change) {
      const before = await read(id)
      // Several changes at a time build on each other, not on what each has read.
      const latest = (await known.get(id)) ?? before
      Object.assign(latest, change(latest), { changed: new Date().toISOString() })
      await write(id)
    },
  }
}

/** Names a picture of the grid: the same bytes found at the same place are the same picture. */
export function imageKey({ kind, reference, member, sha256 }: Pick<StoredImage, 'kind' | 'reference' | 'member' | 'sha256'>): string {
  return createHash('sha256').update(JSON.stringify([kind, member ?? reference, sha256])).digest('hex').slice(0, 16)
}

/** Names a model as it is stated. */
export function modelKey({ sha256, place, stated }: StoredModel): string {
  return createHash('sha256').update(JSON.stringify([sha256, place, Object.entries(stated).filter(([, value]) => value !== undefined).sort()])).digest('hex').slice(0, 16)
}

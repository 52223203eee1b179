import { existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { MaskscopeError, serialiseError } from '#shared/domain/errors.ts'
import { manifestEnding, runsFolder, studyFileName } from '#storage/layout.ts'
import { shortPlace } from './handles.ts'
import type { Runs } from './runs.ts'
import { findManifest, listRunIds, openStudy } from './studies.ts'
import type { StudyWriter } from './study-writer.ts'

/** A study open to write, and its queue. */
export interface OpenedStudy {
  study: StudyWriter
  runs: Runs
  close(): Promise<void>
}

/** The study that the window shows. */
export interface ShownStudy {
  name: string
  /** For people. */
  place: string
  /** Absolute. */
  folder: string
  /** null while nothing of it is on the disk. */
  opened: OpenedStudy | null
}

/** One study is always open; it comes to be on the disk with its first run. */
export interface StudyKeeper {
  /** Resolves when the study of the last session is open, or cannot be. */
  current(): Promise<ShownStudy>
  /** Makes the study where it is not on the disk yet. @throws MaskscopeError 'storage' */
  forWriting(): Promise<OpenedStudy>
  /** @throws MaskscopeError 'usage' or 'storage'; the study that was open stays open then */
  open(place: string): Promise<ShownStudy>
  /** @throws MaskscopeError 'usage' for a name that is empty or taken */
  create(name: string): Promise<ShownStudy>
  /** The studies below the usual folder, the latest first. */
  list(): Promise<{ folder: string; name: string; runs: number; changed: string }[]>
  /** Hears when another study is shown, or the shown one comes to be on the disk. @returns what ends it */
  subscribe(listener: (shown: ShownStudy) => void): () => void
  /** Studies whose runs are not over, the shown one among them. */
  writing(): readonly OpenedStudy[]
  dispose(): Promise<void>
}

export interface StudyKeeperOptions {
  /** Absolute; new studies are made there. */
  studiesFolder: string
  /** The study of the last session, if any. */
  last: string | undefined
  openRuns(folder: string, name?: string): Promise<OpenedStudy>
  /** A study on the disk was opened. */
  onOpen?(folder: string): void
  onNotice?(message: string): void
  /** When nothing but its runs goes on in a study. */
  settled?(opened: OpenedStudy): Promise<void>
}

export function createStudyKeeper(options: StudyKeeperOptions): StudyKeeper {
  const { studiesFolder, openRuns, onOpen, onNotice } = options
  const listeners = new Set<(shown: ShownStudy) => void>()
  const writing = new Set<OpenedStudy>()
  let making: Promise<OpenedStudy> | undefined
  let shown = openLast()
  /** Studies are opened and made one after the other. */
  let turn: Promise<unknown> = shown

  async function openLast(): Promise<ShownStudy> {
    if (options.last === undefined || !existsSync(options.last)) return freshStudy(studiesFolder)
    try {
      return await openToWrite(options.last)
    } catch (error) {
      onNotice?.(`${serialiseError(error).message} A new study was opened instead.`)
      return freshStudy(studiesFolder)
    }
  }

  async function openToWrite(folder: string, name?: string): Promise<ShownStudy> {
    const opened = await openRuns(folder, name)
    writing.add(opened)
    return { name: opened.study.name, place: shortPlace(opened.study.folder), folder: opened.study.folder, opened }
  }

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = turn.then(work, work)
    turn = result.catch(() => undefined)
    return result
  }

  function show(next: ShownStudy): void {
    shown = Promise.resolve(next)
    if (next.opened) onOpen?.(next.folder)
    for (const listener of listeners) listener(next)
  }

  /** What goes on in the study that is left is finished there; it is closed after that. */
  async function leave(left: ShownStudy): Promise<void> {
    const { opened } = left
    if (!opened) return
    await Promise.all([allEnded(opened.runs), options.settled?.(opened)])
    await inTurn(async () => {
      // It may have been opened again meanwhile.
      if ((await shown).opened === opened) return
      writing.delete(opened)
      await opened.close().catch((error: unknown) => onNotice?.(serialiseError(error).message))
    })
  }

  async function switchTo(find: () => Promise<ShownStudy>): Promise<ShownStudy> {
    return inTurn(async () => {
      const before = await shown
      const next = await find()
      if (next.folder === before.folder && next.opened === before.opened) return next
      show(next)
      void leave(before)
      return next
    })
  }

  async function open(place: string): Promise<ShownStudy> {
    return switchTo(async () => {
      const { folder } = await openStudy(place)
      for (const opened of writing) {
        if (opened.study.folder === folder) return { name: opened.study.name, place: shortPlace(folder), folder, opened }
      }
      return openToWrite(folder)
    })
  }

  async function create(given: string): Promise<ShownStudy> {
    const name = given.trim()
    if (name === '') throw new MaskscopeError('usage', 'Give the study a name.', { subject: 'name' })
    const folder = folderOf(studiesFolder, name)
    if (existsSync(folder)) throw new MaskscopeError('usage', `There is a study or folder "${path.basename(folder)}" already; choose another name.`, { subject: 'name' })
    return switchTo(async () => ({ name, place: shortPlace(folder), folder, opened: null }))
  }

  async function forWriting(): Promise<OpenedStudy> {
    const { opened } = await shown
    if (opened) return opened
    making ??= inTurn(async () => {
      const before = await shown
      if (before.opened) return before.opened
      const next = await openToWrite(before.folder, before.name)
      show(next)
      return next.opened!
    }).finally(() => (making = undefined))
    return making
  }

  void shown.then((study) => {
    if (study.opened) onOpen?.(study.folder)
  })
  return {
    current: () => shown,
    forWriting, open, create,
    list: () => listStudies(studiesFolder),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    writing: () => [...writing],
    async dispose() {
      await turn.catch(() => undefined)
      const closings = await Promise.allSettled([...writing].map((opened) => opened.close()))
      const failed = closings.find((closing) => closing.status === 'rejected')
      if (failed) throw failed.reason
    },
  }
}

function allEnded(runs: Runs): Promise<void> {
  if (runs.live().length === 0) return Promise.resolve()
  return new Promise((resolve) => {
    const end = runs.subscribe(() => {
      if (runs.live().length > 0) return
      end()
      resolve()
    })
  })
}

/** A name with the date that is not taken; nothing is made. */
function freshStudy(studiesFolder: string): ShownStudy {
  const now = new Date()
  const two = (n: number): string => String(n).padStart(2, '0')
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`
  for (let n = 1; ; n++) {
    const name = `Untitled ${day}${n === 1 ? '' : ` (${n})`}`
    const folder = folderOf(studiesFolder, name)
    if (!existsSync(folder)) return { name, place: shortPlace(folder), folder, opened: null }
  }
}

function folderOf(studiesFolder: string, name: string): string {
  return path.join(studiesFolder, studyFileName(name).slice(0, -manifestEnding.length))
}

async function listStudies(studiesFolder: string): Promise<{ folder: string; name: string; runs: number; changed: string }[]> {
  const names = await readdir(studiesFolder, { withFileTypes: true }).catch(() => [])
  const found = await Promise.all(names.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(async ({ name }) => {
    const folder = path.join(studiesFolder, name)
    try {
      const file = await findManifest(folder)
      const runs = (await listRunIds(folder)).length
      if (file === null && runs === 0) return null
      const changed = (await stat(file ?? path.join(folder, runsFolder))).mtime.toISOString()
      return { folder, name: file === null ? name : path.basename(file, manifestEnding), runs, changed }
    } catch {
      return null
    }
  }))
  return found.filter((study) => study !== null).sort((a, b) => (a.changed < b.changed ? 1 : -1))
}

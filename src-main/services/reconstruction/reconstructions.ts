import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { setMaxListeners } from 'node:events'
import type { Pool } from '#pool/pool.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ReconstructionReport, TrainingNews } from '#shared/domain/reconstruction.ts'
import { createFiles, type Files } from '#storage/files.ts'
import { readCurves } from '#storage/generator-files.ts'
import { slug } from '#storage/layout.ts'
import {
  deletedReconstructionPath, deletedReconstructions, isReconstructionId, listReconstructions, readReconstruction, readReconstructionRecord, readReport, reconstructionFiles, reconstructionPath,
  reconstructionsFolder, writeReconstruction, writeReconstructionRecord, type ReconstructionManifest, type ReconstructionRecord,
} from '#storage/reconstructions.ts'
import type { Gate } from './gate.ts'
import { differenceOf, makeReconstruction, type AskedReconstruction, type ReconstructionOrder } from './order.ts'
import { performReconstruction, type ReconstructionEvent } from './perform.ts'
import { askedAgain } from './resume.ts'
import { takeMasks } from './salient-again.ts'

export interface StoredReconstruction {
  id: string
  manifest: ReconstructionManifest
  record: ReconstructionRecord
  /** As it stands now; `interrupted` where it had not ended and nobody works on it. */
  state: ReconstructionRecord['state'] | 'paused'
  /** Whole ones that were trained. */
  epochs: number
  /** There is one to sample from. */
  generator: boolean
  report: ReconstructionReport | null
}

export type ReconstructionNews =
  | { type: 'state'; id: string; state: StoredReconstruction['state'] }
  | { type: 'salient' | 'report'; id: string; done: number; all: number; secondsLeft: number | null }
  | { type: 'training'; id: string; news: TrainingNews; secondsLeft: number | null }

/** The reconstructions of a study that is open to write. One works at a time; the others wait in their order. */
export interface Reconstructions {
  list(): Promise<StoredReconstruction[]>
  /** @throws MaskscopeError 'usage' where there is none of this id */
  find(id: string): Promise<StoredReconstruction>
  /** @returns its id. @throws MaskscopeError whose subject is the field that is wrong; nothing is written then */
  start(asked: AskedReconstruction): Promise<string>
  /** One that is the same in everything its results depend on; null where the study has none. */
  same(order: ReconstructionOrder): Promise<string | null>
  pause(id: string): void
  /** Also goes on with one that was cancelled, failed or interrupted, from what it has stored. @throws MaskscopeError where its models or data are no longer what they were */
  resume(id: string): Promise<void>
  cancel(id: string): void
  /** What became of one that is queued or works: its report. @throws what ended it */
  outcome(id: string): Promise<ReconstructionReport>
  /** Moves them aside; cancels those that work and waits for them. */
  delete(ids: readonly string[]): Promise<void>
  restore(ids: readonly string[]): Promise<void>
  subscribe(listener: (news: ReconstructionNews) => void): () => void
  /** Ids of those that are queued, paused or work. */
  live(): readonly string[]
  folder(id: string): string
  /** Stops all so that each can go on later. */
  dispose(): Promise<void>
}

interface Live {
  state: 'queued' | 'running' | 'paused'
  controller: AbortController
  gate: Pick<Gate, 'pause' | 'resume'> | undefined
  /** Asked for before it began. */
  held: boolean
  ended: Promise<ReconstructionReport>
}

/** @param study its folder, locked by whoever calls */
export function createReconstructions({ pool, study, files = createFiles() }: { pool: Pool; study: string; files?: Files }): Reconstructions {
  const listeners = new Set<(news: ReconstructionNews) => void>()
  const live = new Map<string, Live>()
  let turn: Promise<unknown> = Promise.resolve()
  const tell = (news: ReconstructionNews): void => listeners.forEach((listener) => listener(news))
  const folder = (id: string): string => reconstructionPath(study, id)

  async function find(id: string): Promise<StoredReconstruction> {
    if (!isReconstructionId(id) || !existsSync(path.join(folder(id), reconstructionFiles.manifest))) throw noSuchReconstruction(id)
    const place = folder(id)
    const [manifest, record, curves, report] = await Promise.all([
      readReconstruction(place), readReconstructionRecord(place).catch(() => unknownRecord), readCurves(path.join(place, reconstructionFiles.curves)), readReport(place).catch(() => null),
    ])
    const own = live.get(id)
    const left = record.state === 'running' || record.state === 'queued' || (record.state === 'finished' && report === null) ? 'interrupted' : record.state
    return { id, manifest, record, state: own?.state ?? left, epochs: curves.length, generator: existsSync(path.join(place, reconstructionFiles.generator, 'generator.json')), report }
  }

  function enter(id: string, order: ReconstructionOrder): void {
    const controller = new AbortController()
    setMaxListeners(0, controller.signal)
    const own: Live = { state: 'queued', controller, gate: undefined, held: false, ended: turn.then(() => perform(id, order, own)) }
    live.set(id, own)
    turn = own.ended.catch(() => undefined)
    tell({ type: 'state', id, state: 'queued' })
  }

  async function perform(id: string, order: ReconstructionOrder, own: Live): Promise<ReconstructionReport> {
    const stand = (state: Live['state']): void => {
      own.state = state
      tell({ type: 'state', id, state })
    }
    try {
      if (own.controller.signal.aborted) throw new MaskscopeError('cancelled', 'The reconstruction was cancelled.')
      if (!own.held) stand('running')
      await takeMasks(files, study, id)
      const report = await performReconstruction(pool, order, folder(id), {
        signal: own.controller.signal, files,
        onControl(gate) {
          own.gate = gate
          if (own.held) gate.pause()
        },
        onEvent(event) {
          if (event.type === 'paused') stand('paused')
          else if (event.type === 'resumed') stand('running')
          else tellOf(id, event)
        },
      })
      live.delete(id)
      tell({ type: 'state', id, state: 'finished' })
      return report
    } catch (error) {
      live.delete(id)
      tell({ type: 'state', id, state: own.controller.signal.aborted ? 'cancelled' : 'failed' })
      throw error
    }
  }

  function tellOf(id: string, event: ReconstructionEvent): void {
    if (event.type === 'training') tell({ type: 'training', id, news: event.news, secondsLeft: event.secondsLeft })
    else if (event.type === 'salient' || event.type === 'report') tell({ type: event.type, id, done: event.done, all: event.all, secondsLeft: event.secondsLeft })
  }

  async function nextId(data: string): Promise<string> {
    const deleted = await readdir(path.join(study, deletedReconstructions)).catch((): string[] => [])
    const known = [...(await listReconstructions(study)), ...deleted.filter(isReconstructionId)]
    const number = 1 + Math.max(0, ...known.map((id) => Number.parseInt(id)))
    return `${String(number).padStart(4, '0')}-${slug(shortName(data))}`
  }

  async function moveAll(ids: readonly string[], from: (study: string, id: string) => string, to: (study: string, id: string) => string): Promise<void> {
    const moved: string[] = []
    try {
      for (const id of ids) {
        await files.move(from(study, id), to(study, id))
        moved.push(id)
      }
    } catch (error) {
      for (const id of moved) await files.move(to(study, id), from(study, id)).catch(() => undefined)
      throw error
    }
  }

  return {
    find, folder,
    async list() {
      const found: StoredReconstruction[] = []
      for (const id of await listReconstructions(study)) {
        const one = await find(id).catch(() => null)
        if (one) found.push(one)
      }
      return found
    },
    async start(asked) {
      const order = await makeReconstruction(pool, asked)
      const id = await nextId(asked.data)
      await writeReconstruction(files, folder(id), order.manifest)
      await writeReconstructionRecord(files, folder(id), { state: 'queued', phase: null, created: new Date().toISOString(), ended: null, seconds: {}, error: null })
      enter(id, order)
      return id
    },
    async same({ manifest }) {
      for (const id of await listReconstructions(study)) {
        const stored = await readReconstruction(folder(id)).catch(() => null)
        if (stored && differenceOf(stored, manifest) === null) return id
      }
      return null
    },
    pause(id) {
      const own = live.get(id)
      if (!own) return
      if (own.gate) own.gate.pause()
      else {
        own.held = true
        own.state = 'paused'
        tell({ type: 'state', id, state: 'paused' })
      }
    },
    async resume(id) {
      const own = live.get(id)
      if (own) {
        if (own.held && !own.gate) {
          own.state = 'queued'
          tell({ type: 'state', id, state: 'queued' })
        }
        own.held = false
        return own.gate?.resume()
      }
      const { manifest } = await find(id)
      const order = await makeReconstruction(pool, await askedAgain(manifest), manifest)
      const differing = differenceOf(manifest, order.manifest)
      if (differing !== null) throw new MaskscopeError('usage', `The reconstruction ${id} cannot go on: it differs in the ${differing} from what would be computed now. Start it anew.`, { subject: id })
      enter(id, order)
    },
    cancel: (id) => live.get(id)?.controller.abort(),
    async outcome(id) {
      const own = live.get(id)
      if (own) return own.ended
      const { report } = await find(id)
      if (!report) throw new MaskscopeError('usage', `The reconstruction ${id} has no report yet.`, { subject: id })
      return report
    },
    async delete(ids) {
      const wanted = [...new Set(ids)]
      for (const id of wanted) await find(id)
      for (const id of wanted) live.get(id)?.controller.abort()
      await Promise.allSettled(wanted.flatMap((id) => live.get(id)?.ended ?? []))
      await files.makeFolder(path.join(study, deletedReconstructions))
      await moveAll(wanted, reconstructionPath, deletedReconstructionPath)
    },
    async restore(ids) {
      const wanted = [...new Set(ids)]
      for (const id of wanted) {
        if (!existsSync(deletedReconstructionPath(study, id))) throw new MaskscopeError('usage', `There is no deleted reconstruction "${id}" in ${study}.`, { subject: id })
      }
      await files.makeFolder(path.join(study, reconstructionsFolder))
      await moveAll(wanted, deletedReconstructionPath, reconstructionPath)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    live: () => [...live.keys()],
    async dispose() {
      const all = [...live.values()]
      for (const { controller } of all) controller.abort()
      await Promise.allSettled(all.map(({ ended }) => ended))
    },
  }
}

/** Where record.json is damaged: going on makes it again, and whatever else is. */
const unknownRecord: ReconstructionRecord = { format: 'maskscope-reconstruction-record', version: 1, state: 'running', phase: null, created: '', ended: null, seconds: {}, error: null }

/** Somebody named one that the study does not have. */
export function noSuchReconstruction(id: string): MaskscopeError {
  return new MaskscopeError('usage', `There is no reconstruction "${id}" in this study.`, { subject: id })
}

/** Of a data set's word what names it: the folder's own name, or the kind of scenes. */
function shortName(data: string): string {
  const [, kind, rest] = /^([a-z0-9-]+):(.*?)(?::train)?$/s.exec(data) ?? []
  if (kind === undefined || rest === undefined) return path.basename(data)
  return kind.startsWith('scene') ? kind : path.basename(path.resolve(rest))
}

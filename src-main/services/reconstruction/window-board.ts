import path from 'node:path'
import type { ReconstructionEvent, ReconstructionRow, TrainingPoint } from '#shared/contract/reconstruction.ts'
import { valuesOf } from '#shared/domain/reconstruction.ts'
import { errorOf } from '../run-rows.ts'
import { pointOf, samplesOf } from './window-pictures.ts'
import type { ReconstructionNews, Reconstructions, StoredReconstruction } from './reconstructions.ts'

export type BoardEvent = Exclude<ReconstructionEvent, { type: 'snapshot' }>

/** The reconstructions of one study as a table, with what happens to them. */
export interface ReconstructionBoard {
  service: Reconstructions
  /** In the order of their numbers. */
  rows(): Promise<ReconstructionRow[]>
  /** Steps of the training in this session; the study keeps epochs only. */
  points(id: string): readonly TrainingPoint[]
  /** @returns what ends it */
  subscribe(listener: (event: BoardEvent) => void): () => void
  remove(ids: readonly string[]): Promise<void>
  restore(ids: readonly string[]): Promise<void>
}

/** How far one that goes on has come in its phase. */
type Progress = Pick<ReconstructionRow, 'done' | 'all' | 'secondsLeft' | 'epoch'>

const standing: Progress = { done: 0, all: null, secondsLeft: null, epoch: 0 }

export function createReconstructionBoard(service: Reconstructions): ReconstructionBoard {
  const listeners = new Set<(event: BoardEvent) => void>()
  const progress = new Map<string, Progress>()
  const points = new Map<string, TrainingPoint[]>()
  const phases = new Map<string, ReconstructionNews['type']>()
  const tell = (event: BoardEvent): void => listeners.forEach((listener) => listener(event))

  async function tellRow(id: string): Promise<void> {
    const stored = await service.find(id).catch(() => null)
    if (stored) tell({ type: 'row', row: rowOf(stored, progress.get(id)) })
  }

  function hear(news: ReconstructionNews): void {
    const { id } = news
    const before = progress.get(id) ?? standing
    // What the phase before has left is on the disk now, e.g. the generator.
    if (news.type !== 'state' && phases.get(id) !== news.type) {
      phases.set(id, news.type)
      void tellRow(id)
    }
    switch (news.type) {
      case 'state':
        if (news.state === 'running') progress.set(id, { ...standing, epoch: before.epoch })
        return void tellRow(id)
      case 'salient':
      case 'report': {
        const now = { ...before, done: news.done, all: news.all, secondsLeft: news.secondsLeft }
        progress.set(id, now)
        return tell({ type: 'progress', reconstruction: id, phase: news.type, ...now })
      }
      case 'training': {
        const { epoch, epochs, step, steps, finished } = news.news
        const now: Progress = { done: (epoch - 1) * steps + step, all: epochs * steps, secondsLeft: news.secondsLeft, epoch: finished ? epoch : epoch - 1 }
        progress.set(id, now)
        const point = pointOf(news.news)
        // A training that goes on from its last whole epoch goes over some steps again.
        const kept = (points.get(id) ?? []).filter(({ at }) => at < point.at)
        points.set(id, [...kept, point])
        tell({ type: 'point', reconstruction: id, point })
        tell({ type: 'progress', reconstruction: id, phase: 'training', ...now })
        if (finished) tell({ type: 'samples', reconstruction: id, epoch, samples: samplesOf(finished.samples) })
      }
    }
  }

  service.subscribe(hear)
  return {
    service,
    rows: async () => (await service.list()).map((stored) => rowOf(stored, progress.get(stored.id))),
    points: (id) => points.get(id) ?? [],
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async remove(ids) {
      await service.delete(ids)
      for (const reconstruction of ids) tell({ type: 'removed', reconstruction })
    },
    async restore(ids) {
      await service.restore(ids)
      for (const id of ids) await tellRow(id)
    },
  }
}

/** What the window's table shows. */
function rowOf({ id, manifest, record, state, epochs, generator, report }: StoredReconstruction, now: Progress | undefined): ReconstructionRow {
  const { data, images, model, judge, method, parameters, settings, seed } = manifest
  return {
    reconstruction: id, state, phase: record.phase, created: record.created, data: dataText(data), images: images.seen, model: model.name, judge: judge?.name ?? null,
    method, parameters, settings: valuesOf(settings), seed,
    ...(now ?? standing), epoch: Math.max(now?.epoch ?? 0, epochs), epochs: settings.epochs, generator, inLoop: report?.inLoop ?? null,
    error: errorOf(record),
  }
}

/** Without the folders that it lies in: `idx:/data/fashion` is `idx:fashion`. */
export function dataText(data: string): string {
  const [, kind, place] = /^([a-z0-9-]+):(.*)$/s.exec(data) ?? []
  return kind === undefined || place === undefined || kind.startsWith('scenes') ? data : `${kind}:${path.basename(place)}`
}

import type { RunRow, RunsEvent } from '#shared/contract/runs.ts'
import { MaskscopeError, type SerialisedError } from '#shared/domain/errors.ts'
import type { RunEvent } from '#shared/domain/run.ts'
import type { DataItem } from './datasets.ts'
import { decodeImage } from './images.ts'
import { createLru } from './lru.ts'
import { areaOf, liveRow, maskRange, recordRow, type FinishedFacts } from './run-rows.ts'
import type { LiveRun } from './live-runs.ts'
import { readInput } from './studies.ts'
import type { OpenedStudy } from './study-keeper.ts'
import { pngWithin, thumbnailSide } from './thumbnails.ts'

export type BoardEvent = Exclude<RunsEvent, { type: 'snapshot' }>

/** The runs of one study as a table, with what happens to them. */
export interface RunBoard {
  /** All runs, in the order of their numbers. */
  rows(): Promise<RunRow[]>
  /** @throws MaskscopeError 'usage' where there is no such run */
  row(run: string): Promise<RunRow>
  /** Frames are marked by their type; everything else must arrive. @returns what ends it */
  subscribe(listener: (event: BoardEvent) => void): () => void
  /** Cancels what has not ended, then moves the runs aside. */
  delete(runs: readonly string[]): Promise<void>
  restore(runs: readonly string[]): Promise<void>
}

export interface RunBoardOptions {
  opened: OpenedStudy
  /** Of an image that the window has open. */
  thumbnailOf(item: DataItem): Uint8Array<ArrayBuffer> | undefined
}

export function createRunBoard({ opened, thumbnailOf }: RunBoardOptions): RunBoard {
  const { study, runs } = opened
  const listeners = new Set<(event: BoardEvent) => void>()
  /** Runs of this session that ended without a result: the study knows less of them, or nothing. */
  const ended = new Map<string, RunRow>()
  const removed = new Map<string, { row: RunRow | null; stored: boolean }>()
  const finished = createLru<FinishedFacts>({ count: 20_000, bytes: Infinity }, () => 0)
  const thumbnails = createLru<Uint8Array<ArrayBuffer> | null>({ count: 2000, bytes: 64 << 20 }, (png) => png?.byteLength ?? 0)
  /** The last row of each run that has not ended. */
  const latest = new Map<string, RunRow>()

  const tell = (event: BoardEvent): void => listeners.forEach((listener) => listener(event))

  function rowOfLive(live: LiveRun): RunRow {
    const row = liveRow(live, thumbnailOf(live.order.item) ?? null)
    latest.set(live.id, row)
    return row
  }

  async function thumbnailOfInput(image: { file: string; sha256: string; reference: string } | undefined): Promise<Uint8Array<ArrayBuffer> | null> {
    if (!image) return null
    return thumbnails.get(image.sha256, async () => {
      try {
        const { picture } = await decodeImage(await readInput(study.folder, image), image.reference)
        return await pngWithin(picture, thumbnailSide)
      } catch {
        return null
      }
    })
  }

  async function finishedFacts(run: string): Promise<FinishedFacts> {
    return finished.get(run, async () => {
      const stored = await study.readRun(run)
      return { manifest: stored.manifest, area: areaOf(await stored.own(), stored.manifest.range) }
    })
  }

  async function storedRows(): Promise<RunRow[]> {
    const records = await study.records()
    const rows: RunRow[] = []
    // A few at a time: each is two or three small files.
    for (let i = 0; i < records.length; i += 16) {
      rows.push(...await Promise.all(records.slice(i, i + 16).map(async (record) => {
        const facts = record.state === 'finished' ? await finishedFacts(record.id).catch(() => null) : null
        return recordRow(record, facts, await thumbnailOfInput(record.order?.image))
      })))
    }
    return rows
  }

  async function rows(): Promise<RunRow[]> {
    const all = new Map((await storedRows()).map((row) => [row.run, row]))
    for (const [run, row] of ended) all.set(run, row)
    for (const live of runs.live()) all.set(live.id, rowOfLive(live))
    return [...all.values()].sort((a, b) => Number.parseInt(a.run, 10) - Number.parseInt(b.run, 10))
  }

  async function row(run: string): Promise<RunRow> {
    const live = runs.find(run)
    if (live) return rowOfLive(live)
    const known = ended.get(run)
    if (known) return known
    const record = (await study.records()).find((candidate) => candidate.id === run)
    if (!record) throw noSuchRun(run)
    const facts = record.state === 'finished' ? await finishedFacts(run) : null
    return recordRow(record, facts, await thumbnailOfInput(record.order?.image))
  }

  function hear(event: RunEvent): void {
    switch (event.type) {
      case 'progress': return tellProgress(event.run)
      case 'finished':
        latest.delete(event.run)
        void row(event.run).then((done) => tell({ type: 'row', row: done }), () => undefined)
        return
      case 'failed': return close(event.run, 'failed', event.error)
      case 'cancelled': return close(event.run, 'cancelled', null)
      default: {
        const live = runs.find(event.run)
        if (live) tell({ type: 'row', row: rowOfLive(live) })
      }
    }
  }

  function tellProgress(run: string): void {
    const live = runs.find(run)
    if (!live) return
    const rowsSoFar = live.course.rows()
    const news = rowsSoFar[rowsSoFar.length - 1]
    if (!news) return
    tell({
      type: 'progress', run, iteration: news.iteration, iterations: live.iterations ?? news.iteration, losses: news.losses, probability: news.probability,
      seconds: live.seconds ?? 0, evaluations: live.evaluations,
    })
    const { frame } = live
    if (frame?.iteration !== news.iteration) return
    const { height, width, data } = frame.map
    tell({ type: 'frame', run, iteration: frame.iteration, map: { height, width, data: Float32Array.from(data) }, area: areaOf(frame.map, maskRange) ?? 0 })
  }

  function close(run: string, state: 'failed' | 'cancelled', error: SerialisedError | null): void {
    const before = latest.get(run)
    latest.delete(run)
    if (!before) return
    const done: RunRow = { ...before, state, error }
    ended.set(run, done)
    tell({ type: 'row', row: done })
  }

  runs.subscribe(hear)
  return {
    rows, row,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async delete(ids) {
      await Promise.all(ids.map((run) => cancelAndWait(opened, run)))
      const stored = new Set((await study.records()).map((record) => record.id))
      await study.deleteRuns(ids.filter((run) => stored.has(run)))
      for (const run of ids) {
        const known = ended.get(run)
        if (!known && !stored.has(run)) continue
        removed.set(run, { row: known ?? null, stored: stored.has(run) })
        ended.delete(run)
        tell({ type: 'removed', run })
      }
    },
    async restore(ids) {
      await study.restoreRuns(ids.filter((run) => removed.get(run)?.stored ?? true))
      for (const run of ids) {
        const known = removed.get(run)?.row
        if (known) ended.set(run, known)
        removed.delete(run)
        tell({ type: 'row', row: await row(run) })
      }
    },
  }
}

export function noSuchRun(run: string): MaskscopeError {
  return new MaskscopeError('usage', `There is no run ${run} in this study.`, { subject: 'run' })
}

async function cancelAndWait({ runs }: OpenedStudy, run: string): Promise<void> {
  if (!runs.find(run)) return
  const over = new Promise<void>((resolve) => {
    const end = runs.subscribe((event) => {
      if (event.run !== run || !['finished', 'failed', 'cancelled'].includes(event.type)) return
      end()
      resolve()
    })
  })
  runs.cancel(run)
  await over
}

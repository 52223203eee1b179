import { existsSync } from 'node:fs'
import type { RunRow, RunsEvent } from '#shared/contract/runs.ts'
import { MaskscopeError, type SerialisedError } from '#shared/domain/errors.ts'
import type { RunEvent } from '#shared/domain/run.ts'
import { isMask } from '#shared/figure/map-kind.ts'
import { deletedPath } from '#storage/layout.ts'
import type { RunRecord } from '#storage/manifests.ts'
import { inBatches } from './batches.ts'
import type { DataItem } from './datasets.ts'
import { decodeImage } from './images.ts'
import { createLru } from './lru.ts'
import { areaOf, finite, liveMap, liveRow, recordRow, type FinishedFacts } from './run-rows.ts'
import type { LiveRun } from './live-run.ts'
import { readFinished, readInput, readRecord, stateOf } from './studies.ts'
import type { OpenedStudy } from './study-keeper.ts'
import { pngWithin, thumbnailSide } from './thumbnails.ts'

export type BoardEvent = Exclude<RunsEvent, { type: 'snapshot' }>

/** The runs of one study as a table, with what happens to them. */
export interface RunBoard {
  /** All runs, in the order of their numbers. */
  rows(): Promise<RunRow[]>
  /** @throws MaskscopeError 'usage' where there is no such run */
  row(run: string): Promise<RunRow>
  /** @throws MaskscopeError 'usage' where the run left no trace */
  record(run: string): Promise<RunRecord>
  /** How a run of this session stood when it ended without a result: what it came to can still be looked at. */
  remains(run: string): LiveRun | undefined
  /** Frames are marked by their type; everything else must arrive. @returns what ends it */
  subscribe(listener: (event: BoardEvent) => void): () => void
  /** Cancels what has not ended, then moves the runs aside. */
  delete(runs: readonly string[]): Promise<void>
  restore(runs: readonly string[]): Promise<void>
  /** A run that came into the study without having been computed here. */
  added(run: string): Promise<void>
}

export interface RunBoardOptions {
  opened: OpenedStudy
  /** Of an image that the window has open. */
  thumbnailOf(item: DataItem): Uint8Array<ArrayBuffer> | undefined
}

/** So many runs without a result keep their losses and frames in memory. */
const mostRemains = 20

export function createRunBoard({ opened, thumbnailOf }: RunBoardOptions): RunBoard {
  const { study, runs } = opened
  const listeners = new Set<(event: BoardEvent) => void>()
  /** Runs of this session that ended without a result; the study does not know how far they came. */
  const ended = new Map<string, RunRow>()
  const remains = new Map<string, LiveRun>()
  const removed = new Set<string>()
  const finished = createLru<FinishedFacts>({ count: 20_000, bytes: Infinity }, () => 0)
  const thumbnails = createLru<Uint8Array<ArrayBuffer> | null>({ count: 2000, bytes: 64 << 20 }, (png) => png?.byteLength ?? 0)
  /** Those that have not ended. */
  const going = new Map<string, LiveRun>()

  const tell = (event: BoardEvent): void => listeners.forEach((listener) => listener(event))

  function rowOfLive(live: LiveRun): RunRow {
    going.set(live.id, live)
    return liveRow(live, thumbnailOf(live.order.item) ?? null)
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

  async function finishedFacts(record: RunRecord): Promise<FinishedFacts> {
    return finished.get(record.id, async () => {
      const stored = await readFinished(study.folder, record)
      // What hides nothing keeps no area.
      return { manifest: stored.manifest, area: isMask(stored.manifest) ? areaOf(await stored.own(), stored.manifest.range) : null }
    })
  }

  async function storedRows(): Promise<RunRow[]> {
    return inBatches(await study.records(), async (record) => {
      const facts = record.state === 'finished' ? await finishedFacts(record).catch(() => null) : null
      return recordRow(record, facts, await thumbnailOfInput(record.order?.image))
    })
  }

  async function rows(): Promise<RunRow[]> {
    const all = new Map((await storedRows()).map((row) => [row.run, row]))
    for (const [run, row] of ended) if (!removed.has(run)) all.set(run, row)
    for (const live of runs.live()) all.set(live.id, rowOfLive(live))
    return [...all.values()].sort((a, b) => Number.parseInt(a.run, 10) - Number.parseInt(b.run, 10))
  }

  async function row(run: string): Promise<RunRow> {
    const live = runs.find(run)
    if (live) return rowOfLive(live)
    const known = removed.has(run) ? undefined : ended.get(run)
    if (known) return known
    const record = await recordOf(run)
    const facts = record.state === 'finished' ? await finishedFacts(record) : null
    return recordRow(record, facts, await thumbnailOfInput(record.order?.image))
  }

  async function recordOf(run: string): Promise<RunRecord> {
    const record = await readRecord(study.folder, run).catch(() => null)
    if (!record) throw noSuchRun(run)
    return { ...record, state: await stateOf(study.folder, record, false) }
  }

  function hear(event: RunEvent): void {
    switch (event.type) {
      case 'progress': return tellProgress(event.run)
      case 'finished':
        going.delete(event.run)
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
      type: 'progress', run, iteration: news.iteration, iterations: live.iterations ?? news.iteration, losses: news.losses, probability: finite(news.probability),
      seconds: live.seconds ?? 0, evaluations: live.evaluations,
    })
    const { frame, strip } = live
    if (strip?.iteration === news.iteration) {
      const { count, height, width, data } = strip.stack
      tell({ type: 'strip', run, iteration: strip.iteration, stack: { count, height, width, data: Float32Array.from(data) } })
    }
    if (frame?.iteration !== news.iteration) return
    const { height, width, data } = frame.map
    tell({ type: 'frame', run, iteration: frame.iteration, map: { height, width, data: Float32Array.from(data) }, area: areaOf(frame.map, liveMap(live.order.method).range) })
  }

  function close(run: string, state: 'failed' | 'cancelled', error: SerialisedError | null): void {
    const live = going.get(run)
    if (!live) return
    const done: RunRow = { ...rowOfLive(live), state, error }
    going.delete(run)
    remains.set(run, live)
    for (const oldest of remains.keys()) if (remains.size > mostRemains) remains.delete(oldest)
    ended.set(run, done)
    tell({ type: 'row', row: done })
  }

  for (const live of runs.live()) going.set(live.id, live)
  runs.subscribe(hear)
  return {
    rows, row,
    record: recordOf,
    remains: (run) => remains.get(run),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async delete(ids) {
      const wanted = ids.filter((run) => !removed.has(run))
      await Promise.all(wanted.map((run) => cancelAndWait(opened, run)))
      const stored = await Promise.all(wanted.map((run) => recordOf(run).then(() => true, () => false)))
      await study.deleteRuns(wanted.filter((_, i) => stored[i]))
      for (const run of wanted) {
        removed.add(run)
        tell({ type: 'removed', run })
      }
    },
    async restore(ids) {
      // A full disk may have left a failed run without a trace; it comes back from memory alone.
      await study.restoreRuns(ids.filter((run) => !ended.has(run) || existsSync(deletedPath(study.folder, run))))
      for (const run of ids) {
        removed.delete(run)
        tell({ type: 'row', row: await row(run) })
      }
    },
    added: async (run) => tell({ type: 'row', row: await row(run) }),
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

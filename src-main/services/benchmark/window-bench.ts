import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { Pool } from '#pool/pool.ts'
import type { BenchmarkRow, BenchmarkState } from '#shared/contract/benchmark.ts'
import { MaskscopeError, serialiseError } from '#shared/domain/errors.ts'
import { isLocked } from '#storage/lock.ts'
import { shortPlace } from '../handles.ts'
import { finishBenchmark } from './finish.ts'
import { manifestFile, readManifest, type BenchmarkManifest } from './manifest.ts'
import { performBenchmark, piecesOf, type BenchmarkNews, type BenchmarkOrder } from './perform.ts'
import { openRecords } from './records.ts'

/** One benchmark in its folder, at work or not. */
export interface Bench {
  readonly folder: string
  row(): BenchmarkRow
  manifest(): BenchmarkManifest | null
  working(): boolean
  /** Looks at the folder anew, where nothing here works on it. */
  look(): Promise<void>
  /** Begins the work; what goes wrong stands in the row. @param begun what is written beside the results */
  begin(order: BenchmarkOrder, begun?: () => Promise<void>): void
  pause(): void
  /** @returns false where it is not paused */
  goOn(): boolean
  /** Resolves when nothing works on it any more. */
  cancel(): Promise<void>
}

export interface BenchOptions {
  pool: Pool
  folder: string
  /** Names it in the window. */
  handle: string
  onChange(row: BenchmarkRow): void
  /** Something new can be read. */
  onDone?(manifest: BenchmarkManifest): void
}

export function createBench({ pool, folder, handle, onChange, onDone }: BenchOptions): Bench {
  let manifest: BenchmarkManifest | null = null
  let state: BenchmarkState = 'stopped'
  let progress: Pick<BenchmarkNews, 'done' | 'total' | 'secondsLeft'> = { done: 0, total: 0, secondsLeft: null }
  let piece: string | null = null
  let failures: BenchmarkRow['failures'] = []
  let error: BenchmarkRow['error'] = null
  let changed = new Date(0).toISOString()
  let work: { stop: AbortController; ended: Promise<void> } | null = null
  let held: { wait: Promise<void>; release(): void } | null = null

  function row(): BenchmarkRow {
    return {
      benchmark: handle, name: path.basename(folder), place: shortPlace(path.dirname(folder)), state, facts: manifest && factsOf(manifest),
      ...progress, secondsLeft: state === 'running' ? progress.secondsLeft : null, piece, failures, error, changed,
    }
  }

  function set(next: BenchmarkState): void {
    state = next
    onChange(row())
  }

  function hold(underWay: number): Promise<void> | null {
    if (held && underWay === 0 && state === 'pausing') set('paused')
    return held?.wait ?? null
  }

  function hear(news: BenchmarkNews): void {
    progress = { done: news.done, total: news.total, secondsLeft: news.secondsLeft }
    if (news.unit !== '') piece = news.unit
    failures = news.failures.map(({ unit, error: reason }) => ({ piece: unit, message: reason instanceof Error ? reason.message : String(reason) }))
    changed = new Date().toISOString()
    if (state === 'preparing') state = held ? 'pausing' : 'running'
    onChange(row())
  }

  async function perform(order: BenchmarkOrder, signal: AbortSignal, begun?: () => Promise<void>): Promise<void> {
    const performed = await performBenchmark(pool, order, folder, {
      signal, hold, onNews: hear,
      async begun() {
        await begun?.()
        manifest = (await readManifest(folder)) ?? null
      },
    })
    manifest = performed.manifest
    if (performed.failures.length > 0 || order.shard) return
    set('finishing')
    await finishBenchmark(performed.manifest, folder)
    onDone?.(performed.manifest)
  }

  async function look(): Promise<void> {
    if (work) return
    manifest = (await readManifest(folder)) ?? null
    if (!manifest) throw new MaskscopeError('input', `The folder ${folder} holds no benchmark (no ${manifestFile}).`, { subject: 'folder' })
    const records = await openRecords(folder)
    const done = [...await records.done()].filter((name) => !name.endsWith('.images')).length
    progress = { done, total: piecesOf(manifest), secondsLeft: null }
    state = done >= progress.total ? 'finished' : (await isLocked(folder)) ? 'elsewhere' : 'stopped'
    const info = await stat(path.join(folder, 'records')).catch(() => null)
    changed = (info?.mtime ?? new Date(0)).toISOString()
    onDone?.(manifest)
  }

  return {
    folder, row, look,
    manifest: () => manifest,
    working: () => work !== null,
    begin(order, begun) {
      if (work) throw new MaskscopeError('usage', 'This benchmark is at work already.', { subject: 'name' })
      const stop = new AbortController()
      error = null
      failures = []
      piece = null
      const ended = perform(order, stop.signal, begun).catch((caught: unknown) => {
        if (!stop.signal.aborted) error = serialiseError(caught, 'run')
      }).then(async () => {
        work = null
        held = null
        await look().catch(() => (state = 'stopped'))
        onChange(row())
      })
      work = { stop, ended }
      set('preparing')
    },
    pause() {
      if (!work || held || state === 'finishing') return
      let release = (): void => undefined
      const wait = new Promise<void>((resolve) => (release = resolve))
      work.stop.signal.addEventListener('abort', release, { once: true })
      held = { wait, release }
      set('pausing')
    },
    goOn() {
      if (!work || !held) return false
      const { release } = held
      held = null
      release()
      set('running')
      return true
    },
    async cancel() {
      if (!work) return
      work.stop.abort()
      await work.ended
    },
  }
}

function factsOf({ model, judge, data, images, chunk, seed, entries, metrics, shard, executor, backend, version, keepMaps }: BenchmarkManifest): BenchmarkRow['facts'] {
  return { model: model.name, judge: judge?.name ?? null, data, images, seed, entries, metrics, shard, chunk, executor, backend, version, keepMaps }
}

import { defineStore } from 'pinia'
import { computed, ref, shallowReactive, shallowRef, watch as watchValue } from 'vue'
import type { BenchmarkCell, BenchmarkEvent, BenchmarkResults, BenchmarkRow } from '#shared/contract/benchmark.ts'
import { call, watch } from '../rpc.ts'
import { useMetrics } from './metrics.ts'
import { useModels } from './models.ts'
import { useNotices } from './notices.ts'

const kept = 'maskscope-benchmark'
/** Between two looks at results that are on their way, in ms. */
const readEvery = 1500

export const atWork: readonly BenchmarkRow['state'][] = ['preparing', 'running', 'pausing', 'paused', 'finishing']

/** The benchmarks there are, the one that is looked at, its numbers and the cells behind one of them. */
export const useBenchmarks = defineStore('benchmarks', () => {
  const models = useModels()
  const metrics = useMetrics()
  const notices = useNotices()

  const rows = shallowReactive(new Map<string, BenchmarkRow>())
  /** The snapshot has come. */
  const known = ref(false)
  /** A handle; null: the next one is being put together. */
  const shown = ref<string | null>(sessionStorage.getItem(kept))
  /** Somebody who has never made one is asked first whether to. */
  const begun = ref(false)
  const current = computed(() => (shown.value === null ? null : rows.get(shown.value) ?? null))
  const list = computed(() => [...rows.values()].sort((a, b) => Number(atWork.includes(b.state)) - Number(atWork.includes(a.state)) || b.changed.localeCompare(a.changed)))

  const against = ref<string | null>(null)
  const results = shallowRef<{ benchmark: string; done: number; content: BenchmarkResults } | null>(null)
  const resultsError = ref<string | null>(null)
  /** The number that was clicked. */
  const picked = ref<{ method: string; metric: string } | null>(null)
  const cells = shallowRef<readonly BenchmarkCell[] | null>(null)
  const cellsError = ref<string | null>(null)

  let watched = false
  function begin(): void {
    if (watched) return
    watched = true
    watch('benchmark.watch', {}, hear)
  }

  function hear(event: BenchmarkEvent): void {
    if (event.type === 'snapshot') {
      rows.clear()
      for (const row of event.rows) rows.set(row.benchmark, row)
      known.value = true
      if (shown.value !== null && !rows.has(shown.value)) shown.value = null
      void read()
    } else if (event.type === 'row') {
      rows.set(event.row.benchmark, event.row)
      if (event.row.benchmark === shown.value) readSoon()
    } else {
      rows.delete(event.benchmark)
      if (shown.value === event.benchmark) shown.value = null
    }
  }

  let reading = false
  let again: ReturnType<typeof setTimeout> | undefined

  /** Now and then while the work goes on, at once where it has ended. */
  function readSoon(): void {
    const row = current.value
    if (!row || (results.value?.benchmark === row.benchmark && results.value.done === row.done && results.value.content.whole === (row.state === 'finished'))) return
    if (row.state === 'finished' || results.value?.benchmark !== row.benchmark) void read()
    else again ??= setTimeout(() => {
      again = undefined
      void read()
    }, readEvery)
  }

  /** Never rejects: what went wrong stands in `resultsError`. */
  async function read(): Promise<void> {
    const row = current.value
    if (!row?.facts || reading) return
    reading = true
    const asked = against.value
    try {
      const content = await call('benchmark.results', { benchmark: row.benchmark, against: row.facts.entries.some(({ name }) => name === asked) ? asked : null })
      if (shown.value === row.benchmark) results.value = { benchmark: row.benchmark, done: row.done, content }
      resultsError.value = null
      if (picked.value) await readCells()
    } catch (error) {
      resultsError.value = (error as Error).message
    } finally {
      reading = false
    }
    // Another one was chosen, or compared with, meanwhile.
    if (shown.value !== row.benchmark || against.value !== asked) await read()
    else readSoon()
  }

  async function readCells(): Promise<void> {
    const wanted = picked.value
    if (!wanted || shown.value === null) return
    try {
      const found = await call('benchmark.cells', { benchmark: shown.value, ...wanted })
      if (picked.value === wanted) cells.value = found
      cellsError.value = null
    } catch (error) {
      cellsError.value = (error as Error).message
    }
  }

  function pick(method: string, metric: string): void {
    picked.value = { method, metric }
  }

  watchValue(picked, () => {
    cells.value = null
    void readCells()
  })
  watchValue(shown, (benchmark) => {
    if (benchmark === null) sessionStorage.removeItem(kept)
    else sessionStorage.setItem(kept, benchmark)
    picked.value = null
    against.value = null
    results.value = null
    resultsError.value = null
    void read()
  })
  watchValue(against, () => void read())

  /** @returns whether it was done; what went wrong is told */
  async function attempt(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      notices.fail(error)
      return false
    }
  }

  const given = (): { model: string | null; judge: string | null } => ({ model: models.current?.model ?? null, judge: metrics.judge?.model ?? null })

  return {
    rows, known, begun, list, shown, current, against, results, resultsError, picked, cells, cellsError,
    begin, hear, read, pick, attempt,
    /** The next one is put together. */
    setUp: (): void => {
      shown.value = null
      begun.value = true
    },
    unpick: (): void => void (picked.value = null),
    open: (folder: string): Promise<boolean> => attempt(async () => {
      shown.value = (await call('benchmark.open', { folder })).benchmark
    }),
    forget: (benchmark: string): Promise<boolean> => attempt(() => call('benchmark.forget', { benchmark })),
    pause: (benchmark: string): Promise<boolean> => attempt(() => call('benchmark.pause', { benchmark })),
    resume: (benchmark: string): Promise<boolean> => attempt(() => call('benchmark.resume', { benchmark, ...given() })),
    cancel: (benchmark: string): Promise<boolean> => attempt(() => call('benchmark.cancel', { benchmark })),
    retry: (benchmark: string, method: string): Promise<boolean> => attempt(() => call('benchmark.retry', { benchmark, method, ...given() })),
  }
})

import { computed, shallowRef, type ComputedRef } from 'vue'
import type { ComparisonColumn, ComparisonRow } from '#shared/contract/comparison.ts'
import type { MetricInfo } from '#shared/contract/metrics.ts'
import { call } from '../../rpc.ts'
import { useComparison } from '../../stores/comparison.ts'
import { useComparisonData } from '../../stores/comparison-data.ts'
import { useMetrics } from '../../stores/metrics.ts'
import { useNotices } from '../../stores/notices.ts'
import { validResult } from './numbers.ts'

/** So many cells are measured at a time. */
const atOnce = 2
/** Measured with whatever is asked for: their curves stand in one plot. */
const always = ['deletion', 'insertion'] as const

const busy = shallowRef<{ done: number; all: number } | null>(null)
let hand: AbortController | null = null

/** Measures the cells of the grid, one after the other; what is there is shown at once. */
export function useMeasuring(metric: () => MetricInfo | null): {
  busy: ComputedRef<{ done: number; all: number } | null>
  /** Finished runs that lack a number. */
  missing: ComputedRef<{ run: string; row: ComparisonRow; metrics: string[] }[]>
  /** Why a metric cannot be measured here; null: it can. */
  hindrance: ComputedRef<string | null>
  measure(): Promise<void>
  cancel(): void
} {
  const comparison = useComparison()
  const data = useComparisonData()
  const metrics = useMetrics()

  function hasTruth(row: ComparisonRow): boolean {
    return comparison.board.truths[row.image] !== undefined || comparison.images.get(row.image)?.truth === true
  }

  /** A drawn truth that holds nothing is none. */
  function lacks(run: string, row: ComparisonRow, column: ComparisonColumn): string[] {
    const known = data.measured.get(run)?.results
    if (!known) return []
    const wanted = [metric()?.id, ...always].filter((id) => id !== undefined)
    return [...new Set(wanted)].filter((id) => {
      const info = metrics.list.find((one) => one.id === id)
      if (!info || (info.needs.includes('object') && !hasTruth(row))) return false
      if (column.kind === 'maps' && info.cost === 'dear') return false
      const truth = comparison.board.truths[row.image]
      return validResult(known, info, truth) === null
    })
  }

  const missing = computed(() => comparison.allCells.flatMap(({ row, column }) => comparison.finishedRuns(row, column).flatMap((run) => {
    const ids = lacks(run, row, column)
    return ids.length === 0 ? [] : [{ run, row, metrics: ids }]
  })))

  const hindrance = computed(() => {
    const info = metric()
    if (!info) return 'There is no metric.'
    if (info.needs.includes('object') && !comparison.board.rows.some(hasTruth)) return 'It compares with where the object lies, which no row knows: draw it on a picture or import boxes.'
    return null
  })

  async function measure(): Promise<void> {
    if (busy.value) return
    const queue = [...missing.value]
    const all = queue.length
    if (all === 0) return
    const mine = hand = new AbortController()
    let done = 0
    busy.value = { done, all }
    const failures: unknown[] = []
    async function work(): Promise<void> {
      for (let next = queue.shift(); next && !mine.signal.aborted; next = queue.shift()) {
        try {
          const answer = await call('comparisons.measure', {
            comparison: await comparison.ensured(), run: next.run, metrics: next.metrics, judge: metrics.judge?.model ?? null, truth: comparison.board.truths[next.row.image] ?? null,
          }, { signal: mine.signal })
          data.keepMeasured(next.run, answer)
        } catch (error) {
          if (!mine.signal.aborted) failures.push(error)
        }
        busy.value = { done: ++done, all }
      }
    }
    await Promise.all(Array.from({ length: atOnce }, work))
    busy.value = null
    if (failures.length > 0) useNotices().fail(failures[0])
  }

  return { busy: computed(() => busy.value), missing, hindrance, measure, cancel: () => hand?.abort() }
}

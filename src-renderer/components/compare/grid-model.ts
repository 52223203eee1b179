import { computed, type ComputedRef } from 'vue'
import type { ComparisonColumn, ComparisonRow } from '#shared/contract/comparison.ts'
import type { MetricInfo } from '#shared/contract/metrics.ts'
import { useComparisonData } from '../../stores/comparison-data.ts'
import { useComparison } from '../../stores/comparison.ts'
import { useMetrics } from '../../stores/metrics.ts'
import { useRuns } from '../../stores/runs.ts'
import { arrangeRows, spreadOfValues, type RowSource } from './arrange-rows.ts'
import { cellValue, meanOf, validResult, type NumberSource } from './numbers.ts'

/** What a row explains, in words: its class where that is known. */
export function useRowWords(): { classOf(row: ComparisonRow): string; probabilityOf(row: ComparisonRow): number | null } {
  const comparison = useComparison()
  const data = useComparisonData()
  const reading = (row: ComparisonRow) => data.readings.peek(`${row.image} ${row.model}`)
  return {
    classOf(row) {
      const top = reading(row)?.top
      if (row.target === 'auto') return top ? top[0]!.label ?? `class ${top[0]!.index}` : 'top class'
      const known = top?.find(({ index }) => index === row.target)
      const run = comparison.board.columns.map((column) => comparison.contentOf(row, column).runs[0]?.target).find((target) => target?.label != null)
      return known?.label ?? run?.label ?? `class ${row.target}`
    },
    probabilityOf(row) {
      const top = reading(row)?.top
      const index = row.target === 'auto' ? top?.[0]?.index : row.target
      return top?.find((one) => one.index === index)?.probability ?? null
    },
  }
}

/** Numbers of the grid, and its rows in the order in which they are shown. */
export function useGrid(): {
  numbers: NumberSource
  metric: ComputedRef<MetricInfo | null>
  rows: ComputedRef<ComparisonRow[]>
  valueOf(row: ComparisonRow, column: ComparisonColumn): number | null
} {
  const comparison = useComparison()
  const data = useComparisonData()
  const metrics = useMetrics()
  const runs = useRuns()
  const words = useRowWords()
  const metric = computed(() => metrics.list.find(({ id }) => id === comparison.board.view.metric) ?? metrics.list[0] ?? null)
  const agreement = { id: 'agreement', needs: [] }
  const numbers: NumberSource = {
    get board() { return comparison.board },
    finished: comparison.finishedRuns,
    measured: (run) => data.measured.get(run),
    seconds: (run) => runs.rows.get(run)?.seconds ?? null,
  }
  const valueOf = (row: ComparisonRow, column: ComparisonColumn): number | null => (metric.value ? cellValue(numbers, metric.value, row, column) : null)

  /** By the maps where their agreement was measured, else by the metric that is shown. */
  function disagreement(row: ComparisonRow): number | null {
    const agreed = comparison.board.columns.flatMap((column) => comparison.finishedRuns(row, column)).flatMap((run) => {
      const value = validResult(data.measured.get(run)?.results ?? [], agreement, undefined)?.value
      return value == null ? [] : [1 - value]
    })
    return meanOf(agreed) ?? spreadOfValues(comparison.board.columns.map((column) => valueOf(row, column)))
  }

  const source: RowSource = {
    image: (row) => comparison.images.get(row.image),
    reading: (row) => data.readings.get(`${row.image} ${row.model}`),
    className: words.classOf,
    value: valueOf,
    disagreement,
    starred: (row) => comparison.board.stars.some((cell) => cell.startsWith(`${row.id} `)),
    missing: (row) => comparison.board.columns.some((column) => comparison.contentOf(row, column).state !== 'finished'),
  }
  const rows = computed(() => arrangeRows(comparison.board.rows, comparison.board.view, comparison.board.columns, source))
  return { numbers, metric, rows, valueOf }
}

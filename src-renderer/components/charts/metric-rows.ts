import type { MeasurementOfRun, MetricInfo } from '#shared/contract/metrics.ts'
import { numberText } from '#shared/figure/numbers.ts'

export interface MetricRow {
  id: string
  title: string
  /** "higher is better", "lower is better", or nothing. */
  direction: string
  /** Null: not measured yet. */
  value: string | null
  /** Definition, and what was said of the value. */
  tip: string
  /** Why there is no value. */
  problem: string | null
  details: readonly { name: string; value: string }[]
}

const directions = { higher: '↑', lower: '↓' } as const

/** What a table shows of each metric, in the order in which they are offered. */
export function metricRows(list: readonly MetricInfo[], results: readonly MeasurementOfRun[]): MetricRow[] {
  return list.map((metric) => {
    const result = results.find((one) => one.metric === metric.id)
    const better = metric.better === null ? '' : ` ${metric.better === 'higher' ? 'Higher' : 'Lower'} is better.`
    const judge = result?.judge == null ? '' : ` Judged by ${result.judge}.`
    const problem = result === undefined || result.value !== null ? null : result.error?.message ?? result.note ?? 'It is not defined for this map.'
    return {
      id: metric.id, title: metric.title, direction: metric.better === null ? '' : directions[metric.better],
      value: result?.value == null ? null : numberText(result.value, 3),
      tip: `${metric.definition}${better}${judge}${result?.note ? ` ${result.note}` : ''}`,
      problem,
      details: Object.entries(result?.details ?? {}).map(([name, value]) => ({ name: name.replaceAll('-', ' '), value: value === null ? 'none' : numberText(value, 3) })),
    }
  })
}

/** Those that are measured together, at one click: what does not run the method again, and has what it needs. */
export function usualMetrics(list: readonly MetricInfo[], has: { object: boolean; judge: boolean }): string[] {
  return list.filter(({ cost, needs }) => cost !== 'dear' && !needs.includes('mosaic')
    && (has.object || !needs.includes('object')) && (has.judge || !needs.includes('judge'))).map(({ id }) => id)
}

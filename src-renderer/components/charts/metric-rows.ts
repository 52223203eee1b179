import type { MeasurementOfRun, MetricInfo } from '#shared/contract/metrics.ts'
import type { RunRow } from '#shared/contract/runs.ts'
import { numberText } from '#shared/figure/numbers.ts'

export interface MetricRow {
  id: string
  title: string
  /** An arrow upwards where higher is better, downwards where lower is; or nothing. */
  direction: string
  /** Null: not measured yet, or not defined. */
  value: string | null
  /** Definition, and what was said of the value. */
  tip: string
  /** Why it is not defined for this map. */
  note: string | null
  /** What went wrong when it was measured. */
  failure: string | null
  details: readonly { name: string; value: string }[]
  curves: MeasurementOfRun['curves']
  /** What runs along the curves. */
  along: string
  /** Another definition of a metric that stands there, too. */
  variant: boolean
  /** Runs the method again. */
  dear: boolean
  /** What it needs and is not there; null: nothing. */
  missing: string | null
}

/** What is at hand to measure a run with. */
export interface AtHand {
  /** Where its object lies is known. */
  object: boolean
  /** Its image is a mosaic. */
  mosaic: boolean
  /** Other methods have explained the same. */
  others: boolean
}

const arrows = { higher: '↑', lower: '↓' } as const

const alongTitles: Readonly<Record<string, string>> = {
  deletion: 'share removed', insertion: 'share shown', road: 'share removed', sufficiency: 'share kept', randomisation: 'share of layers', 'sensitivity-n': 'pixels removed',
}

/** What a table shows of each metric, in the order in which they are offered. */
export function metricRows(list: readonly MetricInfo[], results: readonly MeasurementOfRun[], has: AtHand): MetricRow[] {
  return list.map((metric) => {
    const result = results.find((one) => one.metric === metric.id)
    const better = metric.better === null ? '' : ` ${metric.better === 'higher' ? 'Higher' : 'Lower'} is better.`
    const judge = result?.judge == null ? '' : ` Judged by ${result.judge}.`
    return {
      id: metric.id, title: metric.title, direction: metric.better === null ? '' : arrows[metric.better],
      value: result?.value == null ? null : numberText(result.value, 3),
      tip: `${metric.definition}${better}${judge}${result?.value != null && result.note ? ` ${result.note}` : ''}`,
      note: result === undefined || result.value !== null || result.error ? null : result.note ?? 'It is not defined for this map.',
      failure: result?.error?.message ?? null,
      details: Object.entries(result?.details ?? {}).map(([name, value]) => ({ name: name.replaceAll('-', ' '), value: value === null ? 'none' : numberText(value, 3) })),
      curves: result?.curves ?? [], along: alongTitles[metric.variantOf ?? metric.id] ?? '', variant: metric.variantOf !== null,
      dear: metric.cost === 'dear', missing: missingOf(metric, has),
    }
  })
}

function missingOf({ needs }: MetricInfo, has: AtHand): string | null {
  if (needs.includes('mosaic') && !has.mosaic) return 'It needs a mosaic: open a data set as mosaics.'
  if (needs.includes('object') && !has.object) return 'It needs to know where the object lies: of scenes, boxes, segmentations and mosaics that is known.'
  if (needs.includes('others') && !has.others) return 'It compares with other methods: explain the same image and class by another one first.'
  return null
}

/** Another method has explained the same image and class of the same model, so that the maps can be compared. */
export function explainsTheSame(other: RunRow, row: RunRow): boolean {
  return other.state === 'finished' && other.method !== row.method && other.image.name === row.image.name && other.model.sha256 === row.model.sha256 && other.target?.index === row.target?.index
}

/** Those that are measured together, at one click: what does not run the method again, has what it needs, and is nobody's variant. */
export function usualMetrics(rows: readonly MetricRow[]): string[] {
  return rows.filter(({ dear, variant, missing }) => !dear && !variant && missing === null).map(({ id }) => id)
}

/** With tabs between the columns, for spreadsheets: metric, value, what is said of it; then each number that belongs to it. */
export function metricsTable(results: readonly MeasurementOfRun[]): string {
  const cell = (value: number | null): string => (value === null ? '' : String(value))
  const lines = results.flatMap(({ metric, value, details, note, error, judge }) => [
    [metric, '', cell(value), judge ?? '', error?.message ?? note ?? ''],
    ...Object.entries(details).map(([name, detail]) => [metric, name, cell(detail), judge ?? '', '']),
  ])
  return [['metric', 'detail', 'value', 'judge', 'note'], ...lines].map((line) => line.map((text) => text.replace(/[\t\r\n]+/g, ' ')).join('\t')).join('\n') + '\n'
}

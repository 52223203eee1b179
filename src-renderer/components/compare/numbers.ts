import { truthKey, type ComparisonBoard, type ComparisonColumn, type ComparisonRow } from '#shared/contract/comparison.ts'
import type { MeasurementOfRun, MetricInfo } from '#shared/contract/metrics.ts'
import { bootstrapMean } from '#shared/statistics/bootstrap.ts'
import type { Measured } from '../../stores/comparison-data.ts'

/** What stands behind a cell's numbers. */
export interface NumberSource {
  board: Pick<ComparisonBoard, 'truths'>
  /** Runs of the cell that have finished. */
  finished(row: ComparisonRow, column: ComparisonColumn): readonly string[]
  measured(run: string): Measured | undefined
  seconds(run: string): number | null
}

/** What was measured of a run counts as long as the truth that it was measured against still does. */
export function validResult(results: readonly MeasurementOfRun[], metric: Pick<MetricInfo, 'id' | 'needs'>, truth: ComparisonBoard['truths'][string] | undefined): MeasurementOfRun | null {
  const found = results.find((one) => one.metric === metric.id)
  if (!found || !metric.needs.includes('object')) return found ?? null
  return (found.parameters['truth'] ?? null) === (truth ? truthKey(truth) : null) ? found : null
}

/** Mean over the cell's seeds, or null where none of them was measured. */
export function cellValue({ board, finished, measured }: NumberSource, metric: Pick<MetricInfo, 'id' | 'needs'>, row: ComparisonRow, column: ComparisonColumn): number | null {
  const values = finished(row, column).flatMap((run) => {
    const results = measured(run)?.results
    const value = results ? validResult(results, metric, board.truths[row.image])?.value : null
    return value == null ? [] : [value]
  })
  return meanOf(values)
}

export function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length
}

export interface ColumnSummary {
  column: ComparisonColumn
  /** Over the rows that count; null: none. */
  mean: number | null
  low: number | null
  high: number | null
  /** Means over the same rows. */
  seconds: number | null
  evaluations: number | null
  /** Certainly better than every other column. */
  best: boolean
  /** Cells that were measured, of all. */
  measured: number
}

export interface Summary {
  columns: ColumnSummary[]
  /** Rows that count: those in which every column that has a number has one. */
  rows: number
  all: number
}

/** From so few images on an interval says something. */
export const leastForInterval = 3
const seed = 1

/**
 * Means over rows with 95% bootstrap intervals; rows of one image are drawn together. Columns are held against each other on the same
 * rows. A column is best only where its interval lies beyond those of all others.
 */
export function summarise(source: NumberSource, metric: MetricInfo, rows: readonly ComparisonRow[], columns: readonly ComparisonColumn[]): Summary {
  const values = columns.map((column) => rows.map((row) => cellValue(source, metric, row, column)))
  const present = values.map((list) => list.some((value) => value !== null))
  const counted = rows.map((_, i) => i).filter((i) => present.some(Boolean) && values.every((list, k) => !present[k] || list[i] !== null))
  const clusters = counted.map((i) => rows[i]!.image)
  const summaries = columns.map((column, k): ColumnSummary => {
    const own = present[k] ? counted.map((i) => values[k]![i]!) : []
    const enough = new Set(clusters).size >= leastForInterval
    const interval = own.length > 0 && enough ? bootstrapMean(own, { seed, resamples: 2000, clusters }) : null
    const runs = (present[k] ? counted : []).flatMap((i) => source.finished(rows[i]!, column))
    return {
      column, mean: meanOf(own), low: interval?.low ?? null, high: interval?.high ?? null, best: false,
      seconds: meanOf(runs.map(source.seconds).filter((value) => value !== null)),
      evaluations: meanOf(runs.flatMap((run) => {
        const spent = source.measured(run)?.evaluations
        return spent ? [spent.forward + spent.backward] : []
      })),
      measured: values[k]!.filter((value) => value !== null).length,
    }
  })
  return { columns: summaries.map((one) => ({ ...one, best: beatsAll(one, summaries, metric.better) })), rows: counted.length, all: rows.length }
}

function beatsAll(one: ColumnSummary, all: readonly ColumnSummary[], better: MetricInfo['better']): boolean {
  const others = all.filter((other) => other !== one && other.mean !== null)
  if (better === null || one.low === null || one.high === null || others.length === 0) return false
  return others.every((other) => other.low !== null && other.high !== null && (better === 'higher' ? one.low! > other.high : one.high! < other.low))
}

/** The columns of highest value in a row; empty where two share it to the digits that are shown, or there is nothing to choose. */
export function bestOfRow(values: readonly (number | null)[], better: MetricInfo['better']): number | null {
  if (better === null) return null
  const sign = better === 'higher' ? 1 : -1
  const known = values.flatMap((value, i) => (value === null ? [] : [{ i, value: sign * Math.round(value * 100) }])).sort((a, b) => b.value - a.value)
  return known.length > 1 && known[0]!.value > known[1]!.value ? known[0]!.i : null
}

/** Mean curve of a column over its cells, at the places of the first; with the area below it. */
export interface ColumnCurve {
  column: ComparisonColumn
  x: number[]
  y: number[]
  low: number[]
  high: number[]
  area: number | null
  n: number
}

/** @param metric that leaves curves, e.g. deletion: those of several fills are averaged within a run */
export function columnCurves(source: NumberSource, metric: string, rows: readonly ComparisonRow[], columns: readonly ComparisonColumn[]): ColumnCurve[] {
  return columns.flatMap((column) => {
    const runs = rows.flatMap((row) => source.finished(row, column)).flatMap((run) => source.measured(run)?.results.filter((one) => one.metric === metric && one.curves.length > 0) ?? [])
    const first = runs[0]?.curves[0]
    if (!first) return []
    const x = first.x.filter((value) => value !== null)
    const each = runs.map(({ curves }) => x.map((at) => meanOf(curves.flatMap((curve) => atPlace(curve, at))) ?? Number.NaN))
    const bands = x.map((_, i) => bootstrapMean(each.map((list) => list[i]!), { seed, resamples: 400 }))
    const wide = runs.length >= leastForInterval
    return [{
      column, x, y: bands.map(({ mean }) => mean), low: wide ? bands.map(({ low }) => low) : [], high: wide ? bands.map(({ high }) => high) : [],
      area: meanOf(runs.flatMap(({ value }) => (value === null ? [] : [value]))), n: runs.length,
    }]
  })
}

function atPlace({ x, y }: { x: readonly (number | null)[]; y: readonly (number | null)[] }, at: number): number[] {
  for (let i = 0; i < x.length; i++) {
    const [to, value] = [x[i], y[i]]
    if (to == null || value == null || to < at) continue
    const [from, before] = [x[i - 1], y[i - 1]]
    if (to === at || from == null || before == null) return [value]
    return [before + ((value - before) * (at - from)) / (to - from)]
  }
  return []
}

import { MaskscopeError } from '../../domain/errors.ts'
import type { Interval } from '../../statistics/bootstrap.ts'
import type { FigureRun } from '../figure-data.ts'
import type { PanelOf } from '../spec.ts'
import { groupRuns, leastForInterval, meanOf } from './grouping.ts'
import { runOf } from './map-panels.ts'
import type { PanelContext } from './panel.ts'

export interface TableCell extends Interval {
  n: number
  /** Better than every other, and its interval apart from all theirs. */
  best: boolean
}

/** Means of metrics, as print, LaTeX and CSV show them. */
export interface TableModel {
  columns: { metric: string; title: string; better: 'higher' | 'lower' | null }[]
  rows: { label: string; runs: readonly string[]; cells: TableCell[] }[]
  intervals: boolean
}

/** @throws MaskscopeError 'usage' where nothing was measured of the runs */
export function tableModel(spec: PanelOf<'table'>, context: PanelContext): TableModel {
  const { facts: { metrics } } = context
  const runs = spec.runs.map((id) => runOf(context, id))
  const common = [...new Set(runs.flatMap((run) => run.metrics.map(({ metric }) => metric)))].filter((metric) => runs.every((run) => valueOf(run, metric) !== undefined))
  const ids = spec.metrics.length > 0 ? spec.metrics : common
  if (ids.length === 0) {
    throw new MaskscopeError('usage', 'No metric was measured of all the runs in this table. Measure them first, or choose metrics.', { subject: 'metrics' })
  }
  const groups = groupRuns(runs, context)
  const byMethod = spec.by === 'method' || (spec.by === 'auto' && groups.some((group) => group.runs.length > 1))
  const sets = byMethod ? groups : runs.map((run) => ({ label: runLabel(run, runs), runs: [run] }))
  const columns = ids.map((metric) => ({ metric, title: metrics.get(metric)?.title ?? metric, better: metrics.get(metric)?.better ?? null }))
  const rows = sets.map(({ label, runs: own }) => ({
    label, runs: own.map(({ id }) => id),
    cells: columns.map(({ metric }): TableCell => {
      const values = own.map((run) => valueOf(run, metric) ?? Number.NaN)
      return { ...meanOf(values), n: values.filter(Number.isFinite).length, best: false }
    }),
  }))
  columns.forEach(({ better }, c) => markBest(rows.map(({ cells }) => cells[c]!), better))
  return { columns, rows, intervals: rows.some(({ cells }) => cells.some(({ n }) => n >= leastForInterval)) }
}

function valueOf(run: FigureRun, metric: string): number | undefined {
  return run.metrics.find((one) => one.metric === metric)?.value ?? undefined
}

function runLabel(run: FigureRun, runs: readonly FigureRun[]): string {
  return new Set(runs.map(({ image }) => image.key)).size > 1 ? `${run.method.title}, ${run.image.name}` : run.method.title
}

/** Nobody wins without an interval, nor where intervals overlap. */
function markBest(cells: TableCell[], better: 'higher' | 'lower' | null): void {
  if (better === null) return
  const sign = better === 'higher' ? 1 : -1
  const known = cells.filter(({ mean }) => Number.isFinite(mean))
  if (known.length < 2) return
  const [first, ...others] = known.toSorted((a, b) => sign * (b.mean - a.mean))
  const ends = ({ low, high }: TableCell): [number, number] => (better === 'higher' ? [low, high] : [-high, -low])
  first!.best = others.every((other) => ends(first!)[0] > ends(other)[1])
}

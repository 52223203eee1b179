import { MaskscopeError } from '../../domain/errors.ts'
import { linearAxis, lossAxis } from '../axis.ts'
import { isMinimised, targetName } from '../caption.ts'
import { smoothNoise } from '../chart.ts'
import { convergenceOf } from '../course.ts'
import type { FigureNumber, FigureRun } from '../figure-data.ts'
import type { PanelOf } from '../spec.ts'
import { chartPanel } from './chart-panel.ts'
import { fitnessEnds, runSeries, termOf, termSeries, valuesOf, type RunQuantity } from './course-series.ts'
import { runOf } from './map-panels.ts'
import { sentence, type Panel, type PanelContext } from './panel.ts'

/** The course of one run's terms, or of one quantity of several runs. @throws MaskscopeError 'usage' for a run without that course */
export function lossesPanel(spec: PanelOf<'losses'>, context: PanelContext): Panel {
  const runs = spec.runs.map((id) => runOf(context, id))
  for (const run of runs) {
    if (run.losses.iterations.length < 2) {
      throw new MaskscopeError('usage', `Run ${run.id} (${run.method.title}) has no course to draw. Choose runs of methods that go on step by step.`, { subject: run.id })
    }
  }
  const quantity = spec.quantity !== 'auto' ? spec.quantity : usualQuantity(runs)
  const raw = quantity === 'terms' ? termSeries(runs, context) : runSeries(runs, quantity, context)
  const ends = quantity === 'fitness' ? fitnessEnds(runs, raw) : []
  const all = [...raw, ...ends]
  const values = all.flatMap(({ points }) => points.map(([, y]) => y))
  const first = Math.min(...raw.map(({ points }) => points[0]![0]))
  const last = Math.max(...raw.map(({ points }) => points[points.length - 1]![0]))
  const yAxis = quantity === 'probability' ? linearAxis(0, 1, 2, false) : quantity === 'fitness' ? linearAxis(Math.min(...values), Math.max(...values), 4) : lossAxis(values, 5)
  const minimised = (quantity === 'terms' || quantity === 'total') && runs.every(isMinimised)
  const better = minimised || quantity === 'convergence' ? ', lower is better' : quantity === 'probability' || quantity === 'fitness' ? ', higher is better' : ''
  const series = quantity === 'fitness' ? raw : smoothNoise(raw, yAxis)
  const log = yAxis.kind === 'log' ? ' (log axis)' : ''
  const what = whatIsDrawn(quantity, runs, minimised)
  const along = quantity === 'convergence' && runs.every(({ masks }) => masks !== null) ? 'masks' : 'iteration'
  const labels = raw.map(({ label, value }) => `${label} ${value}`).join(', ')
  return {
    ...chartPanel(context, {
      title: spec.title ?? `${what}${log}`, xTitle: along, height: spec.height, yAxis, ...(runs.length === 1 ? { series: [...series, ...ends], bands: [] } : { series, bands: ends }),
      xAxis: (room) => linearAxis(first, last, Math.max(1, Math.min(5, last - first, Math.floor(room / 9))), false),
    }),
    caption: sentence(context, `${what} by ${along === 'masks' ? 'the number of masks' : along}${log}${better}; last values: ${labels}.`
      + `${ends.length > 0 ? ' Thin lines: best and worst of the population.' : ''}${series.some(({ median }) => median) ? ' Pale: every iteration; full: running median.' : ''}`),
    numbers: all.flatMap(({ label, points, run }) => points.map(([x, value]): FigureNumber => (
      { panel: context.name, run, series: label, quantity: quantity === 'terms' || quantity === 'total' ? 'loss' : quantity, x, value, low: null, high: null }))),
  }
}

const has = (runs: readonly FigureRun[], quantity: RunQuantity): boolean => runs.every((run) => valuesOf(run, quantity) !== null)

/** What says most of how these runs went. */
function usualQuantity(runs: readonly FigureRun[]): RunQuantity | 'terms' {
  if (runs.length > 1 && has(runs, 'total')) return 'total'
  if (has(runs, 'fitness')) return 'fitness'
  if (has(runs, 'convergence')) return 'convergence'
  return runs.length === 1 ? 'terms' : 'probability'
}

/** @throws MaskscopeError 'usage' for runs that settle in numbers of different kinds */
function whatIsDrawn(quantity: RunQuantity | 'terms', runs: readonly FigureRun[], minimised: boolean): string {
  switch (quantity) {
    case 'probability': return `Probability of ${runs.length === 1 ? targetName(runs[0]!) : 'the class'} under the mask`
    case 'total': return 'Total loss'
    case 'fitness': return 'Fitness of the population: median, best to worst'
    case 'terms': return minimised ? 'Loss and its terms' : 'Course'
    case 'convergence': {
      const titles = [...new Set(runs.map((run) => convergenceOf(termOf(run))!.title))]
      if (titles.length === 1 && new Set(runs.map(({ masks }) => masks === null)).size === 1) return titles[0]!
      throw new MaskscopeError('usage', 'These runs settle in numbers that cannot stand on one axis. Draw them in panels of their own.', { subject: 'runs' })
    }
  }
}

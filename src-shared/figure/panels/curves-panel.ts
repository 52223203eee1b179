import { MaskscopeError } from '../../domain/errors.ts'
import { linearAxis } from '../axis.ts'
import type { Series } from '../chart.ts'
import type { FigureNumber, FigureRun } from '../figure-data.ts'
import { numberText, probabilityText } from '../numbers.ts'
import { methodStroke, pale } from '../style.ts'
import type { PanelOf } from '../spec.ts'
import { chartPanel } from './chart-panel.ts'
import { betterText, countText, groupRuns, leastForInterval, meanOf, measuredOf, type RunGroup } from './grouping.ts'
import { runOf } from './map-panels.ts'
import { sentence, type Panel, type PanelContext } from './panel.ts'

/** Fills that no method is optimised against: the number of deletion and insertion is the mean over these, so the curve is it too. */
const unseenFills: readonly string[] = ['fill-noise', 'fill-road']

interface MeanCurve extends RunGroup {
  x: number[]
  mean: { mean: number; low: number; high: number }[]
  area: number
}

/** Mean curves of deletion, insertion or another metric that has curves. @throws MaskscopeError 'usage' for runs without one */
export function curvesPanel(spec: PanelOf<'curves'>, context: PanelContext): Panel {
  const metric = context.facts.metrics.get(spec.metric) ?? { title: spec.metric, better: null }
  const runs = spec.runs.map((id) => runOf(context, id))
  const curves = groupRuns(runs, context).map((group): MeanCurve => meanCurve(group, spec.metric, metric.title))
  // In the order of quality, so that labels of lines that end together stand in it too.
  const sign = metric.better === 'higher' ? -1 : 1
  curves.sort((a, b) => sign * (a.area - b.area) || (a.label < b.label ? -1 : 1))
  const values = curves.flatMap(({ mean }) => mean.flatMap(({ mean: m, low, high }) => [m, low, high].filter(Number.isFinite)))
  const shares = values.every((value) => value >= -1e-6 && value <= 1 + 1e-6)
  const yAxis = shares ? linearAxis(0, 1, 2, false) : linearAxis(Math.min(0, ...values), Math.max(0, ...values), 4)
  const shortNumber = (value: number): string => (shares ? probabilityText(Math.max(0, value)) : numberText(value, 2))
  const line = (curve: MeanCurve, of: 'mean' | 'low' | 'high'): Series => ({
    label: curve.label, value: shortNumber(curve.area), stroke: methodStroke(curve.look),
    points: curve.x.map((x, i) => [x, curve.mean[i]![of]] as const).filter(([, y]) => Number.isFinite(y)),
  })
  const banded = curves.filter(({ runs: own }) => own.length >= leastForInterval)
  const bands = banded.flatMap((curve) => (['low', 'high'] as const).map((end): Series => ({ ...line(curve, end), stroke: { colour: pale(methodStroke(curve.look).colour), width: 0.35 } })))
  const xTitle = spec.metric === 'insertion' ? 'share of pixels shown' : 'share of pixels removed'
  const facts = [betterText(metric.better), countText(curves), banded.length > 0 ? 'thin lines: 95% bootstrap interval' : ''].filter((text) => text !== '')
  return {
    ...chartPanel(context, { title: spec.title ?? `${metric.title}: ${facts.slice(0, 2).join(', ')}`, xTitle, xAxis: () => linearAxis(0, 1, 2, false), yAxis, series: curves.map((curve) => line(curve, 'mean')), bands, height: spec.height }),
    caption: sentence(context, `${metric.title}: probability of the class by ${xTitle}; ${facts.join('; ')}. Beside the lines the metric's value: ${curves.map(({ label, area }) => `${label} ${shortNumber(area)}`).join(', ')}.`),
    numbers: curves.flatMap((curve) => [
      ...curve.x.map((x, i): FigureNumber => ({ panel: context.name, run: curve.runs.map(({ id }) => id).join(' '), series: curve.label, quantity: `${spec.metric} curve`, x, value: curve.mean[i]!.mean, low: finite(curve.mean[i]!.low), high: finite(curve.mean[i]!.high) })),
      { panel: context.name, run: curve.runs.map(({ id }) => id).join(' '), series: curve.label, quantity: spec.metric, x: null, value: finite(curve.area), low: null, high: null },
    ]),
  }
}

function meanCurve(group: RunGroup, metric: string, title: string): MeanCurve {
  const own = group.runs.map((run) => curveOf(run, metric, title))
  const x = [...new Set(own.flatMap((curve) => curve.x))].sort((a, b) => a - b)
  const columns = own.map((curve) => x.map((at) => interpolate(curve, at)))
  return {
    ...group, x, mean: x.map((_, i) => meanOf(columns.map((column) => column[i]!))),
    area: meanOf(group.runs.map((run) => measuredOf(run, metric, title).value ?? Number.NaN)).mean,
  }
}

/** The mean over the fills that the number is of, on all places where one of them has a point. */
function curveOf(run: FigureRun, metric: string, title: string): { x: number[]; y: number[] } {
  const { curves } = measuredOf(run, metric, title)
  const counting = curves.filter(({ name }) => unseenFills.includes(name))
  const used = (counting.length > 0 ? counting : curves).filter(({ x, y }) => x.length > 1 && y.every(Number.isFinite))
  if (used.length === 0) {
    throw new MaskscopeError('usage', `${title} has no curve for run ${run.id}. Choose deletion or insertion, or take the run out of this panel.`, { subject: run.id })
  }
  const x = [...new Set(used.flatMap((curve) => [...curve.x]))].sort((a, b) => a - b)
  return { x, y: x.map((at) => used.reduce((sum, curve) => sum + interpolate(curve, at), 0) / used.length) }
}

function interpolate({ x, y }: { x: readonly number[]; y: readonly number[] }, at: number): number {
  if (at <= x[0]!) return y[0]!
  for (let i = 1; i < x.length; i++) {
    if (at <= x[i]!) return y[i - 1]! + ((y[i]! - y[i - 1]!) * (at - x[i - 1]!)) / (x[i]! - x[i - 1]!)
  }
  return y[y.length - 1]!
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

import { MaskscopeError } from '../../domain/errors.ts'
import { linearAxis, lossAxis } from '../axis.ts'
import { isMinimised, targetName } from '../caption.ts'
import { smoothNoise, type Series } from '../chart.ts'
import type { FigureNumber, FigureRun } from '../figure-data.ts'
import { numberText, probabilityText } from '../numbers.ts'
import { methodStroke, termStroke, totalStroke } from '../style.ts'
import type { PanelOf } from '../spec.ts'
import { chartPanel } from './chart-panel.ts'
import { withLooks } from './grouping.ts'
import { runOf } from './map-panels.ts'
import { sentence, type Panel, type PanelContext } from './panel.ts'
import { methodLabels } from './run-labels.ts'

/** The course of one run's terms, or of one quantity of several runs. @throws MaskscopeError 'usage' for a run without that course */
export function lossesPanel(spec: PanelOf<'losses'>, context: PanelContext): Panel {
  const runs = spec.runs.map((id) => runOf(context, id))
  for (const run of runs) {
    if (run.losses.iterations.length < 2) {
      throw new MaskscopeError('usage', `Run ${run.id} (${run.method.title}) has no course to draw. Choose runs of methods that go on step by step.`, { subject: run.id })
    }
  }
  const quantity = spec.quantity !== 'auto' ? spec.quantity : runs.length === 1 ? 'terms' : runs.every(isMinimised) ? 'total' : 'probability'
  const raw = quantity === 'terms' ? termSeries(runs, context) : runSeries(runs, quantity, context)
  const values = raw.flatMap(({ points }) => points.map(([, y]) => y))
  const first = Math.min(...raw.map(({ points }) => points[0]![0]))
  const last = Math.max(...raw.map(({ points }) => points[points.length - 1]![0]))
  const yAxis = quantity === 'probability' ? linearAxis(0, 1, 2, false) : lossAxis(values, 5)
  const minimised = quantity !== 'probability' && runs.every(isMinimised)
  const series = smoothNoise(raw, yAxis)
  const log = yAxis.kind === 'log' ? ' (log axis)' : ''
  const what = quantity === 'probability' ? `Probability of ${runs.length === 1 ? targetName(runs[0]!) : 'the class'} under the mask` : quantity === 'total' ? 'Total loss' : minimised ? 'Loss and its terms' : 'Course'
  const labels = raw.map(({ label, value }) => `${label} ${value}`).join(', ')
  return {
    ...chartPanel(context, {
      title: spec.title ?? `${what}${log}`, xTitle: 'iteration', height: spec.height, yAxis, series, bands: [],
      xAxis: (room) => linearAxis(first, last, Math.max(2, Math.min(5, Math.floor(room / 9))), false),
    }),
    caption: sentence(context, `${what} by iteration${log}${minimised ? ', lower is better' : quantity === 'probability' ? ', higher is better' : ''}; last values: ${labels}.${series.some(({ median }) => median) ? ' Pale: every iteration; full: running median.' : ''}`),
    numbers: raw.flatMap(({ label, points, run }) => points.map(([x, value]): FigureNumber => ({ panel: context.name, run, series: label, quantity: quantity === 'probability' ? 'probability' : 'loss', x, value, low: null, high: null }))),
  }
}

type RunSeries = Series & { run: string }

function termSeries(runs: readonly FigureRun[], context: PanelContext): RunSeries[] {
  const several = runs.length > 1
  const names = methodLabels(runs)
  let term = 0
  return runs.flatMap((run) => {
    const { iterations, terms } = run.losses
    if (terms.length === 0) throw new MaskscopeError('usage', `Run ${run.id} (${run.method.title}) keeps no losses. Choose the probability, or other runs.`, { subject: run.id })
    const ordered = [...terms.filter(({ name }) => name === 'total'), ...terms.filter(({ name }) => name !== 'total')]
    return ordered.map(({ name, values }): RunSeries => ({
      label: several ? `${names.get(run.id)!}: ${name}` : name, value: numberText(values[values.length - 1]!, 2), run: run.id,
      points: iterations.map((iteration, i) => [iteration, values[i]!] as const),
      stroke: name === 'total' && !several ? totalStroke : several ? methodStroke(context.facts.methods.length + term++) : termStroke(term++),
    }))
  })
}

function runSeries(runs: readonly FigureRun[], quantity: 'total' | 'probability', context: PanelContext): RunSeries[] {
  const names = lineNames(runs)
  const looks = withLooks(runs.map((run) => ({ label: run.id, runs: [run], look: context.facts.methods.indexOf(run.method.id) })), context.facts.methods.length)
  return runs.map((run, i): RunSeries => {
    const { iterations, terms, probability } = run.losses
    const values = quantity === 'probability' ? probability : terms.find(({ name }) => name === 'total')?.values ?? null
    if (!values) {
      const what = quantity === 'probability' ? 'no probability of its class: the classifier gives none, or nothing is hidden by its map' : 'no total loss'
      throw new MaskscopeError('usage', `Run ${run.id} (${run.method.title}) has ${what}. Choose another quantity, or take the run out of this panel.`, { subject: run.id })
    }
    const last = values[values.length - 1]!
    return {
      label: names[i]!, value: quantity === 'probability' ? probabilityText(last) : numberText(last, 2), run: run.id,
      points: iterations.map((iteration, k) => [iteration, values[k]!] as const), stroke: methodStroke(looks[i]!.look),
    }
  })
}

/** The method, and the image where the runs are of several. */
function lineNames(runs: readonly FigureRun[]): string[] {
  const labels = methodLabels(runs)
  const several = new Set(runs.map(({ image }) => image.key)).size > 1
  const methods = new Set(runs.map(({ id }) => labels.get(id)!)).size
  return runs.map((run) => (!several ? labels.get(run.id)! : methods === 1 ? run.image.name : `${labels.get(run.id)!}, ${run.image.name}`))
}

import { MaskscopeError } from '../../domain/errors.ts'
import type { Series } from '../chart.ts'
import { convergenceOf, fitnessBand, type TermOf } from '../course.ts'
import type { FigureRun } from '../figure-data.ts'
import { numberText, probabilityText } from '../numbers.ts'
import { methodStroke, pale, termStroke, totalStroke } from '../style.ts'
import { withLooks } from './grouping.ts'
import type { PanelContext } from './panel.ts'
import { methodLabels } from './run-labels.ts'

/** A line of a run's course. */
export type RunSeries = Series & { run: string }

/** What several runs can be compared by. */
export type RunQuantity = 'total' | 'probability' | 'fitness' | 'convergence'

export const termOf = ({ losses }: FigureRun): TermOf => (name) => losses.terms.find((term) => term.name === name)?.values


/** Every term of every run. @throws MaskscopeError 'usage' for a run without any */
export function termSeries(runs: readonly FigureRun[], context: PanelContext): RunSeries[] {
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

/** One quantity of every run; of fitness its median. @throws MaskscopeError 'usage' for a run without it */
export function runSeries(runs: readonly FigureRun[], quantity: RunQuantity, context: PanelContext): RunSeries[] {
  const names = lineNames(runs)
  const looks = withLooks(runs.map((run) => ({ label: run.id, runs: [run], look: context.facts.methods.indexOf(run.method.id) })), context.facts.methods.length)
  return runs.map((run, i): RunSeries => {
    const values = valuesOf(run, quantity)
    if (!values) throw new MaskscopeError('usage', `Run ${run.id} (${run.method.title}) has ${missing[quantity]}. Choose another quantity, or take the run out of this panel.`, { subject: run.id })
    const last = values[values.length - 1]!
    return {
      label: quantity === 'fitness' && runs.length === 1 ? 'median' : names[i]!, value: quantity === 'probability' ? probabilityText(last) : numberText(last, 2), run: run.id,
      points: pointsOf(run, values, quantity), stroke: quantity === 'fitness' && runs.length === 1 ? termStroke(0) : methodStroke(looks[i]!.look),
    }
  })
}

/** Of each run the least and the greatest fitness of its population, pale. */
export function fitnessEnds(runs: readonly FigureRun[], medians: readonly RunSeries[]): RunSeries[] {
  return runs.flatMap((run, i) => {
    const { low, high } = fitnessBand(termOf(run))!
    return ([['least', low], ['greatest', high]] as const).map(([label, values]): RunSeries => ({
      label, value: runs.length === 1 ? numberText(values[values.length - 1]!, 2) : '', run: run.id, points: pointsOf(run, values, 'fitness'), stroke: { colour: pale(medians[i]!.stroke.colour), width: 0.35 },
    }))
  })
}

export function valuesOf(run: FigureRun, quantity: RunQuantity): readonly number[] | null {
  switch (quantity) {
    case 'probability': return run.losses.probability
    case 'total': return termOf(run)('total') ?? null
    case 'fitness': return fitnessBand(termOf(run))?.middle ?? null
    case 'convergence': return convergenceOf(termOf(run))?.values ?? null
  }
}

const missing: Record<RunQuantity, string> = {
  probability: 'no probability of its class: the classifier gives none, or nothing is hidden by its map',
  total: 'no total loss', fitness: 'no population whose fitness could be drawn', convergence: 'nothing that tells how far it has settled',
}

function pointsOf({ losses: { iterations }, masks }: FigureRun, values: readonly number[], quantity: RunQuantity): Series['points'] {
  const along = quantity === 'convergence' && masks ? masks : iterations
  return values.map((value, i) => [along[i]!, value] as const)
}

/** The method, and the image where the runs are of several. */
function lineNames(runs: readonly FigureRun[]): string[] {
  const labels = methodLabels(runs)
  const several = new Set(runs.map(({ image }) => image.key)).size > 1
  const methods = new Set(runs.map(({ id }) => labels.get(id)!)).size
  return runs.map((run) => (!several ? labels.get(run.id)! : methods === 1 ? run.image.name : `${labels.get(run.id)!}, ${run.image.name}`))
}

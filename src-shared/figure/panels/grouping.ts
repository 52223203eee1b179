import { MaskscopeError } from '../../domain/errors.ts'
import { bootstrapMean, type Interval } from '../../statistics/bootstrap.ts'
import type { FigureRun, Measured } from '../figure-data.ts'
import type { PanelContext } from './panel.ts'
import { methodLabels } from './run-labels.ts'

/** Runs that count as repetitions of one thing: of one method with the same settings. */
export interface RunGroup {
  label: string
  runs: FigureRun[]
  /** Which of the looks of methods. */
  look: number
}

/** From so many values on a mean has an interval. */
export const leastForInterval = 3

/** In the order in which they are first named. Of two groups of one method the second gets a look that none has. */
export function groupRuns(runs: readonly FigureRun[], { facts: { methods } }: PanelContext): RunGroup[] {
  const labels = methodLabels(runs)
  const groups = new Map<string, RunGroup>()
  for (const run of runs) {
    const label = labels.get(run.id)!
    const group = groups.get(label) ?? { label, runs: [], look: methods.indexOf(run.method.id) }
    group.runs.push(run)
    groups.set(label, group)
  }
  return withLooks([...groups.values()], methods.length)
}

export function withLooks(groups: readonly RunGroup[], known: number): RunGroup[] {
  const taken = new Set<number>()
  let next = known
  return groups.map((group) => {
    const look = group.look >= 0 && !taken.has(group.look) ? group.look : next++
    taken.add(look)
    return { ...group, look }
  })
}

/** @throws MaskscopeError 'usage' where the run was not measured */
export function measuredOf(run: FigureRun, metric: string, title: string): Measured {
  const found = run.metrics.find((one) => one.metric === metric)
  if (!found) {
    throw new MaskscopeError('usage', `${title} was not measured for run ${run.id}. Measure it in the Explain view, or take the run out of this panel.`, { subject: run.id })
  }
  return found
}

/** The mean, and from three values on its 95% bootstrap interval (of the seed 0, so that a figure is always the same). */
export function meanOf(values: readonly number[]): Interval {
  const finite = values.filter(Number.isFinite)
  if (finite.length === 0) return { mean: Number.NaN, low: Number.NaN, high: Number.NaN }
  const mean = finite.reduce((sum, value) => sum + value, 0) / finite.length
  if (finite.length < leastForInterval) return { mean, low: Number.NaN, high: Number.NaN }
  return bootstrapMean(finite, { seed: 0, resamples: 2000 })
}

/** E.g. "n = 1", "n = 3 to 5". */
export function countText(groups: readonly { runs: readonly unknown[] }[]): string {
  const counts = groups.map(({ runs }) => runs.length)
  const least = Math.min(...counts)
  const most = Math.max(...counts)
  return least === most ? `n\u00a0=\u00a0${least}` : `n\u00a0=\u00a0${least} to ${most}`
}

export function betterText(better: 'higher' | 'lower' | null): string {
  return better === null ? '' : `${better} is better`
}

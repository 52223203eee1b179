import type { Parameter } from '#shared/domain/parameters.ts'

/** Of the steps, before the best starts go on alone. */
const contestShare = 0.2

/** First step without the starts that are given up; 0 where there is nothing to choose from. */
export function contestEnd({ starts, iterations }: { starts: number; iterations: number }): number {
  return starts > 1 ? Math.floor(contestShare * iterations) : 0
}

/** What a run with so many starts costs, as a multiple of one with a single start. */
export function contestCost(starts: number): number {
  return 1 + (starts - 1) * contestShare
}

/**
 * Random starts of one optimisation, of which the best go on. From some starts a mask settles where something else can be cut into
 * the shape of the class, or where nothing is shown; its loss stays above that of masks that found the object.
 */
export interface Contest<Trial> {
  /** @param loss of the trial at this step */
  note(trial: Trial, iteration: number, loss: number): void
  /** Those with the lowest mean loss over the second half of the contest, in the order in which they were given. */
  best(trials: readonly Trial[], count: number): Trial[]
}

export function createContest<Trial>(end: number): Contest<Trial> {
  const sums = new Map<Trial, number>()
  return {
    note(trial, iteration, loss) {
      // Of a contest of one step that step counts.
      if (iteration >= Math.min(end / 2, end - 1) && iteration < end) sums.set(trial, (sums.get(trial) ?? 0) + loss)
    },
    best(trials, count) {
      const left = new Set([...trials].sort((a, b) => (sums.get(a) ?? 0) - (sums.get(b) ?? 0)).slice(0, count))
      return trials.filter((trial) => left.has(trial))
    },
  }
}

export const startsParameter: Parameter = {
  type: 'number', name: 'starts', label: 'Starts', group: 'Averaging',
  help: 'So many random starts for each restart compete for a fifth of the steps; those with the lowest loss go on.',
  default: 3, min: 1, max: 16, step: 1, integer: true,
}

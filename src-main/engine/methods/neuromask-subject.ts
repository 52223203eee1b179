import type { MapData } from '#shared/domain/image.ts'
import type { Evaluations, Explanation } from '#shared/domain/run.ts'
import { contestEnd, createContest, type Contest } from './masks/contest.ts'
import { alongEdges, createEdgeFollowing, type EdgeFollowing } from './masks/edges.ts'
import type { NeuroMaskSettings } from './neuromask-parameters.ts'
import { createTrial, type Trial, type TrialPlan } from './neuromask-trial.ts'

/** One image of the batch on its way. */
export interface Subject {
  index: number
  image: Float32Array
  target: number
  seed: number
  trials: Trial[]
  /** Between the starts, of which only the best go on. */
  contest: Contest<Trial>
  original: number
  evaluations: Evaluations
  /** Totals since the start or the last change, for the plateau. */
  totals: number[]
  /** Sum of the v to be averaged, over steps and restarts, and their number. */
  sum: Float64Array
  summed: number
  /** First iteration of the averaged part, and the last of all. */
  averageFrom: number
  last: number
  /** Where early stopping found the plateau. */
  stoppedAt: number | null
  /** Whether the classifier ever gave a gradient other than zero. */
  reacted: boolean
  result: Explanation | null
  edges: EdgeFollowing | null
}

export interface SubjectFacts {
  index: number
  image: Float32Array
  target: number
  seed: number
  /** Probability of the target in the clean image. */
  original: number
}

export function createSubject(plan: TrialPlan, { index, image, target, seed, original }: SubjectFacts): Subject {
  const { settings, parametrisation } = plan
  return {
    index, image, target, seed, original,
    trials: Array.from({ length: settings.restarts * settings.starts }, (_, r) => createTrial(plan, image, target, seed, r)),
    contest: createContest(contestEnd(settings)),
    evaluations: { forward: 1, backward: 0 },
    totals: [],
    sum: new Float64Array(parametrisation.height * parametrisation.width),
    summed: 0,
    averageFrom: averageStart(settings),
    last: settings.iterations,
    stoppedAt: null,
    reacted: false,
    result: null,
    edges: createEdgeFollowing(plan.frame, image, settings.edges),
  }
}

/** First iteration of the averaged part of a run that is not stopped early. */
function averageStart(settings: NeuroMaskSettings): number {
  const { iterations, averaging } = settings
  return Math.max(contestEnd(settings), iterations - Math.max(0, Math.ceil(averaging * iterations) - 1))
}

/** Where the contest is over only the best starts go on. */
export function endContest(subject: Subject, settings: NeuroMaskSettings, iteration: number): void {
  if (iteration !== contestEnd(settings) || subject.trials.length === settings.restarts) return
  subject.trials = subject.contest.best(subject.trials, settings.restarts)
  // The mean over other trials is another loss.
  subject.totals = []
}

/**
 * The settings have changed: what was seen under the old ones counts neither for the plateau, whose watch begins again, nor
 * for the average, which would mix two objectives.
 */
export function beginAnew(subject: Subject, settings: NeuroMaskSettings): void {
  subject.totals = []
  subject.sum.fill(0)
  subject.summed = 0
  subject.averageFrom = averageStart(settings)
  subject.last = settings.iterations
  subject.stoppedAt = null
}

/**
 * A plateau: the mean loss of the last `patience` steps is not below that of as many before by `tolerance`. The averaged
 * part of the run then begins at once, in the same proportion as without stopping.
 */
export function watchPlateau(subject: Subject, settings: NeuroMaskSettings, iteration: number): void {
  const { iterations, patience, tolerance, averaging } = settings
  if (subject.stoppedAt !== null || iteration < contestEnd(settings) || iteration >= subject.averageFrom || subject.totals.length < 2 * patience) return
  const mean = (from: number, to: number): number =>
    subject.totals.slice(from, to).reduce((sum, total) => sum + total, 0) / patience
  const before = mean(-2 * patience, -patience)
  const now = mean(-patience, subject.totals.length)
  if (before - now > tolerance * Math.abs(before)) return
  subject.stoppedAt = iteration
  subject.averageFrom = iteration
  subject.last = Math.min(iterations, iteration + Math.ceil((iteration * averaging) / (1 - averaging)))
}

/** Takes the step's v into the average. */
export function collect(subject: Subject): void {
  for (const trial of subject.trials) {
    for (let i = 0; i < subject.sum.length; i++) subject.sum[i]! += trial.smoothed[i]!
    subject.summed++
  }
}

/** The mask as it stands: restarts averaged before the sigmoid. */
export function currentMask(plan: TrialPlan, subject: Subject): MapData {
  const { height, width, squash } = plan.parametrisation
  const v = new Float32Array(height * width)
  for (const trial of subject.trials) {
    for (let i = 0; i < v.length; i++) v[i]! += trial.smoothed[i]! / subject.trials.length
  }
  return alongEdges(subject.edges, { height, width, data: squash(v) })
}

import type { MapData } from '#shared/domain/image.ts'
import type { Evaluations } from '#shared/domain/run.ts'
import { upsample } from '#shared/imaging/interpolation.ts'
import { contestEnd, createContest, type Contest } from '../masks/contest.ts'
import { alongEdges, createEdgeFollowing, type EdgeFollowing } from '../masks/edges.ts'
import { composeMap } from './map.ts'
import type { Aim } from './objective.ts'
import { readSensitivity, type SensitivityMaps } from './sensitivity.ts'
import { createTrial, stageStart, type Plan, type Trial } from './trial.ts'

/** One image of the batch on its way. */
export interface Subject {
  index: number
  image: Float32Array
  aim: Aim
  seed: number
  trials: Trial[]
  /** Between the starts, of which only the best go on. */
  contest: Contest<Trial>
  /** Of the clean image, NaN where the outputs are no probabilities. */
  original: number
  evaluations: Evaluations
  /** Sum of the v to be averaged, over steps and restarts, and their number. */
  sum: Float64Array
  summed: number
  /** Whether the classifier ever answered differently to different masks. */
  reacted: boolean
  edges: EdgeFollowing | null
}

export type SubjectFacts = Pick<Subject, 'index' | 'image' | 'aim' | 'seed' | 'original'>

export function createSubject(plan: Plan, facts: SubjectFacts): Subject {
  const { height, width } = plan.parametrisations.at(-1)!
  return {
    ...facts,
    trials: Array.from({ length: plan.settings.restarts * plan.settings.starts }, (_, r) => createTrial(plan, facts.image, facts.aim, facts.original, facts.seed, r)),
    contest: createContest(contestEnd(plan.settings)),
    evaluations: { forward: 1, backward: 0 },
    sum: new Float64Array(height * width),
    summed: 0,
    reacted: false,
    edges: createEdgeFollowing(plan.frame, facts.image, plan.settings.edges),
  }
}

/** First iteration of the averaged part, which lies in the last stage and after the contest. */
export function averageStart(plan: Plan): number {
  const { iterations, averaging, stages } = plan.settings
  return Math.max(stageStart(plan, stages - 1), contestEnd(plan.settings), iterations - Math.max(0, Math.ceil(averaging * iterations) - 1))
}

/** Where the contest is over only the best starts go on. */
export function endContest(subject: Subject, { settings }: Plan, iteration: number): void {
  if (iteration === contestEnd(settings)) subject.trials = subject.contest.best(subject.trials, settings.restarts)
}

/** The settings have changed: the average would mix two objectives. */
export function beginAnew(subject: Subject): void {
  subject.sum.fill(0)
  subject.summed = 0
}

/** Takes the step's v into the average. */
export function collect(subject: Subject): void {
  for (const trial of subject.trials) {
    trial.smoothed().forEach((value, i) => (subject.sum[i]! += value))
    subject.summed++
  }
}

/** s and its error as all restarts saw them, at the resolution of the stage. */
export function sensitivityOf(subject: Subject): SensitivityMaps {
  return readSensitivity(subject.trials.map(({ sensitivity }) => sensitivity.sums))
}

export function pixelsPerCell({ frame, parametrisations }: Plan): number {
  const { height, width } = parametrisations.at(-1)!
  return Math.min(frame.height, frame.width) / Math.min(height, width)
}

/** The map as it stands, at the resolution of the finished one: restarts averaged before the sigmoid. */
export function currentMap(plan: Plan, subject: Subject): MapData {
  const parametrisation = plan.parametrisations[subject.trials[0]!.stage]!
  const { height, width } = parametrisation
  const v = new Float32Array(height * width)
  for (const trial of subject.trials) trial.smoothed().forEach((value, i) => (v[i]! += value / subject.trials.length))
  const { own } = composeMap(plan.settings, parametrisation, v, sensitivityOf(subject).sensitivity, pixelsPerCell(plan))
  const last = plan.parametrisations.at(-1)!
  return alongEdges(subject.edges, upsample({ height, width, data: own }, last.height, last.width))
}

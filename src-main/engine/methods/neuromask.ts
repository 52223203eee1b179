import { MaskscopeError } from '#shared/domain/errors.ts'
import type { MapData } from '#shared/domain/image.ts'
import { storedIterations, type Explanation } from '#shared/domain/run.ts'
import type { Score } from '#shared/domain/score.ts'
import type { Classifier } from '../classifier/classifier.ts'
import { checkCancelled } from './common/cancelled.ts'
import { inDeleteMode } from './common/parameters.ts'
import { classifyAll, imagesPerCall, splitRows } from './masks/calls.ts'
import type { Frame } from './masks/compose.ts'
import { fillNames } from './masks/fills.ts'
import { createParametrisation } from './masks/parametrisation.ts'
import { logProbabilities, requireProbabilities } from './masks/prediction.ts'
import { sidesOf } from './masks/sides.ts'
import type { BaselineTask, ExplainTask, Method, Step } from './method.ts'
import { finish, judgingFill } from './neuromask-finish.ts'
import { neuroMaskSchema, readSettings } from './neuromask-parameters.ts'
import { beginAnew, collect, createSubject, currentMask, endContest, watchPlateau, type Subject } from './neuromask-subject.ts'
import { changePlan, createPlan, type Losses, type TrialPlan } from './neuromask-trial.ts'

/**
 * NeuroMask: a mask m = σ(w/T) is optimised so that the masked image keeps its class while w is drawn to a low
 * background level and kept smooth: λp·CE + λs·mean|w + L| + λd·mean((K∗w)²).
 */
export const neuromask: Method = {
  id: 'neuromask',
  title: 'NeuroMask',
  citation:
    'M. Alzantot, A. Widdicombe, S. Julier, M. Srivastava: NeuroMask: Explaining Predictions of Deep Neural Networks ' +
    'through Mask Learning. IEEE SMARTCOMP 2019.',
  access: 'gradient',
  family: 'mask',
  deletes: inDeleteMode,
  ...neuroMaskSchema,
  explain,
  baseline,
}

/** As the finished mask is judged: of a drawn fill the first of its drawings. */
function baseline({ image, parameters, seed, ...frame }: BaselineTask): { picture: Float32Array; name: string } {
  const settings = readSettings(parameters)
  const { height, width, channels } = frame
  const fill = judgingFill(settings, { height, width, channels }, image, seed)
  return { picture: fill.next().slice(), name: fillNames[settings.fill] }
}

async function* explain(task: ExplainTask): AsyncGenerator<Step, Explanation[], void> {
  const { classifier, images, signal } = task
  const settings = readSettings(task.parameters)
  requireProbabilities(classifier.info, 'NeuroMask')
  const frame: Frame = { height: images.height, width: images.width, channels: images.channels }
  const parametrisation = createParametrisation(frame, settings.resolution, settings.smoothing, settings.temperature)
  if (Math.min(parametrisation.height, parametrisation.width) < settings.kernel) {
    throw new MaskscopeError(
      'usage',
      `Parameter resolution gives a mask of ${parametrisation.height}×${parametrisation.width} cells, too small for the ${settings.kernel}×${settings.kernel} smoothness kernel; raise it.`,
      { subject: 'resolution' },
    )
  }
  const plan = createPlan(frame, classifier.info.head, settings, parametrisation)
  const size = frame.height * frame.width * frame.channels
  const sides = sidesOf(settings.mode)
  const { iterations } = settings
  const stored = new Set(storedIterations(iterations))
  let parameters = task.parameters

  checkCancelled(signal)
  const clean = await classifyAll(classifier, frame, images.data, images.count)
  const subjects = Array.from({ length: images.count }, (_, index) => {
    const target = task.targets[index]!
    return createSubject(plan, {
      index, target,
      image: images.data.subarray(index * size, (index + 1) * size),
      seed: task.seeds[index]!,
      original: Math.exp(logProbabilities(clean[index]!, target, classifier.info.head).hit),
    })
  })

  for (let iteration = 0; iteration <= iterations; iteration++) {
    checkCancelled(signal)
    const change = await task.steer?.(iteration)
    if (change) {
      parameters = { ...parameters, ...change }
      changePlan(plan, readSettings(parameters))
      for (const subject of subjects) beginAnew(subject, plan.settings)
    }
    for (const subject of subjects) endContest(subject, plan.settings, iteration)
    for (const subject of subjects) if (plan.settings.earlyStopping) watchPlateau(subject, plan.settings, iteration)
    const active = subjects.filter((subject) => subject.result === null && iteration < subject.last)
    const ending = subjects.filter((subject) => subject.result === null && iteration === subject.last)

    const steps = await step(classifier, plan, active, iteration, sides.length)
    for (const [k, subject] of active.entries()) {
      const losses = steps[k]!
      checkFinite(losses, iteration)
      subject.totals.push(losses.total)
      if (iteration >= subject.averageFrom) collect(subject)
      const look = (): MapData => currentMask(plan, subject)
      yield { ...news(subject, iteration, losses), ...(stored.has(iteration) ? { frame: look() } : { look }) }
    }
    for (const subject of ending) {
      for (const trial of subject.trials) trial.smoothed = plan.parametrisation.smooth(trial.weights)
      collect(subject)
      const { losses, explanation } = await finish(classifier, plan, subject, iteration)
      checkFinite(losses, iteration)
      subject.result = explanation
      yield { ...news(subject, iteration, losses), frame: explanation.own }
    }
    if (subjects.every((subject) => subject.result !== null)) break
  }
  return subjects.map((subject) => subject.result!)

  function news(subject: Subject, iteration: number, losses: Losses): Step {
    const { probability, ...terms } = losses
    return { image: subject.index, iteration, iterations, losses: terms, probability, evaluations: { ...subject.evaluations } }
  }
}

function checkFinite(losses: Losses, iteration: number): void {
  if (Number.isFinite(losses.total)) return
  throw new MaskscopeError(
    'run',
    `The loss is no longer a number at iteration ${iteration}: the optimisation diverged. Lower the learning rate or the weights of the loss.`,
    { subject: 'learning-rate' },
  )
}

/** One step of every trial of the given subjects; the losses are means over a subject's trials. */
async function step(classifier: Classifier, plan: TrialPlan, subjects: Subject[], iteration: number, sides: number): Promise<Losses[]> {
  const { frame } = plan
  const size = frame.height * frame.width * frame.channels
  const jobs = subjects.flatMap((subject) => subject.trials.map((trial) => ({ subject, trial })))
  const losses = new Map<Subject, Losses[]>()
  const chunk = Math.max(1, Math.floor(imagesPerCall(frame) / sides))
  for (let from = 0; from < jobs.length; from += chunk) {
    const part = jobs.slice(from, from + chunk)
    const data = plan.batch(part.length * sides * size)
    const scores: Score[] = []
    part.forEach(({ trial }, k) => {
      trial.compose(data.subarray(k * sides * size, (k + 1) * sides * size))
      scores.push(...trial.scores)
    })
    const answer = await classifier.scoreGradient({ ...frame, count: part.length * sides, data }, scores)
    const rows = splitRows(answer.logits, part.length * sides)
    part.forEach(({ subject, trial }, k) => {
      const gradient = answer.gradient.subarray(k * sides * size, (k + 1) * sides * size)
      const result = trial.learn(rows.slice(k * sides, (k + 1) * sides), gradient)
      subject.contest.note(trial, iteration, result.total)
      subject.reacted ||= holdsNonZero(gradient)
      losses.set(subject, [...(losses.get(subject) ?? []), result])
      subject.evaluations.forward += sides
      subject.evaluations.backward += sides
    })
  }
  return subjects.map((subject) => meanLosses(losses.get(subject)!))
}

function holdsNonZero(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) return true
  return false
}

function meanLosses(all: readonly Losses[]): Losses {
  const mean = (name: keyof Losses): number => all.reduce((sum, losses) => sum + losses[name], 0) / all.length
  return {
    prediction: mean('prediction'), sparsity: mean('sparsity'), smoothness: mean('smoothness'), total: mean('total'),
    probability: mean('probability'),
  }
}

import { MaskscopeError } from '#shared/domain/errors.ts'
import type { MapData } from '#shared/domain/image.ts'
import { storedIterations, type Explanation } from '#shared/domain/run.ts'
import type { Score } from '#shared/domain/score.ts'
import type { Classifier } from '../classifier/classifier.ts'
import { checkScores } from '../classifier/scores.ts'
import { checkCancelled } from './common/cancelled.ts'
import { inDeleteMode } from './common/parameters.ts'
import { classifyAll, imagesPerCall, splitRows } from './masks/calls.ts'
import type { Frame } from './masks/compose.ts'
import { fillNames } from './masks/fills.ts'
import type { BaselineTask, ExplainTask, Method, Step } from './method.ts'
import { finish } from './sensitivity-mask/finish.ts'
import { probabilityOf, type Aim } from './sensitivity-mask/objective.ts'
import { sensitivityMaskSchema } from './sensitivity-mask/parameters.ts'
import { meanLosses, type Losses } from './sensitivity-mask/probe.ts'
import { readSettings, type SensitivityMaskSettings } from './sensitivity-mask/settings.ts'
import { averageStart, beginAnew, collect, createSubject, currentMap, endContest, type Subject } from './sensitivity-mask/subject.ts'
import { createPlan, fillFor, type Plan, type Trial } from './sensitivity-mask/trial.ts'

/**
 * Our reading of the sensitivity-weighted mask: a mask m = σ(G∗u) is optimised so that the masked image keeps its score while
 * its area and variation are kept small, λa·Σπm/Σπ + λv·(mean|∂x m| + mean|∂y m|); the sensitivity of the score to each cell is
 * measured on the way. With the access `query` no gradient of the classifier is ever asked for.
 */
export const sensitivityMask: Method = {
  id: 'sensitivity-mask',
  title: 'Sensitivity-weighted mask (our reading)',
  citation:
    'S. Thakur, S. Fischmeister: A Generalizable Saliency Map-Based Interpretation of Model Outcome. arXiv:2006.09504, 2020. Its abstract, in our reading.',
  access: 'query',
  family: 'mask',
  deletes: inDeleteMode,
  ...sensitivityMaskSchema,
  whyNotWith: ({ access }, info) => (access === 'gradient' && info.access !== 'gradient' ? noGradients(info.name) : null),
  explain,
  baseline,
}

/** As the finished mask is judged: of a drawn fill the first of its drawings. */
function baseline({ image, parameters, seed, ...frame }: BaselineTask): { picture: Float32Array; name: string } {
  const { height, width, channels } = frame
  const settings = readSettings(parameters, frame)
  const fill = fillFor(settings, { height, width, channels }, image, seed, settings.fill === 'drawn' ? 'judge' : 'fill', 0)
  return { picture: fill.next().slice(), name: fillNames[settings.fill] }
}

async function* explain(task: ExplainTask): AsyncGenerator<Step, Explanation[], void> {
  const { classifier, images, signal } = task
  const frame: Frame = { height: images.height, width: images.width, channels: images.channels }
  const plan = createPlan(frame, readSettings(task.parameters, frame))
  const { iterations } = plan.settings
  checkAccess(classifier, plan.settings)
  checkScores(task.targets.map((target) => ({ kind: plan.settings.score, target })), classifier.info.classes, classifier.info.head)
  const size = frame.height * frame.width * frame.channels
  const stored = new Set(storedIterations(iterations))
  let parameters = task.parameters

  checkCancelled(signal)
  const clean = await classifyAll(classifier, frame, images.data, images.count)
  const subjects = Array.from({ length: images.count }, (_, index) => {
    const aim: Aim = { target: task.targets[index]!, head: classifier.info.head, kind: plan.settings.score, cap: plan.settings.scoreCap }
    const image = images.data.subarray(index * size, (index + 1) * size)
    return createSubject(plan, { index, image, aim, seed: task.seeds[index]!, original: probabilityOf(clean[index]!, aim) })
  })

  for (let iteration = 0; iteration < iterations; iteration++) {
    checkCancelled(signal)
    const change = await task.steer?.(iteration)
    if (change) {
      parameters = { ...parameters, ...change }
      plan.settings = readSettings(parameters, frame)
      subjects.forEach(beginAnew)
    }
    for (const subject of subjects) endContest(subject, plan, iteration)
    for (const { trials } of subjects) for (const trial of trials) trial.begin(iteration)
    if (iteration >= averageStart(plan)) subjects.forEach(collect)
    const before = new Map(subjects.map((subject) => [subject, stored.has(iteration) ? currentMap(plan, subject) : null]))
    const losses = await step(classifier, plan, subjects, iteration, signal)
    for (const [k, subject] of subjects.entries()) {
      checkFinite(losses[k]!, iteration)
      const frameOfStep = before.get(subject)
      yield { ...news(subject, iteration, losses[k]!), ...(frameOfStep ? { frame: frameOfStep } : { look: (): MapData => currentMap(plan, subject) }) }
    }
  }

  checkCancelled(signal)
  const explanations: Explanation[] = []
  for (const subject of subjects) {
    collect(subject)
    const { losses, explanation } = await finish(classifier, plan, subject)
    checkFinite(losses, iterations)
    explanations.push(explanation)
    yield { ...news(subject, iterations, losses), frame: explanation.own }
  }
  return explanations

  function news(subject: Subject, iteration: number, { probability, ...terms }: Losses): Step {
    return { image: subject.index, iteration, iterations, losses: terms, probability, evaluations: { ...subject.evaluations } }
  }
}

function checkAccess({ info }: Classifier, { access }: SensitivityMaskSettings): void {
  if (access === 'query' || info.access === 'gradient') return
  throw new MaskscopeError('unavailable', noGradients(info.name), { subject: 'access' })
}

function noGradients(model: string): string {
  return `The model ${model} gives no gradients; set access to query, which needs outputs alone.`
}

function checkFinite(losses: Losses, iteration: number): void {
  if (Number.isFinite(losses.total)) return
  throw new MaskscopeError(
    'run',
    `The loss is no longer a number at iteration ${iteration}: the optimisation diverged. Lower the learning rate or the weights of the loss.`,
    { subject: 'learning-rate' },
  )
}

/** One step of every trial of the given subjects, as many together as go through in one call; the losses are means over a subject's trials. */
async function step(classifier: Classifier, plan: Plan, subjects: readonly Subject[], iteration: number, signal: AbortSignal): Promise<Losses[]> {
  const jobs = subjects.flatMap((subject) => subject.trials.map((trial) => ({ subject, trial })))
  const losses = new Map<Subject, Losses[]>(subjects.map((subject) => [subject, []]))
  const chunk = Math.max(1, Math.floor(imagesPerCall(plan.frame) / jobs[0]!.trial.probe.images))
  for (let from = 0; from < jobs.length; from += chunk) {
    checkCancelled(signal)
    const part = jobs.slice(from, from + chunk)
    const answers = await ask(classifier, plan.frame, part.map(({ trial }) => trial))
    part.forEach(({ subject, trial }, k) => {
      const result = trial.learn(answers[k]!.rows, answers[k]!.gradients)
      subject.contest.note(trial, iteration, result.losses.total)
      subject.reacted ||= result.reacted
      subject.evaluations.forward += trial.probe.images
      if (trial.probe.scores) subject.evaluations.backward += trial.probe.images
      losses.get(subject)!.push(result.losses)
    })
  }
  return subjects.map((subject) => meanLosses(losses.get(subject)!))
}

/** What the classifier answers to the masked images of some trials: logits, and gradients only where a probe wants them. */
async function ask(classifier: Classifier, frame: Frame, trials: readonly Trial[]): Promise<{ rows: Float32Array[]; gradients: Float32Array | null }[]> {
  const size = frame.height * frame.width * frame.channels
  const each = trials[0]!.probe.images
  const count = each * trials.length
  const data = new Float32Array(count * size)
  const scores: Score[] = []
  trials.forEach((trial, k) => {
    trial.compose(data.subarray(k * each * size, (k + 1) * each * size))
    scores.push(...(trial.probe.scores ?? []))
  })
  const answer = scores.length === 0 ? null : await classifier.scoreGradient({ ...frame, count, data }, scores)
  const rows = answer ? splitRows(answer.logits, count) : await classifyAll(classifier, frame, data, count)
  return trials.map((_, k) => ({
    rows: rows.slice(k * each, (k + 1) * each),
    gradients: answer ? answer.gradient.subarray(k * each * size, (k + 1) * each * size) : null,
  }))
}

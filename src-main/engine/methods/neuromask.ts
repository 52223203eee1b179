import { MaskscopeError } from '#shared/domain/errors.ts'
import type { MapData } from '#shared/domain/image.ts'
import { storedIterations, type Evaluations, type Explanation, type Progress } from '#shared/domain/run.ts'
import type { Score } from '#shared/domain/score.ts'
import { createRandom } from '#shared/random/random.ts'
import type { Classifier } from '../classifier/classifier.ts'
import { compose, inPlace, type Frame } from './masks/compose.ts'
import { createFill } from './masks/fills.ts'
import { createParametrisation } from './masks/parametrisation.ts'
import { logProbabilities, requireProbabilities } from './masks/prediction.ts'
import type { ExplainTask, Method } from './method.ts'
import { neuroMaskSchema, readSettings } from './neuromask-parameters.ts'
import {
  createPlan, createTrial, predictionLoss, regularise, sidesOf, type Losses, type Trial, type TrialPlan,
} from './neuromask-trial.ts'

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
  ...neuroMaskSchema,
  explain,
}

/** How many seeded fills the finished mask is judged under, where the fill is drawn per step. */
const finalDraws = 8

/** One image of the batch on its way. */
interface Subject {
  index: number
  image: Float32Array
  target: number
  seed: number
  trials: Trial[]
  original: number
  evaluations: Evaluations
  /** Totals so far, for the plateau. */
  totals: number[]
  /** Sum of the v to be averaged, over steps and restarts, and their number. */
  sum: Float64Array
  summed: number
  /** First iteration of the averaged part, and the last of all. */
  averageFrom: number
  last: number
  stoppedAt: number | null
  /** Whether the classifier ever gave a gradient other than zero. */
  reacted: boolean
  result: Explanation | null
}

async function* explain(task: ExplainTask): AsyncGenerator<Progress, Explanation[], void> {
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
  const averageFrom = iterations - Math.max(0, Math.ceil(settings.averaging * iterations) - 1)

  checkCancelled(signal)
  const clean = await classifyAll(classifier, frame, images.data, images.count)
  const subjects = Array.from({ length: images.count }, (_, index): Subject => {
    const image = images.data.subarray(index * size, (index + 1) * size)
    const target = task.targets[index]!
    const seed = task.seeds[index]!
    return {
      index, image, target, seed, averageFrom,
      trials: Array.from({ length: settings.restarts }, (_, r) => createTrial(plan, image, target, seed, r)),
      original: Math.exp(logProbabilities(clean[index]!, target, classifier.info.head).hit),
      evaluations: { forward: 1, backward: 0 },
      totals: [],
      sum: new Float64Array(parametrisation.height * parametrisation.width),
      summed: 0,
      last: iterations,
      stoppedAt: null,
      reacted: false,
      result: null,
    }
  })

  for (let iteration = 0; iteration <= iterations; iteration++) {
    checkCancelled(signal)
    for (const subject of subjects) if (settings.earlyStopping) watchPlateau(subject, iteration)
    const active = subjects.filter((subject) => subject.result === null && iteration < subject.last)
    const ending = subjects.filter((subject) => subject.result === null && iteration === subject.last)

    const steps = await step(classifier, plan, active, sides.length)
    for (const [k, subject] of active.entries()) {
      const losses = steps[k]!
      checkFinite(losses, iteration)
      subject.totals.push(losses.total)
      if (iteration >= subject.averageFrom) collect(subject)
      yield progress(subject, iteration, losses, stored.has(iteration) ? currentMask(plan, subject) : undefined)
    }
    for (const subject of ending) {
      for (const trial of subject.trials) trial.smoothed = parametrisation.smooth(trial.weights)
      collect(subject)
      const { losses, explanation } = await finish(classifier, plan, subject, iteration)
      checkFinite(losses, iteration)
      subject.result = explanation
      yield progress(subject, iteration, losses, explanation.own)
    }
    if (subjects.every((subject) => subject.result !== null)) break
  }
  return subjects.map((subject) => subject.result!)

  function progress(subject: Subject, iteration: number, losses: Losses, mask: MapData | undefined): Progress {
    const { probability, ...terms } = losses
    const news: Progress = { image: subject.index, iteration, iterations, losses: terms, probability }
    if (mask !== undefined) news.frame = mask
    return news
  }

  /**
   * A plateau: the mean loss of the last `patience` steps is not below that of as many before by `tolerance`. The averaged
   * part of the run then begins at once, in the same proportion as without stopping.
   */
  function watchPlateau(subject: Subject, iteration: number): void {
    const { patience, tolerance, averaging } = settings
    if (subject.stoppedAt !== null || iteration >= subject.averageFrom || subject.totals.length < 2 * patience) return
    const mean = (from: number, to: number): number =>
      subject.totals.slice(from, to).reduce((sum, total) => sum + total, 0) / patience
    const before = mean(-2 * patience, -patience)
    const now = mean(-patience, subject.totals.length)
    if (before - now > tolerance * Math.abs(before)) return
    subject.stoppedAt = iteration
    subject.averageFrom = iteration
    subject.last = Math.min(iterations, iteration + Math.ceil((iteration * averaging) / (1 - averaging)))
  }
}

function checkCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw new MaskscopeError('cancelled', 'The run was cancelled.')
}

function checkFinite(losses: Losses, iteration: number): void {
  if (Number.isFinite(losses.total)) return
  throw new MaskscopeError(
    'run',
    `The loss is no longer a number at iteration ${iteration}: the optimisation diverged. Lower the learning rate or the weights of the loss.`,
    { subject: 'learning-rate' },
  )
}

function collect(subject: Subject): void {
  for (const trial of subject.trials) {
    for (let i = 0; i < subject.sum.length; i++) subject.sum[i]! += trial.smoothed[i]!
    subject.summed++
  }
}

/** Most pixels that go through the classifier in one call: eight images at 224², which keeps a gradient below about 1 GB. */
const pixelsPerCall = 8 * 224 * 224

function imagesPerCall(frame: Frame): number {
  return Math.max(1, Math.floor(pixelsPerCall / (frame.height * frame.width)))
}

/** One step of every trial of the given subjects; the losses are means over a subject's restarts. */
async function step(classifier: Classifier, plan: TrialPlan, subjects: Subject[], sides: number): Promise<Losses[]> {
  const { frame } = plan
  const size = frame.height * frame.width * frame.channels
  const jobs = subjects.flatMap((subject) => subject.trials.map((trial) => ({ subject, trial })))
  const losses = new Map<Subject, Losses[]>()
  const chunk = Math.max(1, Math.floor(imagesPerCall(frame) / sides))
  for (let from = 0; from < jobs.length; from += chunk) {
    const part = jobs.slice(from, from + chunk)
    const data = new Float32Array(part.length * sides * size)
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

/** The mask as it stands: restarts averaged before the sigmoid. */
function currentMask(plan: TrialPlan, subject: Subject): MapData {
  const { height, width, squash } = plan.parametrisation
  const v = new Float32Array(height * width)
  for (const trial of subject.trials) {
    for (let i = 0; i < v.length; i++) v[i]! += trial.smoothed[i]! / subject.trials.length
  }
  return { height, width, data: squash(v) }
}

/** The finished mask, judged under the fill it was optimised with, in place and without noise. */
async function finish(
  classifier: Classifier, plan: TrialPlan, subject: Subject, iteration: number,
): Promise<{ losses: Losses; explanation: Explanation }> {
  const { frame, head, settings, parametrisation } = plan
  const { height, width } = parametrisation
  const v = Float32Array.from(subject.sum, (sum) => sum / subject.summed)
  const own = parametrisation.squash(v)
  const mask = parametrisation.enlarge(own)
  const sides = sidesOf(settings.mode)
  const size = subject.image.length

  // Constant fills are the very ones of the trials: same stream, first restart.
  const stream = settings.fill === 'drawn' ? 'judge' : 'fill'
  const fill = createFill(settings.fill, frame, subject.image, settings.blur, createRandom(subject.seed, 'neuromask', stream, 0))
  const draws = fill.changes ? finalDraws : 1
  const data = new Float32Array(draws * sides.length * size)
  for (let d = 0; d < draws; d++) {
    const picture = fill.next()
    sides.forEach((side, k) => {
      const at = (d * sides.length + k) * size
      compose(frame, subject.image, mask, picture, side, inPlace, data.subarray(at, at + size))
    })
  }
  const rows = await classifyAll(classifier, frame, data, draws * sides.length)
  subject.evaluations.forward += rows.length
  let prediction = 0
  let probability = 0
  for (let d = 0; d < draws; d++) {
    const part = predictionLoss(sides, rows.slice(d * sides.length, (d + 1) * sides.length), subject.target, head)
    prediction += (settings.predictionWeight * part.loss) / draws
    probability += part.probability / draws
  }
  const terms = regularise(plan, v, new Float32Array(v.length))
  const losses = { prediction, ...terms, total: prediction + terms.sparsity + terms.smoothness, probability }
  const ownMap: MapData = { height, width, data: own }
  const explanation: Explanation = {
    saliency: { height: frame.height, width: frame.width, data: mask.slice() },
    own: ownMap,
    ranking: { height, width, data: v.map((value) => value / settings.temperature) },
    range: [0, 1],
    signed: false,
    score: 'log-probability',
    target: subject.target,
    probability: { original: subject.original, masked: probability },
    iterations: iteration,
    evaluations: subject.evaluations,
    notes: notesOn(plan, subject, own, iteration),
  }
  return { losses, explanation }
}

function notesOn(plan: TrialPlan, subject: Subject, own: Float32Array, iteration: number): string[] {
  const { settings } = plan
  const notes: string[] = []
  if (subject.stoppedAt !== null && iteration < settings.iterations) {
    notes.push(`Early stopping: the loss reached a plateau at iteration ${subject.stoppedAt}; the run ended at ${iteration} of ${settings.iterations}.`)
  }
  if (settings.mode === 'delete') notes.push('The masked probability is that of the image without what the mask marks.')
  if (!subject.reacted) {
    notes.push('The classifier\'s gradient was zero at every step, so the mask says nothing about it: the output does not react to the masked image (a saturated or constant score).')
  }
  let low = Infinity
  let high = -Infinity
  for (const value of own) {
    if (value < low) low = value
    if (value > high) high = value
  }
  // A settled mask still trembles by one step of the optimiser.
  if (high - low < 0.02) {
    const why =
      high < 0.5
        ? 'sparsity outweighed the prediction everywhere; lower sparsity-weight'
        : 'sparsity has not taken hold; raise sparsity-weight or iterations'
    notes.push(`The mask is constant at ${high.toFixed(3)}: ${why}.`)
  }
  return notes
}

/** Logits, one row per image, in calls of bounded size. */
async function classifyAll(classifier: Classifier, frame: Frame, data: Float32Array, count: number): Promise<Float32Array[]> {
  const size = frame.height * frame.width * frame.channels
  const chunk = imagesPerCall(frame)
  const rows: Float32Array[] = []
  for (let from = 0; from < count; from += chunk) {
    const to = Math.min(count, from + chunk)
    const logits = await classifier.logits({ ...frame, count: to - from, data: data.subarray(from * size, to * size) })
    rows.push(...splitRows(logits, to - from))
  }
  return rows
}

function splitRows(values: Float32Array, count: number): Float32Array[] {
  const width = values.length / count
  return Array.from({ length: count }, (_, i) => values.subarray(i * width, (i + 1) * width))
}

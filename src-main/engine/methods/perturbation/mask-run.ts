import { MaskscopeError } from '#shared/domain/errors.ts'
import type { MapData } from '#shared/domain/image.ts'
import { storedIterations, type Evaluations } from '#shared/domain/run.ts'
import type { Head, Score } from '#shared/domain/score.ts'
import { scoreValues } from '../../classifier/scores.ts'
import { classifyAll, imagesPerCall, splitRows } from '../masks/calls.ts'
import type { Frame } from '../masks/compose.ts'
import { logProbabilities } from '../masks/prediction.ts'
import type { ExplainTask, Step } from '../method.ts'

/** One mask that is optimised by gradients. A step is `compose`, the classifier's answer, `losses`, then `learn`. */
export interface MaskTrial {
  /** One per masked image of a step; the first one's probability is told. */
  readonly scores: readonly Score[]
  /** Writes the masked images of this step one after the other. @param still without what a step draws at random */
  compose(out: Float32Array, still: boolean): void
  /** The terms with their weights and their `total`, of what was composed last. @param scores one per masked image */
  losses(scores: Float32Array): Record<string, number>
  /** @param gradients of the scores with respect to the masked images, one after the other */
  learn(gradients: Float32Array): void
}

/** One image of the batch; its trials are told as one, by their means. */
export interface MaskSubject {
  index: number
  trials: readonly MaskTrial[]
  /** The map as it stands. */
  map(): MapData
  evaluations: Evaluations
  /** Whether the classifier ever gave a gradient other than zero. */
  reacted: boolean
  /** Of the finished mask, once the run is over. */
  probability: number
}

interface Told {
  losses: Record<string, number>
  probability: number
}

/**
 * Optimises all trials of a batch together and tells of each image; what is told at the last iteration is of the finished masks,
 * without what the steps draw at random.
 */
export async function* optimiseMasks(task: ExplainTask, frame: Frame, subjects: readonly MaskSubject[], iterations: number): AsyncGenerator<Step, void, void> {
  const stored = new Set(storedIterations(iterations))
  for (let iteration = 0; iteration <= iterations; iteration++) {
    if (task.signal.aborted) throw new MaskscopeError('cancelled', 'The run was cancelled.')
    await task.steer?.(iteration)
    const last = iteration === iterations
    const { told, learn } = await stepAll(task, frame, subjects, last)
    for (const [k, subject] of subjects.entries()) {
      const { losses, probability } = told[k]!
      checkFinite(losses, iteration)
      if (last) subject.probability = probability
      const seen = stored.has(iteration) ? { frame: subject.map() } : { look: () => subject.map() }
      yield { image: subject.index, iteration, iterations, losses, probability, evaluations: { ...subject.evaluations }, ...seen }
    }
    learn()
  }
}

async function stepAll(task: ExplainTask, frame: Frame, subjects: readonly MaskSubject[], still: boolean): Promise<{ told: Told[]; learn(): void }> {
  const { classifier } = task
  const { head } = classifier.info
  const size = frame.height * frame.width * frame.channels
  const jobs = subjects.flatMap((subject) => subject.trials.map((trial) => ({ subject, trial })))
  const told = new Map<MaskSubject, Told[]>()
  const lessons: (() => void)[] = []
  const each = jobs[0]?.trial.scores.length ?? 1
  const chunk = Math.max(1, Math.floor(imagesPerCall(frame) / each))
  for (let from = 0; from < jobs.length; from += chunk) {
    const part = jobs.slice(from, from + chunk)
    const count = part.length * each
    const data = new Float32Array(count * size)
    part.forEach(({ trial }, k) => trial.compose(data.subarray(k * each * size, (k + 1) * each * size), still))
    const scores = part.flatMap(({ trial }) => trial.scores)
    const answer = still ? null : await classifier.scoreGradient({ ...frame, count, data }, scores)
    const rows = answer ? splitRows(answer.logits, count) : await classifyAll(classifier, frame, data, count)
    const values = answer?.scores ?? Float32Array.from(rows, (row, i) => scoreValues([row], scores[i]!, head)[0]!)
    part.forEach(({ subject, trial }, k) => {
      const losses = trial.losses(values.subarray(k * each, (k + 1) * each))
      told.set(subject, [...(told.get(subject) ?? []), { losses, probability: probabilityOf(rows[k * each]!, trial.scores[0]!.target, head) }])
      subject.evaluations.forward += each
      if (!answer) return
      subject.evaluations.backward += each
      const gradient = answer.gradient.slice(k * each * size, (k + 1) * each * size)
      subject.reacted ||= gradient.some((value) => value !== 0)
      lessons.push(() => trial.learn(gradient))
    })
  }
  // What is told and shown of a step is the mask before it.
  return { told: subjects.map((subject) => meanOf(told.get(subject)!)), learn: () => lessons.forEach((lesson) => lesson()) }
}

export function probabilityOf(row: Float32Array, target: number, head: Head): number {
  return head === 'none' ? Number.NaN : Math.exp(logProbabilities(row, target, head).hit)
}

function meanOf(all: readonly Told[]): Told {
  const mean = (value: (told: Told) => number): number => all.reduce((sum, told) => sum + value(told), 0) / all.length
  const losses = Object.fromEntries(Object.keys(all[0]!.losses).map((name) => [name, mean((told) => told.losses[name]!)]))
  return { losses, probability: mean((told) => told.probability) }
}

/** @throws MaskscopeError 'run' where the loss is no longer a number */
export function checkFinite(losses: Record<string, number>, iteration: number): void {
  if (Number.isFinite(losses['total'])) return
  throw new MaskscopeError(
    'run',
    `The loss is no longer a number at iteration ${iteration}: the optimisation diverged. Lower the learning rate or the weights of the loss, or choose another score.`,
    { subject: 'learning-rate' },
  )
}

/** What a person should know of a finished mask. */
export function maskNotes(map: MapData, reacted: boolean): string[] {
  const notes: string[] = []
  if (!reacted) {
    notes.push('The classifier\'s gradient was zero at every step, so the mask says nothing about it: the output does not react to the masked image (a saturated or constant score).')
  }
  let low = Infinity
  let high = -Infinity
  for (const value of map.data) {
    if (value < low) low = value
    if (value > high) high = value
  }
  if (high - low < 0.01) notes.push(`The mask is constant at ${high.toFixed(3)}: its price and the score are out of balance; change their weights.`)
  return notes
}

import type { MapData } from '#shared/domain/image.ts'
import type { ParameterValues } from '#shared/domain/parameters.ts'
import { storedIterations, type Explanation } from '#shared/domain/run.ts'
import type { ScoreKind } from '#shared/domain/score.ts'
import { upsample } from '#shared/imaging/interpolation.ts'
import { createRandom } from '#shared/random/random.ts'
import { checkCancelled } from './common/cancelled.ts'
import { finishMap, mapBlurOf } from './common/finished-map.ts'
import { numberOf, wordOf } from './common/parameters.ts'
import { createIgosSubject, igosLoss, type IgosMasks, type IgosSubject } from './igos-plus-plus-objective.ts'
import { igosSchema } from './igos-plus-plus-parameters.ts'
import { classifyAll } from './masks/calls.ts'
import type { Frame } from './masks/compose.ts'
import { createFill, fillNames, type FillKind } from './masks/fills.ts'
import type { BaselineTask, ExplainTask, Method, Step } from './method.ts'
import { checkFinite, maskNotes, probabilityOf } from './perturbation/mask-run.ts'

/**
 * iGOS++: two masks, one to lose the class and one to keep it, alone and as their product, along integrated gradients.
 */
export const igosPlusPlus: Method = {
  id: 'igos-plus-plus',
  title: 'iGOS++',
  citation: 'S. Khorram, T. Lawson, L. Fuxin: iGOS++: Integrated Gradient Optimized Saliency by Bilateral Perturbations. ACM CHIL 2021.',
  access: 'gradient',
  family: 'mask',
  deletes: true,
  ...igosSchema,
  explain,
  baseline({ image, parameters, seed, height, width, channels }: BaselineTask) {
    return { picture: fillOf({ height, width, channels }, image, parameters, seed).slice(), name: fillNames[wordOf<FillKind>(parameters, 'fill')] }
  },
}

function fillOf(frame: Frame, image: Float32Array, parameters: ParameterValues, seed: number): Float32Array {
  const blur = (numberOf(parameters, 'fill-blur') * Math.min(frame.height, frame.width)) / 224
  return createFill(wordOf<FillKind>(parameters, 'fill'), frame, image, blur, createRandom(seed, 'igos-plus-plus', 'fill')).next()
}

async function* explain(task: ExplainTask): AsyncGenerator<Step, Explanation[], void> {
  const { images } = task
  const frame: Frame = { height: images.height, width: images.width, channels: images.channels }
  checkCancelled(task.signal)
  const clean = await classifyAll(task.classifier, frame, images.data, images.count)
  const explanations: Explanation[] = []
  for (let index = 0; index < images.count; index++) {
    const original = probabilityOf(clean[index]!, task.targets[index]!, task.classifier.info.head)
    explanations.push(yield* explainOne(task, frame, index, original))
  }
  return explanations
}

/** One image after another: the points of its paths fill the classifier's batches by themselves. */
async function* explainOne(task: ExplainTask, frame: Frame, index: number, original: number): AsyncGenerator<Step, Explanation, void> {
  const { classifier, images, parameters } = task
  const { head } = classifier.info
  const size = frame.height * frame.width * frame.channels
  const image = images.data.subarray(index * size, (index + 1) * size)
  const [seed, target] = [task.seeds[index]!, task.targets[index]!]
  const subject = createIgosSubject(frame, image, fillOf(frame, image, parameters, seed), target, parameters)
  subject.evaluations.forward++
  const { cells } = subject
  const noises = createRandom(seed, 'igos-plus-plus', 'noise')
  const ones = (): Float32Array => new Float32Array(cells.height * cells.width).fill(1)
  const masks: IgosMasks = { deletion: ones(), insertion: ones() }
  const advance = createOptimiser(task, subject, masks)
  const iterations = numberOf(parameters, 'iterations')
  const stored = new Set(storedIterations(iterations))
  const { height, width } = cells
  const map = (): MapData => {
    const data = masks.deletion.map((value, i) => 1 - value * masks.insertion[i]!)
    return finishMap({ height, width, data }, subject.frame, mapBlurOf(task.parameters, subject.frame)).own
  }
  let reacted = false

  for (let iteration = 0; ; iteration++) {
    checkCancelled(task.signal)
    await task.steer?.(iteration)
    const last = iteration === iterations
    const { losses, gradients, ends, ...answer } = await igosLoss(classifier, subject, masks, last ? null : noises, !last)
    checkFinite(losses, iteration)
    const probability = probabilityOf(ends.deletedRow, target, head)
    const seen = stored.has(iteration) ? { frame: map() } : { look: map }
    yield { image: index, iteration, iterations, losses, probability, evaluations: { ...subject.evaluations }, ...seen }
    if (last) return finish(subject, masks, map(), ends, { original, masked: probability }, iterations, reacted)
    reacted ||= answer.reacted
    await advance(gradients, iteration)
  }
}

/** Moves the masks in place. */
function createOptimiser(task: ExplainTask, subject: IgosSubject, masks: IgosMasks): (gradients: IgosMasks, iteration: number) => Promise<void> {
  const { parameters } = task
  // Gradients of means over cells fall with their number; the step makes up for it.
  const rate = (numberOf(parameters, 'learning-rate') * masks.deletion.length) / 784
  const names = ['deletion', 'insertion'] as const
  if (wordOf(parameters, 'optimiser') === 'line-search') {
    let chosen = rate
    return async (gradients) => {
      // Two trials above the last step, which is where most searches end, rather than from the first one anew.
      chosen = await searchStep(task, subject, masks, gradients, Math.min(rate, chosen / shrink ** 2))
      for (const name of names) masks[name].set(moved(masks[name], gradients[name], chosen))
    }
  }
  // Nesterov, as the authors have it: a step from the present point, then past it by a growing part of the way since the last
  // step's end, of which only the result is kept in [0, 1].
  const before = { deletion: masks.deletion.slice(), insertion: masks.insertion.slice() }
  return async (gradients, iteration) => {
    for (const name of names) {
      const mask = masks[name]
      for (let i = 0; i < mask.length; i++) {
        const next = mask[i]! - rate * gradients[name][i]!
        mask[i] = Math.min(1, Math.max(0, next + (iteration / (iteration + 3)) * (next - before[name][i]!)))
        before[name][i] = next
      }
    }
  }
}

/** What a step must gain of what the gradient promises, by how much it shrinks otherwise, and where the search ends. */
const [share, shrink, smallest] = [1e-4, 0.2, 1e-5]

/** Armijo's condition on both masks together, on the loss without noise. */
async function searchStep(task: ExplainTask, subject: IgosSubject, masks: IgosMasks, gradients: IgosMasks, first: number): Promise<number> {
  const lossOf = async (tried: IgosMasks): Promise<number> => (await igosLoss(task.classifier, subject, tried, null, false)).losses['total']!
  const base = await lossOf(masks)
  let promise = 0
  for (const value of gradients.deletion) promise += value * value
  for (const value of gradients.insertion) promise += value * value
  let step = first
  for (; step >= smallest; step *= shrink) {
    checkCancelled(task.signal)
    const tried = { deletion: moved(masks.deletion, gradients.deletion, step), insertion: moved(masks.insertion, gradients.insertion, step) }
    if ((await lossOf(tried)) <= base - step * share * promise) break
  }
  return step
}

function moved(mask: Float32Array, gradient: Float32Array, step: number): Float32Array {
  return mask.map((value, i) => Math.min(1, Math.max(0, value - step * gradient[i]!)))
}

function finish(
  { frame, cells: { height, width }, parameters, target, evaluations }: IgosSubject, masks: IgosMasks, own: MapData, ends: { deleted: number; kept: number },
  probability: Explanation['probability'], iterations: number, reacted: boolean,
): Explanation {
  const both = new Float32Array(2 * height * width)
  both.set(masks.deletion.map((value) => 1 - value))
  both.set(masks.insertion.map((value) => 1 - value), height * width)
  return {
    saliency: upsample(own, frame.height, frame.width), own, range: [0, 1], signed: false, score: wordOf<ScoreKind>(parameters, 'score'), target,
    probability, iterations, evaluations,
    notes: maskNotes(own, reacted),
    parts: [{ name: 'masks', title: 'Deletion and insertion masks', count: 2, height, width, data: both, signed: false }],
    facts: [
      { label: 'Score without the marked part', value: ends.deleted },
      { label: 'Score of the marked part alone', value: ends.kept },
    ],
  }
}

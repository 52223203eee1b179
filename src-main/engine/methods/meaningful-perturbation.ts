import type { Explanation } from '#shared/domain/run.ts'
import type { ParameterValues } from '#shared/domain/parameters.ts'
import type { ScoreKind } from '#shared/domain/score.ts'
import { createRandom } from '#shared/random/random.ts'
import { scoreValues } from '../classifier/scores.ts'
import { finishMap, mapBlurOf } from './common/finished-map.ts'
import { inDeleteMode, numberOf, wordOf } from './common/parameters.ts'
import { classifyAll } from './masks/calls.ts'
import type { Frame } from './masks/compose.ts'
import { createFill, fillNames, type FillKind } from './masks/fills.ts'
import { meaningfulPerturbationSchema } from './meaningful-perturbation-parameters.ts'
import { createPerturbationPlan, createPerturbationTrial, type PerturbationPlan } from './meaningful-perturbation-trial.ts'
import type { BaselineTask, ExplainTask, Method, Step } from './method.ts'
import { smallestDisc } from './perturbation/disc.ts'
import { maskNotes, optimiseMasks, probabilityOf, type MaskSubject } from './perturbation/mask-run.ts'

/**
 * Meaningful perturbation: the least part of the image is hidden, smoothly, so that the class is lost.
 */
export const meaningfulPerturbation: Method = {
  id: 'meaningful-perturbation',
  title: 'Meaningful perturbation',
  citation: 'R. C. Fong, A. Vedaldi: Interpretable Explanations of Black Boxes by Meaningful Perturbation. IEEE ICCV 2017.',
  access: 'gradient',
  family: 'mask',
  deletes: inDeleteMode,
  ...meaningfulPerturbationSchema,
  explain,
  baseline({ image, parameters, seed, height, width, channels }: BaselineTask) {
    const kind = wordOf<FillKind>(parameters, 'fill')
    return { picture: fillOf({ height, width, channels }, image, parameters, seed).slice(), name: fillNames[kind] }
  },
}

function fillOf(frame: Frame, image: Float32Array, parameters: ParameterValues, seed: number): Float32Array {
  const blur = (numberOf(parameters, 'fill-blur') * Math.min(frame.height, frame.width)) / 224
  return createFill(wordOf<FillKind>(parameters, 'fill'), frame, image, blur, createRandom(seed, 'meaningful-perturbation', 'fill')).next()
}

interface Subject extends MaskSubject {
  image: Float32Array
  fill: Float32Array
  mask: Float32Array
  original: number
}

async function* explain(task: ExplainTask): AsyncGenerator<Step, Explanation[], void> {
  const { classifier, images, parameters } = task
  const frame: Frame = { height: images.height, width: images.width, channels: images.channels }
  const plan = createPerturbationPlan(frame, parameters)
  const size = frame.height * frame.width * frame.channels
  const iterations = numberOf(parameters, 'iterations')
  const kind = wordOf<ScoreKind>(parameters, 'score')
  const { head } = classifier.info

  const clean = await classifyAll(classifier, frame, images.data, images.count)
  const subjects: Subject[] = []
  for (let index = 0; index < images.count; index++) {
    const image = images.data.subarray(index * size, (index + 1) * size)
    const [seed, target] = [task.seeds[index]!, task.targets[index]!]
    const fill = fillOf(frame, image, parameters, seed)
    const evaluations = { forward: 1, backward: 0 }
    const mask = await startOf(task, plan, index, image, fill, evaluations)
    const trial = createPerturbationTrial(plan, { image, fill, target, seed, mask })
    subjects.push({
      index, image, fill, mask, trials: [trial], evaluations, reacted: false, probability: Number.NaN,
      original: probabilityOf(clean[index]!, target, head),
      map: () => finishedMap(plan, mask).own,
    })
  }
  yield* optimiseMasks(task, frame, subjects, iterations)

  return subjects.map((subject) => {
    const target = task.targets[subject.index]!
    const { own, saliency } = finishedMap(plan, subject.mask)
    return {
      saliency, own, range: [0, 1], signed: false, score: kind, target,
      probability: { original: subject.original, masked: subject.probability }, iterations, evaluations: subject.evaluations,
      notes: maskNotes(own, subject.reacted),
      facts: [
        { label: 'Marked share of the image', value: saliency.data.reduce((sum, value) => sum + value, 0) / saliency.data.length },
        { label: 'Score of the image', value: scoreValues([clean[subject.index]!], { kind, target }, head)[0]! },
      ],
    }
  })
}

function finishedMap(plan: PerturbationPlan, mask: Float32Array): ReturnType<typeof finishMap> {
  const { frame, cells, parameters } = plan
  const { height, width } = frame
  const enlarged = wordOf(parameters, 'enlargement') === 'blurred' ? { height, width, data: salient(plan, cells.enlarge(mask)) } : undefined
  return finishMap({ height: cells.height, width: cells.width, data: salient(plan, mask) }, frame, mapBlurOf(parameters, frame), enlarged)
}

/** High where the image matters: 1 − m where the mask deletes. */
function salient(plan: PerturbationPlan, mask: Float32Array): Float32Array {
  return plan.sign === 1 ? mask.map((value) => 1 - value) : mask.slice()
}

async function startOf(
  task: ExplainTask, plan: PerturbationPlan, index: number, image: Float32Array, fill: Float32Array, evaluations: { forward: number },
): Promise<Float32Array> {
  const { height, width } = plan.cells
  const start = wordOf(task.parameters, 'start')
  if (start === 'ones') return new Float32Array(height * width).fill(1)
  const random = createRandom(task.seeds[index]!, 'meaningful-perturbation', 'start')
  if (start === 'uniform') return Float32Array.from({ length: height * width }, () => random.uniform())
  const score = { kind: wordOf<ScoreKind>(task.parameters, 'score'), target: task.targets[index]! }
  return smallestDisc(task.classifier, plan, image, fill, score, evaluations)
}

import type { MapData } from '#shared/domain/image.ts'
import type { ParameterValues } from '#shared/domain/parameters.ts'
import type { Explanation } from '#shared/domain/run.ts'
import type { ScoreKind } from '#shared/domain/score.ts'
import { upsample } from '#shared/imaging/interpolation.ts'
import { createRandom } from '#shared/random/random.ts'
import { finishMap, mapBlurOf } from './common/finished-map.ts'
import { inDeleteMode, numberOf, wordOf } from './common/parameters.ts'
import { areaSets, extremalPerturbationSchema } from './extremal-perturbation-parameters.ts'
import { createExtremalPlan, createExtremalTrial, type ExtremalPlan, type ExtremalTrial } from './extremal-perturbation-trial.ts'
import { classifyAll } from './masks/calls.ts'
import type { Frame } from './masks/compose.ts'
import { createFill } from './masks/fills.ts'
import type { BaselineTask, ExplainTask, Method, Step } from './method.ts'
import { maskNotes, optimiseMasks, probabilityOf, type MaskSubject } from './perturbation/mask-run.ts'
import { blurPyramid, fillPyramid, type Pyramid } from './perturbation/pyramid.ts'

/**
 * Extremal perturbations: for a fixed area the smooth mask that raises the score most.
 */
export const extremalPerturbation: Method = {
  id: 'extremal-perturbation',
  title: 'Extremal perturbation',
  citation: 'R. Fong, M. Patrick, A. Vedaldi: Understanding Deep Networks via Extremal Perturbations and Smooth Masks. IEEE ICCV 2019.',
  access: 'gradient',
  family: 'mask',
  deterministic: true,
  deletes: inDeleteMode,
  ...extremalPerturbationSchema,
  explain,
  baseline({ image, parameters, height, width, channels }: BaselineTask) {
    const kind = wordOf<keyof typeof names>(parameters, 'perturbation')
    return { picture: pyramidOf({ height, width, channels }, image, parameters).darkest.slice(), name: names[kind] }
  },
}

const names = { blur: 'blurred', zero: 'black', mean: 'mean colour' } as const

function pyramidOf(frame: Frame, image: Float32Array, parameters: ParameterValues): Pyramid {
  const kind = wordOf<keyof typeof names>(parameters, 'perturbation')
  const sigma = (numberOf(parameters, 'pyramid-blur') * Math.min(frame.height, frame.width)) / 224
  if (kind === 'blur') return blurPyramid(frame, image, numberOf(parameters, 'levels'), sigma)
  return fillPyramid(frame, image, createFill(kind, frame, image, 0, createRandom(0)).next())
}

interface Subject extends MaskSubject {
  trials: readonly ExtremalTrial[]
  original: number
}

async function* explain(task: ExplainTask): AsyncGenerator<Step, Explanation[], void> {
  const { classifier, images, parameters } = task
  const frame: Frame = { height: images.height, width: images.width, channels: images.channels }
  const plan = createExtremalPlan(frame, parameters)
  const { height, width } = plan.smoothMax.inner
  const iterations = numberOf(parameters, 'iterations')
  const chosen = wordOf(parameters, 'areas')
  const areas = chosen === 'one' ? [numberOf(parameters, 'area')] : areaSets[chosen]!
  const size = frame.height * frame.width * frame.channels

  const clean = await classifyAll(classifier, frame, images.data, images.count)
  const subjects = Array.from({ length: images.count }, (_, index): Subject => {
    const target = task.targets[index]!
    const pyramid = pyramidOf(frame, images.data.subarray(index * size, (index + 1) * size), parameters)
    const trials = areas.map((area) => createExtremalTrial(plan, pyramid, area, target))
    return {
      index, trials, evaluations: { forward: 1, backward: 0 }, reacted: false, probability: Number.NaN,
      original: probabilityOf(clean[index]!, target, classifier.info.head), map: () => finishMap({ height, width, data: meanMask(trials) }, frame, mapBlurOf(parameters, frame)).own,
    }
  })
  yield* optimiseMasks(task, frame, subjects, iterations)
  return subjects.map((subject) => finish(plan, subject, areas, task.targets[subject.index]!, iterations))
}

function finish(plan: ExtremalPlan, subject: Subject, areas: readonly number[], target: number, iterations: number): Explanation {
  const { frame, smoothMax, parameters } = plan
  const { height, width } = smoothMax.inner
  const own: MapData = subject.map()
  const masks = subject.trials.map((trial) => trial.mask())
  const stack = new Float32Array(masks.length * height * width)
  masks.forEach((mask, k) => stack.set(mask, k * mask.length))
  const errors = masks.map((mask, k) => Math.abs(meanOf(mask) - areas[k]!))
  const notes = maskNotes(own, subject.reacted)
  if (Math.max(...errors) > 0.05) notes.push(`A mask missed its area by ${Math.max(...errors).toFixed(2)} of the image: raise the weight of the area or the iterations.`)
  return {
    saliency: upsample(own, frame.height, frame.width), own, range: [0, 1], signed: false,
    score: wordOf<ScoreKind>(parameters, 'score'), target, probability: { original: subject.original, masked: subject.probability },
    iterations, evaluations: subject.evaluations, notes,
    parts: [{ name: 'masks', title: 'Masks of the areas', count: masks.length, height, width, data: stack, signed: false }],
    facts: [
      { label: 'Areas', value: areas.join(', ') },
      { label: 'Largest error of an area', value: Math.max(...errors) },
    ],
  }
}

function meanMask(trials: readonly ExtremalTrial[]): Float32Array {
  const out = new Float32Array(trials[0]!.mask().length)
  for (const trial of trials) trial.mask().forEach((value, i) => (out[i]! += value / trials.length))
  return out
}

function meanOf(mask: Float32Array): number {
  return mask.reduce((sum, value) => sum + value, 0) / mask.length
}

import type { MapData } from '#shared/domain/image.ts'
import { callsPerStep, masksPerCall } from '#shared/domain/mask-steps.ts'
import { storedIterations, type Evaluations, type Explanation } from '#shared/domain/run.ts'
import { createRandom, type Random } from '#shared/random/random.ts'
import { checkScores, scoreValues } from '../classifier/scores.ts'
import { checkCancelled } from './common/cancelled.ts'
import { finishMap, mapBlurOf } from './common/finished-map.ts'
import { plainExplanation } from './common/plain-result.ts'
import { frameOf, imageAt } from './gradients/samples.ts'
import { zeroName, zeroPicture } from './gradients/zero.ts'
import { classifyAll } from './masks/calls.ts'
import type { Frame } from './masks/compose.ts'
import type { ExplainTask, Method, Step } from './method.ts'
import { createMaskQueries } from './queries/mask-queries.ts'
import type { GridMasks } from './queries/masks.ts'
import { createEstimate } from './rise-estimate.ts'
import { readRiseSettings, riseSchema, type RiseSettings } from './rise-parameters.ts'

/** How much of the score is left, on average, where random masks show a pixel: the mean of the masks, weighted with the score under them. */
export const rise: Method = {
  id: 'rise',
  title: 'RISE',
  citation: 'V. Petsiuk, A. Das, K. Saenko: RISE: Randomized Input Sampling for Explanation of Black-box Models. BMVC 2018.',
  access: 'query',
  spreads: true,
  family: 'perturbation',
  map: { range: [-Infinity, Infinity], signed: false },
  ...riseSchema,
  explain,
}

async function* explain(task: ExplainTask): AsyncGenerator<Step, Explanation[], void> {
  const { classifier, images, parameters, targets, signal } = task
  const settings = readRiseSettings(parameters)
  checkScores([{ kind: settings.score, target: targets[0] ?? 0 }], classifier.info.classes, classifier.info.head)
  const frame = frameOf(task)
  const blur = mapBlurOf(parameters, frame)
  checkCancelled(signal)
  const clean = await classifyAll(classifier, frame, images.data, images.count)
  const subjects = targets.map((_, index) => beginSubject(task, settings, index))
  const iterations = Math.ceil(settings.masks / (callsPerStep * masksPerCall(frame)))
  const stored = new Set(storedIterations(iterations))
  try {
    for (let iteration = 1; iteration <= iterations; iteration++) {
      await task.steer?.(iteration)
      for (const [image, subject] of subjects.entries()) {
        checkCancelled(signal)
        const losses = await subject.next()
        const look = (): MapData => finishMap(subject.map(), frame, blur).own
        yield { image, iteration, iterations, losses, probability: NaN, evaluations: { ...subject.evaluations }, ...(stored.has(iteration) ? { frame: look() } : { look }) }
      }
    }
    return subjects.map((subject, index) => subject.result(clean[index]!, iterations, blur))
  } finally {
    for (const subject of subjects) await subject.stop()
  }
}

interface Subject {
  readonly evaluations: Evaluations
  /** @returns the mean score of the next masks, and the mean standard error of the map so far */
  next(): Promise<{ score: number; 'standard-error': number }>
  map(): MapData
  result(clean: Float32Array, iterations: number, blur: number): Explanation
  stop(): Promise<void>
}

function beginSubject(task: ExplainTask, settings: RiseSettings, index: number): Subject {
  const { classifier } = task
  const { info } = classifier
  const frame = frameOf(task)
  const image = imageAt(task, index)
  const target = task.targets[index]!
  const stream = (name: string): Random => createRandom(task.seeds[index]!, 'rise', name)
  const fill = zeroPicture(settings.fill, info, frame, image, (settings.fillBlur * Math.min(frame.height, frame.width)) / 224, stream('fill'))
  const queries = createMaskQueries(classifier, frame, image, task)
  const answers = queries.stream(questions(frame, settings, fill, stream('masks')))
  const estimate = createEstimate(frame, settings)
  const evaluations = { forward: 1, backward: 0 }
  const map = (): MapData => ({ height: frame.height, width: frame.width, data: estimate.map() })
  return {
    evaluations, map,
    async next() {
      const step = await answers.next()
      if (step.done) throw new Error('no masks are left')
      const scores = scoreValues(step.value.rows, { kind: settings.score, target }, info.head)
      const weights = settings.sigmoid ? scores.map((score) => 1 / (1 + Math.exp(-score))) : scores
      estimate.add(step.value.question.masks, weights)
      evaluations.forward = 1 + queries.forward
      return { score: mean(scores), 'standard-error': mean(estimate.error()) }
    },
    result(clean, iterations, blur) {
      const error = estimate.error()
      const unseen = estimate.unseen()
      return plainExplanation(frame, info.head, blur, {
        map: map(), signed: false, range: rangeOf(settings), score: settings.score, target, logits: clean, iterations, evaluations,
        whyConstant: 'the score is the same under every mask, so nothing that the masks hide matters to it.',
        notes: unseen > 0 ? [`${unseen} pixels were hidden by every mask and got the mean score of the first masks; take more masks, or a larger share shown.`] : [],
        facts: [
          { label: 'Fill', value: zeroName(settings.fill, info, frame.channels) },
          { label: 'Mean standard error', value: mean(error) },
        ],
        parts: [{ name: 'standard-error', title: 'Standard error', signed: false, count: 1, height: frame.height, width: frame.width, data: error }],
      })
    },
    stop: async () => void (await answers.return()),
  }
}

/** Random grids, enlarged by one cell more than the image has and cut out at a random place within it. */
function* questions(frame: Frame, { masks, cells, keep }: RiseSettings, fill: Float32Array, random: Random): Generator<{ masks: GridMasks; fill: Float32Array }> {
  const [tall, wide] = [Math.ceil(frame.height / cells), Math.ceil(frame.width / cells)]
  const block = callsPerStep * masksPerCall(frame)
  for (let from = 0; from < masks; from += block) {
    const count = Math.min(block, masks - from)
    const grids = Float32Array.from({ length: count * cells * cells }, () => (random.uniform() < keep ? 1 : 0))
    const offsets = Int32Array.from({ length: 2 * count }, (_, i) => random.below(i % 2 === 0 ? tall : wide))
    const window = { height: (cells + 1) * tall, width: (cells + 1) * wide, offsets }
    yield { masks: { form: 'grid', count, height: cells, width: cells, cells: grids, window }, fill }
  }
}

/** What the map can be: a mean of weights where it is divided by the masks seen, up to any multiple of it otherwise. */
function rangeOf({ score, sigmoid, normalisation }: RiseSettings): readonly [number, number] {
  if (sigmoid || score === 'probability') return [0, normalisation === 'expectation' ? Infinity : 1]
  return score === 'log-probability' ? [-Infinity, 0] : [-Infinity, Infinity]
}

function mean(values: Float32Array): number {
  return values.reduce((a, b) => a + b, 0) / values.length
}

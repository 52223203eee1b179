import type { MapData } from '#shared/domain/image.ts'
import type { Parameter } from '#shared/domain/parameters.ts'
import { storedIterations, type Explanation } from '#shared/domain/run.ts'
import type { ScoreKind } from '#shared/domain/score.ts'
import { createRandom } from '#shared/random/random.ts'
import { checkCancelled } from '../common/cancelled.ts'
import { finishMap, mapBlurOf } from '../common/finished-map.ts'
import { numberOf, wordOf } from '../common/parameters.ts'
import { plainExplanation } from '../common/plain-result.ts'
import { classifyAll } from '../masks/calls.ts'
import type { ExplainTask, Step } from '../method.ts'
import { isSigned, reduceChannels, type Reduction } from './reduction.ts'
import { frameOf, imageAt, sampleGradients } from './samples.ts'
import { modelUnit } from './zero.ts'

/** Gradients at noisy copies of an image, and what is made of them: their mean, their mean square, their variance. */
export type Aggregate = 'mean' | 'square' | 'variance'

export const noiseParameters: readonly Parameter[] = [
  {
    type: 'number', name: 'samples', label: 'Samples', symbol: 'n', group: 'Noise', common: true,
    help: 'Noisy copies of the image whose gradients are taken.',
    default: 50, min: 1, max: 10000, step: 1, integer: true, logarithmic: true, tune: { min: 25, max: 100 },
  },
  {
    type: 'number', name: 'noise', label: 'Noise', symbol: 'σ', group: 'Noise', common: true,
    help: 'Standard deviation of the Gaussian noise, in the unit below.',
    default: 0.15, min: 0, max: 2, step: 0.01, tune: { min: 0.02, max: 0.4 },
  },
  {
    type: 'choice', name: 'noise-unit', label: 'Unit of the noise', group: 'Noise',
    help: 'What a noise of 1 is as large as.',
    default: 'image',
    options: [
      { value: 'image', label: "The image's own range, from its darkest to its brightest value" },
      { value: 'full', label: 'From black to white' },
      { value: 'model', label: 'One unit of what the network receives' },
    ],
  },
]

/** What has been seen of one image. */
interface Sums {
  sum: Float64Array
  squares: Float64Array
  count: number
  score: number
}

/**
 * @param method the stream of random numbers carries its name
 * @param aggregate per element of the image, before the channels become one value
 */
export async function* explainNoisy(task: ExplainTask, method: string, aggregate: Aggregate): AsyncGenerator<Step, Explanation[], void> {
  const { classifier: { info }, images, parameters, targets, signal } = task
  const score = wordOf<ScoreKind>(parameters, 'score')
  const reduction = wordOf<Reduction>(parameters, 'channels')
  const samples = numberOf(parameters, 'samples')
  const frame = frameOf(task)
  const blur = mapBlurOf(parameters, frame)
  const stored = new Set(storedIterations(samples))

  checkCancelled(signal)
  const clean = await classifyAll(task.classifier, frame, images.data, images.count)
  const subjects = clean.map((_, index) => {
    const image = imageAt(task, index)
    return { image, deviations: deviationsOf(task, image), random: createRandom(task.seeds[index]!, method, 'noise'), sums: emptySums(image.length) }
  })
  const mapOf = (sums: Sums): MapData => reduceChannels(frame, aggregated(sums, aggregate), reduction)

  const found = sampleGradients(task, score, samples, (index, _, out) => {
    const { image, deviations, random } = subjects[index]!
    for (let i = 0; i < out.length; i++) out[i] = image[i]! + deviations[i % frame.channels]! * random.normal()
  })
  for await (const { image, index, gradient, score: value } of found) {
    const { sums } = subjects[image]!
    const change = collect(sums, gradient, value)
    const iteration = index + 1
    const look = (): MapData => finishMap(mapOf(sums), frame, blur).own
    yield {
      image, iteration, iterations: samples, losses: { score: value, change }, probability: NaN,
      evaluations: { forward: iteration + 1, backward: iteration }, ...(stored.has(iteration) ? { frame: look() } : { look }),
    }
  }
  return subjects.map(({ sums, deviations }, index) => plainExplanation(frame, info.head, blur, {
    map: mapOf(sums), signed: aggregate === 'mean' && isSigned(reduction), score, target: targets[index]!, logits: clean[index]!,
    iterations: samples, evaluations: { forward: samples + 1, backward: samples },
    whyConstant: 'the score does not react to the image, or reacts in the same way everywhere; a saturated probability does, so try the logit.',
    facts: [
      { label: 'Noise, standard deviation from black to white', value: meanOf(deviations) },
      { label: 'Mean score of the noisy images', value: sums.score / samples },
    ],
  }))
}

/** Standard deviation per channel, in pictures of [0, 1]. */
function deviationsOf({ classifier: { info }, parameters, images }: ExplainTask, image: Float32Array): number[] {
  const noise = numberOf(parameters, 'noise')
  const unit = wordOf<'image' | 'full' | 'model'>(parameters, 'noise-unit')
  if (unit === 'model') return modelUnit(info.preprocessing, images.channels).map((one) => noise * one)
  const width = unit === 'full' ? 1 : image.reduce((a, b) => Math.max(a, b), -Infinity) - image.reduce((a, b) => Math.min(a, b), Infinity)
  return new Array<number>(images.channels).fill(noise * width)
}

function emptySums(length: number): Sums {
  return { sum: new Float64Array(length), squares: new Float64Array(length), count: 0, score: 0 }
}

/** @returns how far the mean gradient moved, as a share of its length: about 1/n where the samples agree, more where they do not */
function collect(sums: Sums, gradient: Float32Array, score: number): number {
  const { sum, squares } = sums
  const before = sums.count
  const now = ++sums.count
  let moved = 0
  let length = 0
  for (let i = 0; i < gradient.length; i++) {
    const value = gradient[i]!
    const old = before === 0 ? 0 : sum[i]! / before
    sum[i]! += value
    squares[i]! += value * value
    const mean = sum[i]! / now
    moved += (mean - old) ** 2
    length += mean * mean
  }
  sums.score += score
  return length === 0 ? 0 : Math.sqrt(moved / length)
}

function aggregated({ sum, squares, count }: Sums, aggregate: Aggregate): Float64Array {
  switch (aggregate) {
    case 'mean':
      return sum.map((value) => value / count)
    case 'square':
      return squares.map((value) => value / count)
    case 'variance':
      return squares.map((value, i) => {
        const variance = value / count - (sum[i]! / count) ** 2
        // What rounding leaves of gradients that are all the same.
        return variance <= (1e-12 * value) / count ? 0 : variance
      })
  }
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

import { MaskscopeError } from '#shared/domain/errors.ts'
import type { Explanation, MapPart } from '#shared/domain/run.ts'
import type { ParameterValues } from '#shared/domain/parameters.ts'
import type { ScoreKind } from '#shared/domain/score.ts'
import { createRandom } from '#shared/random/random.ts'
import { scoreValues } from '../../classifier/scores.ts'
import { finishMap, mapBlurOf } from '../common/finished-map.ts'
import { numberOf, wordOf } from '../common/parameters.ts'
import type { Frame } from '../masks/compose.ts'
import { createFill, type FillKind } from '../masks/fills.ts'
import { logProbabilities } from '../masks/prediction.ts'
import type { BaselineTask, ExplainTask } from '../method.ts'
import { createMaskQueries } from '../queries/mask-queries.ts'
import type { Segmentation } from '../segments/labels.ts'
import { quickshift } from '../segments/quickshift.ts'
import { slic } from '../segments/slic.ts'

type SegmentFill = 'segment' | 'grey' | Exclude<FillKind, 'drawn'>

/** One image cut into segments that can be hidden. */
export interface SegmentSubject extends Segmentation {
  frame: Frame
  image: Float32Array
  /** H·W·C */
  fill: Float32Array
  score: ScoreKind
  target: number
  /** The score where each row's segments are shown (1) or hidden (0). @param shown [rows, count] */
  ask(shown: Float32Array): Promise<Float32Array>
  /** The target's probability in the untouched image, NaN where the outputs are none; asks once. */
  original(): Promise<number>
  readonly forward: number
}

/** @param method its id, for the streams of random numbers */
export function createSegmentSubject(task: ExplainTask, index: number, method: string): SegmentSubject {
  const { classifier, images, parameters } = task
  const frame: Frame = { height: images.height, width: images.width, channels: images.channels }
  const size = images.height * images.width * images.channels
  const image = images.data.subarray(index * size, (index + 1) * size)
  const seed = task.seeds[index]!
  const target = task.targets[index]!
  const score = wordOf<ScoreKind>(parameters, 'score')
  const { head } = classifier.info
  const { labels, count } = segmentation(frame, image, parameters, seed, method)
  const fill = segmentFill(frame, image, { labels, count }, parameters, seed, method)
  const queries = createMaskQueries(classifier, frame, image, task)
  const ask = (values: Float32Array): Promise<Float32Array[]> =>
    queries.ask({ masks: { form: 'segments', count: values.length / count, segments: count, labels, values }, fill })
  return {
    frame, image, labels, count, fill, score, target,
    async ask(shown) {
      const values = scoreValues(await ask(shown), { kind: score, target }, head)
      if (values.every(Number.isFinite)) return values
      throw new MaskscopeError('run', `The score ${score} is not finite for a masked image: choose another score.`, { subject: 'score' })
    },
    async original() {
      const [row] = await ask(new Float32Array(count).fill(1))
      return head === 'none' ? Number.NaN : Math.exp(logProbabilities(row!, target, head).hit)
    },
    get forward() {
      return queries.forward
    },
  }
}

export function segmentation(frame: Frame, image: Float32Array, parameters: ParameterValues, seed: number, method: string): Segmentation {
  if (wordOf(parameters, 'segmentation') === 'slic') return slic(frame, image, numberOf(parameters, 'segments'), numberOf(parameters, 'compactness'))
  const options = {
    kernel: numberOf(parameters, 'quickshift-kernel'), maxDistance: numberOf(parameters, 'quickshift-distance'), ratio: numberOf(parameters, 'quickshift-ratio'),
  }
  return quickshift(frame, image, options, createRandom(seed, method, 'segments'))
}

function segmentFill(
  frame: Frame, image: Float32Array, { labels, count }: Segmentation, parameters: ParameterValues, seed: number, method: string,
): Float32Array {
  const kind = wordOf<SegmentFill>(parameters, 'fill')
  const { channels } = frame
  if (kind === 'grey') return new Float32Array(image.length).fill(0.5)
  if (kind !== 'segment') {
    const blur = (numberOf(parameters, 'fill-blur') * Math.min(frame.height, frame.width)) / 224
    return createFill(kind, frame, image, blur, createRandom(seed, method, 'fill')).next()
  }
  const sums = new Float64Array(count * channels)
  const sizes = new Int32Array(count)
  labels.forEach((label, i) => {
    sizes[label]!++
    for (let c = 0; c < channels; c++) sums[label * channels + c]! += image[i * channels + c]!
  })
  return Float32Array.from(image, (_, i) => {
    const label = labels[Math.floor(i / channels)]!
    return sums[label * channels + (i % channels)]! / sizes[label]!
  })
}

const fillNames: Readonly<Record<SegmentFill, string>> = {
  mean: 'mean colour', segment: 'mean colour of each segment', blur: 'blurred', zero: 'black', grey: 'grey', noise: 'noise',
}

/** What `Method.baseline` shows of such a method. */
export function segmentBaseline(method: string): (task: BaselineTask) => { picture: Float32Array; name: string } {
  return ({ image, parameters, seed, height, width, channels }) => {
    const frame = { height, width, channels }
    const cut = segmentation(frame, image, parameters, seed, method)
    return { picture: segmentFill(frame, image, cut, parameters, seed, method).slice(), name: fillNames[wordOf<SegmentFill>(parameters, 'fill')] }
  }
}

/** One value per segment as a map, smoothed where `map-blur` says so. */
export function segmentMap({ labels, frame }: Pick<SegmentSubject, 'labels' | 'frame'>, values: ArrayLike<number>, parameters: ParameterValues): Explanation['saliency'] {
  const { height, width } = frame
  return finishMap({ height, width, data: Float32Array.from(labels, (label) => values[label]!) }, frame, mapBlurOf(parameters, frame)).saliency
}

export function segmentPart({ labels, frame }: SegmentSubject): MapPart {
  return { name: 'segments', title: 'Segments', count: 1, height: frame.height, width: frame.width, data: Float32Array.from(labels), signed: false }
}

/** What a person should know of a map with one value per segment. */
export function segmentNotes(subject: SegmentSubject, values: ArrayLike<number>): string[] {
  if (subject.count === 1) return ['The segmentation found one segment only, so there is nothing to compare: ask for more segments, or for SLIC.']
  const all = Array.from(values)
  if (Math.max(...all) > Math.min(...all)) return []
  return ['The map is constant: the score did not change, whatever was hidden.']
}

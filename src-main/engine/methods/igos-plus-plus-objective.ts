import type { ParameterValues } from '#shared/domain/parameters.ts'
import type { Score, ScoreKind } from '#shared/domain/score.ts'
import type { Random } from '#shared/random/random.ts'
import type { Classifier } from '../classifier/classifier.ts'
import { scoreValues } from '../classifier/scores.ts'
import { numberOf, wordOf } from './common/parameters.ts'
import { classifyAll, imagesPerCall } from './masks/calls.ts'
import { compose, inPlace, pullBack, type Frame, type Side } from './masks/compose.ts'
import { createCells, type Cells } from './perturbation/cells.ts'
import { differencePower } from './perturbation/variation.ts'

/** One image to explain and what its masks are priced by. */
export interface IgosSubject {
  frame: Frame
  cells: Cells
  image: Float32Array
  fill: Float32Array
  target: number
  /** What the image's own edges leave of the price of variation. */
  pairs: { down: Float32Array; right: Float32Array }
  parameters: ParameterValues
  evaluations: { forward: number; backward: number }
}

/** Both masks on their cells; 1 keeps a pixel's role, 0 changes it. */
export interface IgosMasks {
  deletion: Float32Array
  insertion: Float32Array
}

export interface IgosAnswer {
  losses: Record<string, number>
  gradients: IgosMasks
  /** Whether the classifier's gradient was other than zero anywhere. */
  reacted: boolean
  /** Score of the image without what the product of the masks marks, and of that alone. */
  ends: { deleted: number; kept: number; deletedRow: Float32Array }
}

export function createIgosSubject(frame: Frame, image: Float32Array, fill: Float32Array, target: number, parameters: ParameterValues): IgosSubject {
  const cells = createCells(frame, { resolution: numberOf(parameters, 'resolution'), enlargement: 'bilinear', sigma: 0, throughBlur: true })
  return { frame, cells, image, fill, target, parameters, pairs: pairWeights(frame, image, numberOf(parameters, 'edge')), evaluations: { forward: 0, backward: 0 } }
}

/** exp(−mean over channels of ΔI²/s²) for every pair of neighbours. */
function pairWeights({ height, width, channels }: Frame, image: Float32Array, edge: number): { down: Float32Array; right: Float32Array } {
  const weight = (i: number, j: number): number => {
    let sum = 0
    for (let c = 0; c < channels; c++) sum += (image[i * channels + c]! - image[j * channels + c]!) ** 2
    return Math.exp(-sum / channels / (edge * edge))
  }
  const columns = width - 1
  return {
    down: Float32Array.from({ length: (height - 1) * width }, (_, i) => weight(i, i + width)),
    right: Float32Array.from({ length: height * columns }, (_, k) => {
      const i = Math.floor(k / columns) * width + (k % columns)
      return weight(i, i + 1)
    }),
  }
}

/** The four data terms: which mask, hiding what it marks or all else. */
const terms: readonly { mask: 'both' | 'deletion' | 'insertion'; side: Side; sign: 1 | -1 }[] = [
  { mask: 'both', side: 'preserve', sign: 1 },
  { mask: 'both', side: 'delete', sign: -1 },
  { mask: 'deletion', side: 'preserve', sign: 1 },
  { mask: 'insertion', side: 'delete', sign: -1 },
]

/**
 * The loss of both masks and its gradient. With φ(x, b, m) = x·m + b·(1 − m), S(·) the mean score over the path m·k/n, k = 1…n,
 * and m = m_d·m_i: ½·[S(φ(x, b, m)) − S(φ(b, x, m)) + S(φ(x, b, m_d)) − S(φ(b, x, m_i))] + λ1·mean|1 − m| + λ2·variation(m). The
 * gradient through the path is the integrated gradient that the method is named after.
 * @param noises for the noise on the masked images; null: none
 * @param differentiate without it the gradients are zero and only forward passes are made
 */
export async function igosLoss(
  classifier: Classifier, subject: IgosSubject, masks: IgosMasks, noises: Random | null, differentiate: boolean,
): Promise<IgosAnswer> {
  const { frame, cells, image, fill, parameters } = subject
  const pixels = frame.height * frame.width
  const count = numberOf(parameters, 'path-steps')
  const noise = numberOf(parameters, 'noise')
  const score: Score = { kind: wordOf<ScoreKind>(parameters, 'score'), target: subject.target }
  const large = { deletion: cells.enlarge(masks.deletion), insertion: cells.enlarge(masks.insertion) }
  const over = { ...large, both: large.deletion.map((value, i) => value * large.insertion[i]!) }
  const slopes = { both: new Float32Array(pixels), deletion: new Float32Array(pixels), insertion: new Float32Array(pixels) }
  const scores = new Float32Array(terms.length * count)
  let deletedRow = new Float32Array(0)
  let reacted = false

  const chunk = imagesPerCall(frame)
  for (let from = 0; from < scores.length; from += chunk) {
    const to = Math.min(scores.length, from + chunk)
    const data = new Float32Array((to - from) * image.length)
    for (let i = from; i < to; i++) {
      const { mask, side } = terms[Math.floor(i / count)]!
      const part = ((i % count) + 1) / count
      const out = data.subarray((i - from) * image.length, (i - from + 1) * image.length)
      compose(frame, image, over[mask].map((value) => part * value), fill, side, inPlace, out)
      if (noises && noise > 0) for (let k = 0; k < out.length; k++) out[k]! += noise * noises.normal()
    }
    subject.evaluations.forward += to - from
    const wanted = Array.from({ length: to - from }, () => score)
    const answer = differentiate ? await classifier.scoreGradient({ ...frame, count: to - from, data }, wanted) : null
    if (answer) {
      scores.set(answer.scores, from)
      subject.evaluations.backward += to - from
    } else {
      const rows = await classifyAll(classifier, frame, data, to - from)
      scores.set(scoreValues(rows, score, classifier.info.head), from)
      if (from < count && count <= to) deletedRow = rows[count - 1 - from]!.slice()
      continue
    }
    for (let i = from; i < to; i++) {
      const { mask, side, sign } = terms[Math.floor(i / count)]!
      const part = ((i % count) + 1) / count
      const gradient = answer.gradient.subarray((i - from) * image.length, (i - from + 1) * image.length)
      reacted ||= gradient.some((value) => value !== 0)
      pullBack(frame, image, fill, side, inPlace, gradient, (sign * part) / (2 * count), slopes[mask])
    }
    const classes = answer.logits.length / (to - from)
    if (from < count && count <= to) deletedRow = answer.logits.slice((count - 1 - from) * classes, (count - from) * classes)
  }

  const own = priceMasks(subject, masks)
  const gradients = own.gradients
  if (differentiate) {
    for (const [mask, other] of [['deletion', 'insertion'], ['insertion', 'deletion']] as const) {
      const small = cells.shrink(slopes[mask].map((value, i) => value + slopes.both[i]! * large[other][i]!))
      gradients[mask].forEach((_, i) => (gradients[mask][i]! += small[i]!))
    }
  }
  const mean = (term: number): number => scores.subarray(term * count, (term + 1) * count).reduce((sum, value) => sum + value, 0) / count
  const data = { deletion: (mean(0) + mean(2)) / 2, insertion: -(mean(1) + mean(3)) / 2 }
  const losses = { ...data, area: own.area, variation: own.variation, total: data.deletion + data.insertion + own.area + own.variation }
  return { losses, gradients, reacted, ends: { deleted: scores[count - 1]!, kept: scores[2 * count - 1]!, deletedRow } }
}

/** The terms of the masks alone, of their product on the cells. */
function priceMasks({ cells, frame, pairs, parameters }: IgosSubject, { deletion, insertion }: IgosMasks): { area: number; variation: number; gradients: IgosMasks } {
  const [areaWeight, variationWeight, beta] = [numberOf(parameters, 'area-weight'), numberOf(parameters, 'variation-weight'), numberOf(parameters, 'beta')]
  const product = deletion.map((value, i) => value * insertion[i]!)
  const gradient = new Float32Array(product.length).fill(-areaWeight / product.length)
  const area = (areaWeight * product.reduce((sum, value) => sum + 1 - value, 0)) / product.length
  let variation = differencePower(product, cells.height, cells.width, beta, variationWeight / 2, gradient)
  const largeGradient = new Float32Array(frame.height * frame.width)
  variation += differencePower(cells.enlarge(product), frame.height, frame.width, beta, variationWeight / 2, largeGradient, pairs)
  const small = cells.shrink(largeGradient)
  const through = (other: Float32Array): Float32Array => gradient.map((value, i) => (value + small[i]!) * other[i]!)
  return { area, variation, gradients: { deletion: through(insertion), insertion: through(deletion) } }
}

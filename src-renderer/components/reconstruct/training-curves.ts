import type { TrainingLosses, TrainingPoint } from '#shared/contract/reconstruction.ts'
import { linearAxis, type Axis } from '#shared/figure/axis.ts'
import { numberText } from '#shared/figure/numbers.ts'
import { decimate } from '../charts/decimate.ts'

export type LossTerm = keyof TrainingLosses

/** In this order, each with what it says. */
export const lossTerms: readonly { term: LossTerm; title: string; help: string }[] = [
  { term: 'reconstruction', title: 'Reconstruction', help: 'Weighted negative log-likelihood of the image, in nats.' },
  { term: 'kl', title: 'KL', help: 'How much the code says of its input: divergence of the posterior from the prior, in nats, before its weight β.' },
  { term: 'classifier', title: 'Classifier', help: 'Cross-entropy of the explained classifier on the decoded image, in nats, before its weight γ.' },
  { term: 'total', title: 'Total', help: 'What is minimised, in nats.' },
]

export interface TrainingLine {
  id: 'steps' | 'training' | 'validation'
  label: string
  value: string
  /** "x,y x,y …" in percent of the plot, y downwards. */
  path: string
  /** Where the line ends, 0 to 1 from the top. */
  end: number
}

export interface TrainingChartLines {
  axis: Axis
  /** The steps pale, below the means over epochs. */
  lines: TrainingLine[]
}

/** Steps of the first tenth of an epoch are many times as high as all that follows, and would press it flat. */
const settling = 0.1

/**
 * The lines of one term.
 * @param epochs that the training will have
 * @param columns that the plot has room for
 * @returns null before there is anything of this term
 */
export function trainingLines(points: readonly TrainingPoint[], term: LossTerm, epochs: number, columns: number): TrainingChartLines | null {
  const steps = points.flatMap(({ at, losses }) => (losses[term] === undefined ? [] : [{ x: at, y: losses[term] }]))
  if (steps.length === 0) return null
  const ends = points.flatMap(({ at, epoch }) => (epoch ? [{ x: at, epoch }] : []))
  const training = ends.flatMap(({ x, epoch }) => (epoch.training[term] === undefined ? [] : [{ x, y: epoch.training[term] }]))
  const validation = ends.flatMap(({ x, epoch }) => (epoch.validation?.[term] === undefined ? [] : [{ x, y: epoch.validation[term] }]))
  const shown = decimate(steps.map(({ x }) => x), [steps.map(({ y }) => y)], columns).map((i) => steps[i]!)
  const settled = shown.filter(({ x }) => x >= settling || steps.length < 20)
  const values = [...(settled.length > 0 ? settled : shown), ...training, ...validation].map(({ y }) => y).filter(Number.isFinite)
  if (values.length === 0) return null
  const axis = linearAxis(Math.min(...values), Math.max(...values), 3)
  const line = (id: TrainingLine['id'], label: string, list: readonly { x: number; y: number }[]): TrainingLine[] => (list.length === 0 ? [] : [{
    id, label, value: numberText(list.at(-1)!.y, 3), end: 1 - axis.position(list.at(-1)!.y),
    path: list.map(({ x, y }) => `${((x / epochs) * 100).toFixed(2)},${((1 - axis.position(y)) * 100).toFixed(2)}`).join(' '),
  }])
  return { axis, lines: [...line('steps', 'step', shown), ...line('training', 'training', training), ...line('validation', 'validation', validation)] }
}

/** The course as a table that a spreadsheet takes; one line an epoch. */
export function courseTable(points: readonly TrainingPoint[]): string {
  const epochs = points.flatMap(({ at, epoch }) => (epoch ? [{ at, ...epoch }] : []))
  const terms = lossTerms.map(({ term }) => term).filter((term) => epochs.some(({ training }) => training[term] !== undefined))
  const lines = epochs.map(({ at, training, validation }) => [at, ...terms.map((term) => training[term]), ...terms.map((term) => validation?.[term] ?? '')])
  return [['epoch', ...terms, ...terms.map((term) => `validation ${term}`)], ...lines].map((cells) => cells.join('\t')).join('\n')
}

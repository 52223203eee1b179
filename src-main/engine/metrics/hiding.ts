import type { ScoreKind } from '#shared/domain/score.ts'
import { createRandom, type Random } from '#shared/random/random.ts'
import { scoreValues } from '../classifier/scores.ts'
import { checkCancelled } from '../methods/common/cancelled.ts'
import { classifyAll, imagesPerCall } from '../methods/masks/calls.ts'
import { linearImputation, withImputation, type Imputation } from './imputation.ts'
import type { MetricTask } from './metric.ts'
import { breakTies, isCleanCut, type Ranking } from './ranking.ts'
import { renderStandIn, type StandIn } from './stand-ins.ts'
import { topClassOf } from './top-class.ts'

/** Pixels taken away down a ranking: which of them, from which place to which. */
export interface Range {
  from: number
  to: number
}

export interface HidingPlan {
  ranking: Ranking
  ranges: readonly Range[]
  fill: StandIn
  score: ScoreKind
  /** Tie orders that are averaged where a range cuts a group of equal values. */
  orders: number
}

export interface Hidden {
  /** The score of each range, the mean over tie orders. */
  scores: number[]
  /** Of each order by itself, [order][range]. */
  byOrder: number[][]
  /** Whether the target is on top, 0 to 1, the mean over tie orders; NaN of one output that is no probability. */
  onTop: number[]
  details: Record<string, number>
}

/** What an imputed pixel may miss the mean of its neighbours by; its noise has a deviation of .01. */
const closeEnough = 1e-6

/**
 * What a classifier answers as pixels are taken away. Equal values are taken in seeded random orders, the same for every fill; a range
 * that cuts no group of equal values is asked once.
 * @throws MaskscopeError 'cancelled'
 */
export async function hide(task: MetricTask, { ranking, ranges, fill, score, orders }: HidingPlan): Promise<Hidden> {
  const cut = ranges.map(({ from, to }) => !isCleanCut(ranking, from) || !isCleanCut(ranking, to))
  const drawn = cut.some(Boolean) ? Math.max(1, orders) : 1
  const sequences = Array.from({ length: drawn }, (_, r) => breakTies(ranking, createRandom(task.seed, 'metric', 'ties', r)))
  const shots = sequences.flatMap((sequence, r) => ranges.flatMap((range, k) => (r === 0 || cut[k] ? [{ sequence, range, k, r }] : [])))
  const { picture, details } = fill === 'road' ? { picture: null, details: {} } : await renderStandIn(fill, task)
  const answers = await ask(task, shots.length, score, (i, out) => {
    const { sequence, range, k, r } = shots[i]!
    if (picture) takeAway(task, sequence, range, picture, out)
    else impute(task, sequence, range, r, createRandom(task.seed, 'metric', 'road', k, r), out)
  })
  const byOrder = sequences.map(() => new Array<number>(ranges.length).fill(0))
  const topByOrder = sequences.map(() => new Array<number>(ranges.length).fill(0))
  shots.forEach(({ k, r }, i) => {
    for (const order of cut[k] ? [r] : sequences.keys()) {
      byOrder[order]![k] = answers.scores[i]!
      topByOrder[order]![k] = answers.onTop[i]!
    }
  })
  const mean = (rows: number[][]): number[] => ranges.map((_, k) => rows.reduce((sum, row) => sum + row[k]!, 0) / drawn)
  return { scores: mean(byOrder), byOrder, onTop: mean(topByOrder), details }
}

/** Scores of pictures, drawn in parts of bounded size. */
export async function ask(
  { classifier, frame, target, signal }: Pick<MetricTask, 'classifier' | 'frame' | 'target' | 'signal'>, count: number, kind: ScoreKind, draw: (i: number, out: Float32Array) => void,
): Promise<{ scores: number[]; onTop: number[] }> {
  const size = frame.height * frame.width * frame.channels
  const chunk = imagesPerCall(frame)
  const scores: number[] = []
  const onTop: number[] = []
  for (let from = 0; from < count; from += chunk) {
    checkCancelled(signal)
    const n = Math.min(chunk, count - from)
    const data = new Float32Array(n * size)
    for (let i = 0; i < n; i++) draw(from + i, data.subarray(i * size, (i + 1) * size))
    const rows = await classifyAll(classifier, frame, data, n)
    scores.push(...scoreValues(rows, { kind, target }, classifier.info.head))
    onTop.push(...rows.map((row) => {
      const top = topClassOf(row, classifier.info.head)
      return Number.isNaN(top) ? NaN : top === target ? 1 : 0
    }))
  }
  return { scores, onTop }
}

function takeAway({ image, frame: { channels } }: MetricTask, sequence: Uint32Array, { from, to }: Range, picture: Float32Array, out: Float32Array): void {
  out.set(image)
  for (let i = from; i < to; i++) {
    const at = sequence[i]! * channels
    for (let c = 0; c < channels; c++) out[at + c] = picture[at + c]!
  }
}

/** Metrics that take away the same pixels share the imputation; the noise of each is its own. */
function impute(task: MetricTask, sequence: Uint32Array, { from, to }: Range, order: number, random: Random, out: Float32Array): void {
  const { image, frame: { height, width, channels } } = task
  const imputed = (): Imputation => {
    const removed = new Uint8Array(height * width)
    for (let i = from; i < to; i++) removed[sequence[i]!] = 1
    return linearImputation(image, height, width, channels, removed, closeEnough)
  }
  // Some 40 MB of them at this size.
  const imputation = height * width > 224 * 224 ? imputed() : task.once.forAllMetrics(`imputation of order ${order} from ${from} to ${to}`, imputed)
  out.set(withImputation(image, channels, imputation, random))
}

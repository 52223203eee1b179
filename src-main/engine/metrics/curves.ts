import type { Parameter, ParameterSchema, Preset } from '#shared/domain/parameters.ts'
import type { ScoreKind } from '#shared/domain/score.ts'
import { numberOf, scoreParameter, wordOf } from '../methods/common/parameters.ts'
import { hide, type Range } from './hiding.ts'
import type { Measurement, MetricTask } from './metric.ts'
import { rankPixels, tieFraction } from './ranking.ts'
import { blurParameters, chosenStandIns, standInSwitches, switchesFor, type StandIn } from './stand-ins.ts'

/** Deletion and insertion: the area under the score as pixels go or come in the order of the map. */

const ours: readonly StandIn[] = ['mean', 'blur', 'noise', 'road']
/** Those that no method here is optimised against: the number by which methods are compared is the mean over them. */
const unseen: readonly StandIn[] = ['noise', 'road']

export const orderParameter: Parameter = {
  type: 'number', name: 'tie-orders', label: 'Tie orders', group: 'Order', integer: true, default: 3, min: 1, max: 100, step: 1,
  help: 'Equal values are taken in so many seeded random orders, and their results averaged.',
}

export function curveSchema(mode: 'deletion' | 'insertion'): ParameterSchema {
  const rise: Preset = {
    id: 'rise', title: 'As the RISE repository', values: { ...switchesFor([mode === 'deletion' ? 'model-zero' : 'blur']), steps: 224, 'tie-orders': 1, blur: 'fixed', 'blur-sigma': 3.2 },
    source: mode === 'deletion'
      ? 'Petsiuk et al. (2018): pixels become 0 after normalisation, 224 at a time; ties in one random order instead of an unstable sort.'
      : 'Petsiuk et al. (2018): from the blurred image, 224 pixels at a time. Its kernel is nearly a box of 11 px; here a Gaussian of the same variance, without dark borders.',
  }
  return {
    parameters: [
      scoreParameter('probability'),
      {
        type: 'number', name: 'steps', label: 'Steps', group: 'Order', integer: true, default: 28, min: 1, max: 1000, step: 1,
        help: 'The pixels go in so many equal parts; one more question than steps is asked for each fill.',
      },
      {
        type: 'number', name: 'road-steps', label: 'Steps of the imputation', group: 'Order', integer: true, default: 10, min: 1, max: 1000, step: 1,
        help: 'The same for the imputed fill, each step of which takes a system of equations; never more than the steps of the others.',
      },
      {
        type: 'choice', name: 'over', label: 'Mean over', group: 'Fills', default: 'unseen',
        options: [{ value: 'unseen', label: 'Fills that no method is optimised against, where there are any' }, { value: 'all', label: 'All fills' }],
        help: 'Which of the fills the number is the mean over: noise and the imputation, or all; each stands beside it.',
      },
      orderParameter, ...standInSwitches(ours), ...blurParameters,
    ],
    presets: [
      { id: 'ours', title: 'Four fills', source: 'Ours: four fills in 28 steps, those of RISE in batches (1,792 of 50,176 pixels); the number is the mean over the two that no method is optimised against.', values: {} },
      rise,
      {
        id: 'xplique', title: 'As Xplique', source: 'Xplique: black, 10 steps, the logit; ties in one random order.',
        values: { ...switchesFor(['zero']), score: 'logit', steps: 10, 'tie-orders': 1 },
      },
    ],
  }
}

/** @returns the mean area over the fills that count; each fill's, both ends and the ties as details, and the curves */
export async function measureCurve(task: MetricTask, mode: 'deletion' | 'insertion'): Promise<Measurement> {
  const { map, frame, parameters } = task
  const n = frame.height * frame.width
  const ranking = rankPixels(map.ranking.data)
  const score = wordOf<ScoreKind>(parameters, 'score')
  const details: Record<string, number> = {}
  const curves: { name: string; x: readonly number[]; y: readonly number[] }[] = []
  const byOrder: number[][] = []
  const steps = Math.min(n, numberOf(parameters, 'steps'))
  const chosen = chosenStandIns(parameters)
  const held = wordOf(parameters, 'over') === 'all' ? chosen : chosen.filter((fill) => unseen.includes(fill))
  const counted = held.length > 0 ? held : chosen
  for (const fill of chosen) {
    const parts = fill === 'road' ? Math.min(steps, numberOf(parameters, 'road-steps')) : steps
    const counts = Array.from({ length: parts + 1 }, (_, k) => Math.round((k * n) / parts))
    const ranges: Range[] = counts.map((count) => (mode === 'deletion' ? { from: 0, to: count } : { from: count, to: n }))
    const hidden = await hide(task, { ranking, ranges, fill, score, orders: numberOf(parameters, 'tie-orders') })
    const x = counts.map((count) => count / n)
    const [first, last] = [hidden.scores[0]!, hidden.scores.at(-1)!]
    details[`fill-${fill}`] = areaUnder(x, hidden.scores)
    details['clean'] = mode === 'deletion' ? first : last
    details[`gone-${fill}`] = mode === 'deletion' ? last : first
    Object.assign(details, hidden.details)
    if (counted.includes(fill)) byOrder.push(hidden.byOrder.map((scores) => areaUnder(x, scores)))
    curves.push({ name: `fill-${fill}`, x, y: hidden.scores })
  }
  const orders = Math.max(...byOrder.map((areas) => areas.length))
  const means = Array.from({ length: orders }, (_, r) => mean(byOrder.map((areas) => areas[r] ?? areas[0]!)))
  const value = mean(means)
  Object.assign(details, { 'all-fills': mean(chosen.map((fill) => details[`fill-${fill}`]!)), ties: tieFraction(ranking), 'tie-orders': orders, 'tie-spread': Math.sqrt(mean(means.map((v) => (v - value) ** 2))), step: n / steps })
  return { value, details, curves }
}

/** By trapezoids. @param x ascending */
export function areaUnder(x: readonly number[], y: readonly number[]): number {
  let sum = 0
  for (let i = 1; i < x.length; i++) sum += ((x[i]! - x[i - 1]!) * (y[i]! + y[i - 1]!)) / 2
  return sum
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

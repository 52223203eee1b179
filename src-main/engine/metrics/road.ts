import type { ScoreKind } from '#shared/domain/score.ts'
import { numberOf, scoreParameter, wordOf } from '../methods/common/parameters.ts'
import { orderParameter } from './curves.ts'
import { hide } from './hiding.ts'
import type { Metric } from './metric.ts'
import { rankPixels, tieFraction } from './ranking.ts'

const percentages = {
  /** Gildenblat's pytorch-grad-cam. */
  tenths: [10, 20, 30, 40, 50, 60, 70, 80, 90],
  /** Hedström's Quantus. */
  odd: Array.from({ length: 50 }, (_, k) => 2 * k + 1),
} as const

export const roadMetric: Metric = {
  id: 'road',
  title: 'ROAD',
  citation: 'Y. Rong, T. Leemann, V. Borisov, G. Kasneci, E. Kasneci: A Consistent and Efficient Evaluation Strategy for Attribution Methods. ICML 2022.',
  definition: 'Half of how much higher the score stays when the lowest pixels are imputed than when the highest are, the mean over the shares removed.',
  better: 'higher',
  range: [-0.5, 0.5],
  cost: 'queries',
  needs: [],
  parameters: [
    scoreParameter('probability'),
    {
      type: 'choice', name: 'shares', label: 'Shares removed', group: 'Order', help: 'How much of the image is imputed at each point.',
      default: 'tenths', options: [{ value: 'tenths', label: '10, 20 … 90%' }, { value: 'odd', label: '1, 3 … 99%' }],
    },
    orderParameter,
  ],
  presets: [
    { id: 'tenths', title: 'Both ends, in tenths', source: 'As pytorch-grad-cam combines the two orders; ties in seeded random orders.', values: { shares: 'tenths' } },
    { id: 'odd', title: 'Fifty shares', source: 'The shares of Quantus, which reports the accuracy: here a detail.', values: { shares: 'odd', 'tie-orders': 1 } },
  ],
  async measure(task) {
    const n = task.frame.height * task.frame.width
    const ranking = rankPixels(task.map.ranking.data)
    const x = percentages[wordOf<keyof typeof percentages>(task.parameters, 'shares')].map((percent) => percent / 100)
    const counts = x.map((share) => Math.round(share * n))
    const ranges = [...counts.map((count) => ({ from: 0, to: count })), ...counts.map((count) => ({ from: n - count, to: n })), { from: 0, to: 0 }]
    const score = wordOf<ScoreKind>(task.parameters, 'score')
    const { scores, onTop, byOrder } = await hide(task, { ranking, ranges, fill: 'road', score, orders: numberOf(task.parameters, 'tie-orders') })
    const half = (values: readonly number[], begin: number): number => values.slice(begin, begin + x.length).reduce((sum, v) => sum + v, 0) / x.length
    const [morf, lerf] = [half(scores, 0), half(scores, x.length)]
    const value = (lerf - morf) / 2
    const spread = byOrder.map((row) => (half(row, x.length) - half(row, 0)) / 2 - value)
    return {
      value,
      details: {
        morf, lerf, clean: scores.at(-1)!, 'accuracy-morf': half(onTop, 0), 'accuracy-lerf': half(onTop, x.length), ties: tieFraction(ranking),
        'tie-spread': Math.sqrt(spread.reduce((sum, v) => sum + v * v, 0) / spread.length),
      },
      curves: [{ name: 'morf', x, y: scores.slice(0, x.length) }, { name: 'lerf', x, y: scores.slice(x.length, 2 * x.length) }],
    }
  },
}

import type { ScoreKind } from '#shared/domain/score.ts'
import { createRandom, type Random } from '#shared/random/random.ts'
import { scoreValues } from '../classifier/scores.ts'
import { checkCancelled } from '../methods/common/cancelled.ts'
import { fillBlurParameter, numberOf, scoreParameter, wordOf } from '../methods/common/parameters.ts'
import { zeroParameter, zeroPicture, type Zero } from '../methods/gradients/zero.ts'
import { classifyAll } from '../methods/masks/calls.ts'
import { createMaskQueries } from '../methods/queries/mask-queries.ts'
import type { Metric } from './metric.ts'
import { correlation } from './rank-correlation.ts'
import { scaled } from './scale.ts'

export const sensitivityNMetric: Metric = {
  id: 'sensitivity-n',
  title: 'Sensitivity-n',
  citation: 'M. Ancona, E. Ceolini, C. Öztireli, M. Gross: Towards Better Understanding of Gradient-based Attribution Methods for Deep Neural Networks. ICLR 2018.',
  definition: "Pearson's correlation between what the score loses without n random pixels and what the map says of them together; the mean over sizes n.",
  better: 'higher',
  range: [-1, 1],
  cost: 'queries',
  needs: [],
  parameters: [
    scoreParameter('logit'),
    zeroParameter('Fill', 'What stands where pixels are taken away.', 'mean', ['mean', 'model-zero', 'zero', 'blur', 'noise'], []),
    fillBlurParameter,
    { type: 'number', name: 'sizes', label: 'Sizes', group: 'Subsets', integer: true, default: 12, min: 1, max: 100, step: 1, help: 'So many sizes n, logarithmically spaced from 1 to four fifths of the pixels.' },
    { type: 'number', name: 'subsets', label: 'Subsets', group: 'Subsets', integer: true, default: 100, min: 3, max: 10000, step: 1, help: 'So many random subsets of each size.' },
  ],
  presets: [
    { id: 'ours', title: 'Mean colour', source: 'Ours: twelve sizes, 100 subsets each, over the mean colour.', values: {} },
    { id: 'paper', title: 'As published', source: "Ancona et al. 2018: pixels become the network's own zero, 100 subsets of each size.", values: { fill: 'model-zero' } },
  ],
  async measure({ classifier, frame, image, target, map, seed, parameters, signal }) {
    const { info } = classifier
    const kind = wordOf<ScoreKind>(parameters, 'score')
    const fill = zeroPicture(wordOf<Zero>(parameters, 'fill'), info, frame, image, scaled(frame, numberOf(parameters, 'fill-blur')), createRandom(seed, 'sensitivity-n', 'fill'))
    const scoresOf = (rows: readonly Float32Array[]): Float32Array => scoreValues(rows, { kind, target }, info.head)
    const clean = scoresOf(await classifyAll(classifier, frame, image, 1))[0]!
    const queries = createMaskQueries(classifier, frame, image)
    const pixels = frame.height * frame.width
    const count = numberOf(parameters, 'subsets')
    const values = map.saliency.data
    const found: { n: number; r: number }[] = []
    for (const n of sizesOf(pixels, numberOf(parameters, 'sizes'))) {
      const random = createRandom(seed, 'sensitivity-n', n)
      const sums: number[] = []
      const losses: number[] = []
      while (sums.length < count) {
        checkCancelled(signal)
        const some = Math.min(block, count - sums.length)
        const cells = new Float32Array(some * pixels).fill(1)
        for (let i = 0; i < some; i++) {
          const taken = drawn(pixels, n, random)
          for (const pixel of taken) cells[i * pixels + pixel] = 0
          sums.push(taken.reduce((sum, pixel) => sum + values[pixel]!, 0))
        }
        const rows = await queries.ask({ masks: { form: 'grid', count: some, height: frame.height, width: frame.width, cells }, fill })
        losses.push(...Array.from(scoresOf(rows), (score) => clean - score))
      }
      found.push({ n, r: correlation(losses, sums) })
    }
    const clear = found.filter(({ r }) => !Number.isNaN(r))
    const curves = [{ name: 'correlation', x: found.map(({ n }) => n), y: found.map(({ r }) => r) }]
    if (clear.length === 0) return { value: NaN, curves, note: 'The map is the same everywhere, or the score is, so nothing varies together.' }
    return { value: clear.reduce((sum, { r }) => sum + r, 0) / clear.length, curves, details: { sizes: clear.length } }
  },
}

/** Subsets that are asked together: a bound of the memory, and between two of them a person can stop. */
const block = 64

/** Logarithmically spaced from 1 to four fifths of all, each once. */
export function sizesOf(pixels: number, sizes: number): number[] {
  const most = Math.max(1, Math.floor(0.8 * pixels))
  const all = Array.from({ length: sizes }, (_, i) => Math.round(most ** (sizes === 1 ? 1 : i / (sizes - 1))))
  return [...new Set(all)]
}

/** n different whole numbers below `pixels`. */
function drawn(pixels: number, n: number, random: Random): number[] {
  const order = Array.from({ length: pixels }, (_, i) => i)
  for (let i = 0; i < n; i++) {
    const j = i + random.below(pixels - i)
    const held = order[i]!
    order[i] = order[j]!
    order[j] = held
  }
  return order.slice(0, n)
}

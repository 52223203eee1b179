import type { ScoreKind } from '#shared/domain/score.ts'
import { createRandom } from '#shared/random/random.ts'
import { scoreValues } from '../classifier/scores.ts'
import { checkCancelled } from '../methods/common/cancelled.ts'
import { fillBlurParameter, numberOf, scoreParameter, wordOf } from '../methods/common/parameters.ts'
import { zeroParameter, zeroPicture, type Zero } from '../methods/gradients/zero.ts'
import { classifyAll } from '../methods/masks/calls.ts'
import { createMaskQueries } from '../methods/queries/mask-queries.ts'
import type { Metric, MetricTask } from './metric.ts'
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
  async measure(task) {
    const { frame, map, seed, parameters, signal } = task
    const sizes = sizesOf(frame.height * frame.width, numberOf(parameters, 'sizes'))
    const count = numberOf(parameters, 'subsets')
    const losses = await task.once.forAllMaps(() => lossesOf(task, sizes, count))
    const values = map.saliency.data
    const found = sizes.map((n, k) => {
      checkCancelled(signal)
      const next = subsetsOf(values.length, n, seed)
      const sums = Array.from({ length: count }, () => next().reduce((sum, pixel) => sum + values[pixel]!, 0))
      return { n, r: correlation(losses[k]!, sums) }
    })
    const clear = found.filter(({ r }) => !Number.isNaN(r))
    const curves = [{ name: 'correlation', x: found.map(({ n }) => n), y: found.map(({ r }) => r) }]
    if (clear.length === 0) return { value: NaN, curves, note: 'The map is the same everywhere, or the score is, so nothing varies together.' }
    return { value: clear.reduce((sum, { r }) => sum + r, 0) / clear.length, curves, details: { sizes: clear.length } }
  },
}

/** What the score loses without each subset, [size][subset]. They are the same for every map. */
async function lossesOf({ classifier, frame, image, target, seed, parameters, signal }: MetricTask, sizes: readonly number[], count: number): Promise<number[][]> {
  const { info } = classifier
  const kind = wordOf<ScoreKind>(parameters, 'score')
  const fill = zeroPicture(wordOf<Zero>(parameters, 'fill'), info, frame, image, scaled(frame, numberOf(parameters, 'fill-blur')), createRandom(seed, 'sensitivity-n', 'fill'))
  const scoresOf = (rows: readonly Float32Array[]): Float32Array => scoreValues(rows, { kind, target }, info.head)
  const clean = scoresOf(await classifyAll(classifier, frame, image, 1))[0]!
  const queries = createMaskQueries(classifier, frame, image, { signal })
  const pixels = frame.height * frame.width
  const all: number[][] = []
  for (const n of sizes) {
    const next = subsetsOf(pixels, n, seed)
    const losses: number[] = []
    while (losses.length < count) {
      checkCancelled(signal)
      const some = Math.min(block, count - losses.length)
      const cells = new Float32Array(some * pixels).fill(1)
      for (let i = 0; i < some; i++) for (const pixel of next()) cells[i * pixels + pixel] = 0
      const rows = await queries.ask({ masks: { form: 'grid', count: some, height: frame.height, width: frame.width, cells }, fill })
      losses.push(...Array.from(scoresOf(rows), (score) => clean - score))
    }
    all.push(losses)
  }
  return all
}

/** Subsets that are asked together: a bound of the memory, and between two of them a person can stop. */
const block = 64

/** Logarithmically spaced from 1 to four fifths of all, each once. */
export function sizesOf(pixels: number, sizes: number): number[] {
  const most = Math.max(1, Math.floor(0.8 * pixels))
  const all = Array.from({ length: sizes }, (_, i) => Math.round(most ** (sizes === 1 ? 1 : i / (sizes - 1))))
  return [...new Set(all)]
}

/** Draws n different whole numbers below `pixels`, one set after the other; each set holds until the next is drawn. */
function subsetsOf(pixels: number, n: number, seed: number): () => Uint32Array {
  const random = createRandom(seed, 'sensitivity-n', n)
  const all = Uint32Array.from({ length: pixels }, (_, i) => i)
  const order = new Uint32Array(pixels)
  return () => {
    order.set(all)
    for (let i = 0; i < n; i++) {
      const j = i + random.below(pixels - i)
      const held = order[i]!
      order[i] = order[j]!
      order[j] = held
    }
    return order.subarray(0, n)
  }
}

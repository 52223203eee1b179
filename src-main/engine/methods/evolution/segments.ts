import { upsampleAdjoint } from '#shared/imaging/interpolation.ts'
import { joined } from '../../graph/joined.ts'
import type { Frame } from '../masks/compose.ts'
import { slic } from '../segments/slic.ts'
import { midwayRepair } from './evolution.ts'
import { createGaussians } from './gaussians.ts'
import type { Genotype } from './genotype.ts'

/** Hills of a first individual at most. */
const firstHills = 3

/**
 * Every gene is a segment of the image (SLIC), so masks follow its edges. First individuals are one to three elliptic hills,
 * each segment taking their mean.
 * @param wanted segments, about
 * @param image H·W·C in [0, 1]
 */
export function createSegments(frame: Frame, image: Float32Array, wanted: number, compactness: number): Genotype {
  const { height, width } = frame
  const { labels, count } = slic(frame, image, wanted, compactness)
  const sizes = new Float64Array(count)
  for (const label of labels) sizes[label]!++
  const borders = bordersOf(labels, height, width)
  const first = Array.from({ length: firstHills }, (_, i) => createGaussians(frame, i + 1))
  const means = cellWeights(labels, sizes, frame, first[0]!)
  return {
    genes: count,
    values: count,
    height,
    width,
    sample(random) {
      const hills = first[random.below(firstHills)]!
      const cells = hills.render(hills.sample(random))
      return Float64Array.from(means, (weights) => Math.min(1, dot(weights, cells)))
    },
    repair: midwayRepair,
    render: (genes) => Float32Array.from(genes),
    masks: (rendered) => ({ form: 'segments', count: rendered.length, segments: count, labels, values: joined(rendered) }),
    area: (values) => values.reduce((sum, value, k) => sum + value * sizes[k]!, 0) / labels.length,
    variation: (values) => borders.reduce((sum, { a, b, length }) => sum + length * Math.abs(values[a]! - values[b]!), 0),
    picture(values) {
      const map = new Float32Array(labels.length)
      for (let i = 0; i < map.length; i++) map[i] = values[labels[i]!]!
      return map
    },
  }
}

/** Of every segment what each cell of the hills' grid counts in the mean of the enlarged grid over the segment. */
function cellWeights(labels: Int32Array, sizes: Float64Array, { height, width }: Frame, grid: { height: number; width: number }): Float32Array[] {
  return Array.from(sizes, (size, segment) => {
    const data = new Float32Array(labels.length)
    for (let i = 0; i < data.length; i++) if (labels[i] === segment) data[i] = 1 / size
    return upsampleAdjoint({ height, width, data }, grid.height, grid.width).data
  })
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

interface Border {
  a: number
  b: number
  /** Shares of the pairs of neighbours, those to the right plus those below. */
  length: number
}

function bordersOf(labels: Int32Array, height: number, width: number): Border[] {
  const found = new Map<string, Border>()
  const meet = (p: number, q: number, share: number): void => {
    const [a, b] = labels[p]! < labels[q]! ? [labels[p]!, labels[q]!] : [labels[q]!, labels[p]!]
    if (a === b) return
    const key = `${a} ${b}`
    const border = found.get(key)
    if (border) border.length += share
    else found.set(key, { a, b, length: share })
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x
      if (x + 1 < width) meet(at, at + 1, 1 / (height * (width - 1)))
      if (y + 1 < height) meet(at, at + width, 1 / ((height - 1) * width))
    }
  }
  return [...found.values()]
}

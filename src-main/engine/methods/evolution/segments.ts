import { upsample } from '#shared/imaging/interpolation.ts'
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
  return {
    genes: count,
    values: count,
    height,
    width,
    sample(random) {
      const hills = first[random.below(firstHills)]!
      const cells = hills.render(hills.sample(random))
      const large = upsample({ height: hills.height, width: hills.width, data: cells }, height, width).data
      const genes = new Float64Array(count)
      labels.forEach((label, i) => (genes[label]! += large[i]! / sizes[label]!))
      return genes.map((gene) => Math.min(1, gene))
    },
    repair: midwayRepair,
    render: (genes) => Float32Array.from(genes),
    masks: (rendered) => ({ form: 'segments', count: rendered.length, segments: count, labels, values: joined(rendered) }),
    area: (values) => values.reduce((sum, value, k) => sum + value * sizes[k]!, 0) / labels.length,
    variation: (values) => borders.reduce((sum, { a, b, length }) => sum + length * Math.abs(values[a]! - values[b]!), 0),
    picture: (values) => Float32Array.from(labels, (label) => values[label]!),
  }
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

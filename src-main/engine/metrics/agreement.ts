import { numberOf } from '../methods/common/parameters.ts'
import type { Metric } from './metric.ts'
import { rankCorrelation } from './rank-correlation.ts'
import { rankPixels } from './ranking.ts'
import { structuralSimilarity } from './ssim.ts'

export const agreementMetric: Metric = {
  id: 'agreement',
  title: 'Agreement with other methods',
  citation: 'S. Krishna et al.: The Disagreement Problem in Explainable Machine Learning: A Practitioner’s Perspective. TMLR 2024.',
  definition: "Spearman's correlation of the ranking with those of the other methods, their mean; beside it SSIM and the overlap of the highest pixels.",
  better: null,
  range: [-1, 1],
  cost: 'map',
  needs: ['others'],
  parameters: [{
    type: 'number', name: 'top', label: 'Highest pixels', group: 'Overlap', help: 'The share of the pixels whose overlap is counted.',
    default: 0.1, min: 0.001, max: 1, step: 0.001,
  }],
  presets: [],
  async measure({ map, others, parameters }) {
    const details: Record<string, number> = {}
    const found: number[] = []
    const share = numberOf(parameters, 'top')
    for (const [id, other] of others) {
      const spearman = rankCorrelation(map.ranking.data, other.ranking.data)
      if (!Number.isNaN(spearman)) found.push(spearman)
      details[`spearman-${id}`] = spearman
      details[`ssim-${id}`] = structuralSimilarity(map.saliency, other.saliency)
      details[`overlap-${id}`] = topOverlap(map.ranking.data, other.ranking.data, share)
    }
    const value = found.reduce((sum, v) => sum + v, 0) / found.length
    return found.length > 0 ? { value, details } : { value: NaN, details, note: 'A constant map has no ranking to compare.' }
  },
}

/**
 * How many of the highest pixels two maps share, as a share of their number; where ties are cut, the expectation over random orders
 * of either.
 * @param share of all pixels that count as highest, at least one pixel
 */
export function topOverlap(a: Float32Array, b: Float32Array, share: number): number {
  const count = Math.max(1, Math.round(share * a.length))
  const [p, q] = [chances(a, count), chances(b, count)]
  return p.reduce((sum, chance, i) => sum + chance * q[i]!, 0) / count
}

/** How likely each pixel is to be among the highest. */
function chances(map: Float32Array, count: number): Float64Array {
  const { order, ends } = rankPixels(map)
  const out = new Float64Array(map.length)
  let from = 0
  for (const end of ends) {
    const chance = Math.min(1, (count - from) / (end - from))
    if (chance <= 0) break
    for (let i = from; i < end; i++) out[order[i]!] = chance
    from = end
  }
  return out
}

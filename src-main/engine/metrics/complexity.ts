import type { Metric } from './metric.ts'
import { noParameters } from './object.ts'

export const complexityMetric: Metric = {
  id: 'complexity',
  title: 'Complexity (entropy)',
  citation: 'U. Bhatt, A. Weller, J. M. F. Moura: Evaluating and Aggregating Feature-based Model Explanations. IJCAI 2020.',
  definition: 'The entropy in nats of the magnitudes as shares of their sum: 0 for one pixel, ln of the number of pixels where all are equal.',
  better: 'lower',
  range: [0, Infinity],
  cost: 'map',
  needs: [],
  ...noParameters,
  async measure({ map: { saliency } }) {
    const { data } = saliency
    const value = entropy(data)
    if (Number.isNaN(value)) return { value, note: 'The map is 0 everywhere, so there are no shares.' }
    let most = 0
    for (const v of data) most = Math.max(most, Math.abs(v))
    let effective = 0
    for (const v of data) if (Math.abs(v) > 1e-5 * most) effective++
    return { value, details: { most: Math.log(data.length), effective: effective / data.length } }
  },
}

/** −Σp·ln p with p = |a|/Σ|a|. @returns in [0, ln n]; NaN where all are 0 */
export function entropy(map: Float32Array): number {
  let total = 0
  for (const value of map) total += Math.abs(value)
  if (total === 0) return NaN
  let sum = 0
  for (const value of map) {
    const share = Math.abs(value) / total
    if (share > 0) sum -= share * Math.log(share)
  }
  return sum
}

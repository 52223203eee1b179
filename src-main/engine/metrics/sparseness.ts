import type { Metric } from './metric.ts'
import { noParameters } from './object.ts'

export const sparsenessMetric: Metric = {
  id: 'sparseness',
  title: 'Sparseness (Gini index)',
  citation: 'P. Chalasani et al.: Concise Explanations of Neural Networks using Adversarial Training. ICML 2020.',
  definition: 'The Gini index of the magnitudes: 0 where all pixels have the same, towards 1 where one pixel has all.',
  better: 'higher',
  range: [0, 1],
  cost: 'map',
  needs: [],
  ...noParameters,
  async measure({ map: { saliency } }) {
    const value = giniIndex(saliency.data)
    return { value, ...(Number.isNaN(value) ? { note: 'The map is 0 everywhere, so nothing is shared out.' } : {}) }
  },
}

/** Σ(2i − n − 1)·a₍ᵢ₎ / (n·Σa) over the magnitudes in ascending order. @returns in [0, 1 − 1/n]; NaN where all are 0 */
export function giniIndex(map: Float32Array): number {
  const sorted = map.map(Math.abs).sort()
  const n = sorted.length
  let weighted = 0
  let total = 0
  sorted.forEach((value, i) => {
    weighted += (2 * (i + 1) - n - 1) * value
    total += value
  })
  // Of equal values rounding would leave a trace of either sign.
  return sorted[0] === sorted[n - 1] && total > 0 ? 0 : weighted / (n * total)
}

import type { Classifier } from '../classifier/classifier.ts'
import { noGraph } from '../classifier/checks.ts'
import { weightedOps } from '../graph/shuffle.ts'
import { checkCancelled } from '../methods/common/cancelled.ts'
import { constantValue } from '../methods/common/finished-map.ts'
import { numberOf } from '../methods/common/parameters.ts'
import type { Metric } from './metric.ts'
import { rankCorrelation } from './rank-correlation.ts'
import { structuralSimilarity } from './ssim.ts'

/** A map that is still so much like the first one was made without what the network learned. */
const unmoved = 0.9

export const randomisationMetric: Metric = {
  id: 'randomisation',
  title: 'Randomisation of the weights',
  citation: 'J. Adebayo, J. Gilmer, M. Muelly, I. Goodfellow, M. Hardt, B. Kim: Sanity Checks for Saliency Maps. NeurIPS 2018.',
  definition: "Spearman's correlation of the map with those of the same method when the layers' weights are shuffled, from the top down; the mean over the stages.",
  better: 'lower',
  range: [-1, 1],
  cost: 'dear',
  needs: ['graph'],
  parameters: [
    {
      type: 'number', name: 'stages', label: 'Stages', group: 'Weights', integer: true, default: 4, min: 1, max: 1000, step: 1,
      help: 'At so many depths the method is run again: more and more layers are shuffled from the class scores down, at the last stage all.',
    },
  ],
  presets: [
    { id: 'ours', title: 'Four stages', source: 'Ours: four runs of the method, with weights shuffled inside each layer.', values: {} },
    { id: 'cascade', title: 'Layer by layer', source: 'Adebayo et al. 2018: one run per layer, from the top down.', values: { stages: 1000 } },
  ],
  async measure({ classifier, image, map, explain, seed, parameters, signal }) {
    if (constantValue(map.ranking.data) !== null) return { value: NaN, note: 'The map is the same everywhere, so there is no ranking to compare.' }
    const layers = weightedLayers(classifier)
    const shares: number[] = []
    const spearman: number[] = []
    const similar: number[] = []
    for (const count of stagesOf(layers.length, numberOf(parameters, 'stages'))) {
      checkCancelled(signal)
      const copy = await classifier.withWeights({ layers: layers.slice(layers.length - count), seed })
      try {
        const other = await explain(image, { classifier: copy })
        shares.push(count / layers.length)
        const found = rankCorrelation(map.ranking.data, other.ranking.data)
        // A map that has become the same everywhere keeps nothing of the ranking.
        spearman.push(Number.isNaN(found) ? 0 : found)
        similar.push(structuralSimilarity(map.saliency, other.saliency))
      } finally {
        copy.dispose()
      }
    }
    const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length
    const curves = [{ name: 'spearman', x: shares, y: spearman }, { name: 'ssim', x: shares, y: similar }]
    const details = { ssim: mean(similar), 'last-spearman': spearman.at(-1)!, 'last-ssim': similar.at(-1)!, stages: shares.length }
    const value = mean(spearman)
    return {
      value, curves, details,
      ...(value > unmoved ? { note: 'The map hardly changes when the weights are shuffled: it does not show what the network learned.' } : {}),
    }
  },
}

/** From the image to the class scores; not the scaling of the image, which nobody learned. */
function weightedLayers({ graph, info }: Classifier): string[] {
  if (!graph) throw noGraph(info, 'Shuffling weights')
  const [input] = graph.layers
  const isScaling = (op: string, inputs: readonly string[]): boolean => op === 'affine' && inputs[0] === input?.name
  return graph.layers.filter(({ op, inputs }) => (weightedOps as readonly string[]).includes(op) && !isScaling(op, inputs)).map(({ name }) => name)
}

/** How many layers from the top are shuffled: evenly, at least one, at last all. */
export function stagesOf(layers: number, stages: number): number[] {
  const steps = Math.min(layers, stages)
  return Array.from({ length: steps }, (_, i) => Math.round(((i + 1) * layers) / steps))
}

import type { Metric } from './metric.ts'
import { areaOf, emptyObject, noParameters, objectOf } from './object.ts'
import { rankPixels, topCount } from './ranking.ts'

export const relevanceRankMetric: Metric = {
  id: 'relevance-rank',
  title: 'Relevance rank accuracy',
  citation: 'L. Arras, A. Osman, W. Samek: CLEVR-XAI: A Benchmark Dataset for the Ground Truth Evaluation of Neural Network Explanations. Information Fusion 2022.',
  definition: 'The share of the highest pixels, as many as the object has, that lie inside it; ties by expectation.',
  better: 'higher',
  range: [0, 1],
  cost: 'map',
  needs: ['object'],
  ...noParameters,
  async measure(task) {
    const object = objectOf(task)
    const area = areaOf(object)
    if (area === 0) return emptyObject
    const { sure, group, hits, taken } = topCount(rankPixels(task.map.ranking.data), object, area)
    return { value: (sure + (group > 0 ? (taken * hits) / group : 0)) / area }
  },
}

import type { Metric } from './metric.ts'
import { noParameters } from './object.ts'

export const costMetric: Metric = {
  id: 'cost',
  title: 'Cost in evaluations',
  citation: 'Counted here, since seconds depend on the machine.',
  definition: 'Images sent forward through the classifier to find the map, and images whose gradient was taken, together.',
  better: 'lower',
  range: [0, Infinity],
  cost: 'map',
  needs: [],
  anyMap: true,
  ...noParameters,
  async measure({ evaluations: { forward, backward } }) {
    return { value: forward + backward, details: { forward, backward } }
  },
}

import { curveSchema, measureCurve } from './curves.ts'
import type { Metric } from './metric.ts'

export const deletionMetric: Metric = {
  id: 'deletion',
  title: 'Deletion',
  citation: 'V. Petsiuk, A. Das, K. Saenko: RISE: Randomized Input Sampling for Explanation of Black-box Models. BMVC 2018.',
  definition: 'The area under the score as pixels are taken away, the highest first; the mean over fills that no method is optimised against.',
  better: 'lower',
  range: [0, 1],
  cost: 'queries',
  needs: [],
  ...curveSchema('deletion'),
  measure: (task) => measureCurve(task, 'deletion'),
}

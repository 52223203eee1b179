import { curveSchema, measureCurve } from './curves.ts'
import type { Metric } from './metric.ts'

export const insertionMetric: Metric = {
  id: 'insertion',
  title: 'Insertion',
  citation: 'V. Petsiuk, A. Das, K. Saenko: RISE: Randomized Input Sampling for Explanation of Black-box Models. BMVC 2018.',
  definition: 'The area under the score as pixels appear on an empty picture, the highest first; the mean over fills that no method is optimised against.',
  better: 'higher',
  range: [0, 1],
  cost: 'queries',
  needs: [],
  ...curveSchema('insertion'),
  measure: (task) => measureCurve(task, 'insertion'),
}

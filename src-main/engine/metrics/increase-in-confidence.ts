import type { Metric } from './metric.ts'
import { show, shownSchema } from './shown.ts'

export const increaseInConfidenceMetric: Metric = {
  id: 'increase-in-confidence',
  title: 'Increase in confidence',
  citation: 'A. Chattopadhay, A. Sarkar, P. Howlader, V. N. Balasubramanian: Grad-CAM++: Generalized Gradient-based Visual Explanations for Deep Convolutional Networks. WACV 2018.',
  definition: 'Whether the target is more probable when only what the map shows is left; the mean over images is a share.',
  better: 'higher',
  range: [0, 1],
  cost: 'queries',
  needs: [],
  ...shownSchema,
  async measure(task) {
    const { clean, masked, area } = await show(task)
    return { value: masked > clean ? 1 : 0, details: { area, clean, masked } }
  },
}

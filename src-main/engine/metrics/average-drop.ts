import type { Metric } from './metric.ts'
import { show, shownSchema } from './shown.ts'

export const averageDropMetric: Metric = {
  id: 'average-drop',
  title: 'Average drop',
  citation: 'A. Chattopadhay, A. Sarkar, P. Howlader, V. N. Balasubramanian: Grad-CAM++: Generalized Gradient-based Visual Explanations for Deep Convolutional Networks. WACV 2018.',
  definition: 'How much of the target’s probability is lost when only what the map shows is left, as a share of it; nothing where it grows.',
  better: 'lower',
  range: [0, 1],
  cost: 'queries',
  needs: [],
  ...shownSchema,
  async measure(task) {
    const { clean, masked, area } = await show(task)
    return {
      value: clean > 0 ? Math.max(0, clean - masked) / clean : 0,
      details: { area, clean, masked, 'plain-drop': Math.max(0, clean - masked), gain: clean < 1 ? Math.max(0, masked - clean) / (1 - clean) : 0 },
    }
  },
}

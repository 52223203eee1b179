import type { Classifier } from '../classifier/classifier.ts'
import { mapBlurParameter, scoreParameter } from './common/parameters.ts'
import { explainByGradient } from './gradients/plain-gradient.ts'
import { reductionParameter } from './gradients/reduction.ts'
import type { Method } from './method.ts'

/** The gradient, where every ReLU passes back only what is positive: its own input's side, and the gradient itself. */
export const guidedBackprop: Method = {
  id: 'guided-backprop',
  title: 'Guided backpropagation',
  citation:
    'J. T. Springenberg, A. Dosovitskiy, T. Brox, M. Riedmiller: Striving for Simplicity: The All Convolutional Net. ICLR ' +
    'workshop 2015.',
  access: 'gradient',
  family: 'gradient',
  deterministic: true,
  needs: ['layers'],
  map: { range: [0, Infinity], signed: false },
  parameters: [scoreParameter('logit', ['logit', 'log-odds']), reductionParameter('magnitude-max'), mapBlurParameter(0, 8)],
  presets: [
    {
      id: 'paper', title: 'As published', source: 'Springenberg et al. 2015: the logit; shown here by the largest magnitude over the channels.',
      values: { score: 'logit', channels: 'magnitude-max', 'map-blur': 0 },
    },
    {
      id: 'maskscope', title: 'Maskscope', source: 'Ours: the log-odds, magnitudes summed and blurred, as for the plain gradient (docs/methods.md).',
      values: { score: 'log-odds', channels: 'magnitude-sum', 'map-blur': 4 },
    },
    {
      id: 'captum', title: 'As Captum', source: "Captum's GuidedBackprop keeps the sign; its visualiser sums the channels.",
      values: { score: 'logit', channels: 'sum', 'map-blur': 0 },
    },
  ],
  async *explain(task) {
    const { graph } = task.classifier
    const rectified = graph?.layers.filter(({ operation }) => /(^|, )ReLU/.test(operation)).length ?? 0
    const explanations = yield* explainByGradient({ ...task, classifier: guided(task.classifier) }, (_, values) => values, [{ label: 'Layers with ReLU', value: rectified }])
    if (rectified > 0) return explanations
    const note = 'The model has no ReLU, the one function that guided backpropagation treats in its own way: the map is that of the plain gradient.'
    return explanations.map((explanation) => ({ ...explanation, notes: [...explanation.notes, note] }))
  },
}

function guided(classifier: Classifier): Classifier {
  return { ...classifier, scoreGradient: (images, scores) => classifier.scoreGradient(images, scores, { reluRule: 'guided' }) }
}

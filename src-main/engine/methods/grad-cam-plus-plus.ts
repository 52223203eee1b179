import { plusPlusWeights, weightedSum } from './cams/combine.ts'
import { explainCam, positiveParameter } from './cams/explain-cam.ts'
import { layerParameter } from './cams/layer.ts'
import { mapBlurParameter, scoreParameter, wordOf } from './common/parameters.ts'
import type { Method } from './method.ts'

const published = { score: 'logit', layer: 'auto', weights: 'sum', positive: true, 'map-blur': 0 }

/** Grad-CAM with channel weights that count every place where the class is seen, however small: its closed form for exp(score). */
export const gradCamPlusPlus: Method = {
  id: 'grad-cam-plus-plus',
  title: 'Grad-CAM++',
  citation:
    'A. Chattopadhay, A. Sarkar, P. Howlader, V. N. Balasubramanian: Grad-CAM++: Generalized Gradient-based Visual Explanations ' +
    'for Deep Convolutional Networks. WACV 2018.',
  access: 'gradient',
  family: 'activation',
  deterministic: true,
  needs: ['layers'],
  map: { range: [0, Infinity], signed: false },
  parameters: [
    scoreParameter('logit', ['logit', 'log-odds']),
    layerParameter,
    {
      type: 'choice', name: 'weights', label: 'Weights', group: 'Map', help: 'Whether activations and weights are summed over the places of the layer, or meaned.',
      default: 'sum', options: [{ value: 'sum', label: 'Sums, as published' }, { value: 'mean', label: 'Means, as Xplique' }], tune: { values: ['sum', 'mean'] },
    },
    positiveParameter,
    mapBlurParameter(0, 8),
  ],
  presets: [
    { id: 'paper', title: 'As published', source: 'Chattopadhay et al. 2018 in closed form, as pytorch-grad-cam has it: the logit, sums over the places.', values: published },
    { id: 'xplique', title: 'As Xplique', source: 'Xplique: means over the places in place of both sums.', values: { ...published, weights: 'mean' } },
  ],
  explain: (task) => explainCam(task, (values) => weightedSum(values, plusPlusWeights(values, wordOf(task.parameters, 'weights') === 'mean'))),
}

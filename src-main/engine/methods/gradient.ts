import { mapBlurParameter, scoreParameter } from './common/parameters.ts'
import { explainByGradient } from './gradients/plain-gradient.ts'
import { reductionParameter } from './gradients/reduction.ts'
import type { Method } from './method.ts'

/** ∂ score / ∂ image: how strongly the score reacts to a small change of each pixel. */
export const gradient: Method = {
  id: 'gradient',
  title: 'Gradient',
  citation:
    'K. Simonyan, A. Vedaldi, A. Zisserman: Deep Inside Convolutional Networks: Visualising Image Classification Models and ' +
    'Saliency Maps. ICLR workshop 2014.',
  access: 'gradient',
  family: 'gradient',
  deterministic: true,
  map: { range: [0, Infinity], signed: false },
  parameters: [scoreParameter('logit', ['logit', 'log-odds']), reductionParameter('magnitude-max'), mapBlurParameter(0, 8)],
  presets: [
    {
      id: 'paper', title: 'As published', source: 'Simonyan et al. 2014: the logit, the largest magnitude over the channels, no blur.',
      values: { score: 'logit', channels: 'magnitude-max', 'map-blur': 0 },
    },
    {
      id: 'maskscope', title: 'Maskscope', source: 'Ours: the log-odds, magnitudes summed and blurred, which localises better on scenes (docs/methods.md).',
      values: { score: 'log-odds', channels: 'magnitude-sum', 'map-blur': 4 },
    },
    {
      id: 'captum', title: 'As Captum', source: "Captum's Saliency takes magnitudes, its visualiser sums the channels.",
      values: { score: 'logit', channels: 'magnitude-sum', 'map-blur': 0 },
    },
  ],
  explain: (task) => explainByGradient(task, (_, values) => values),
}

import { mapBlurParameter, scoreParameter, wordOf } from './common/parameters.ts'
import { explainNoisy, noiseParameters, type Aggregate } from './gradients/noisy.ts'
import { reductionParameter } from './gradients/reduction.ts'
import type { Method } from './method.ts'

const published = { score: 'logit', aggregate: 'mean', channels: 'magnitude-sum', samples: 50, noise: 0.15, 'noise-unit': 'image', 'map-blur': 0 }

/** The mean gradient over noisy copies of the image, or the mean of its squares. */
export const smoothGrad: Method = {
  id: 'smoothgrad',
  title: 'SmoothGrad',
  citation: 'D. Smilkov, N. Thorat, B. Kim, F. Viégas, M. Wattenberg: SmoothGrad: Removing Noise by Adding Noise. arXiv:1706.03825, 2017.',
  access: 'gradient',
  family: 'gradient',
  map: { range: [0, Infinity], signed: false },
  parameters: [
    scoreParameter('logit', ['logit', 'log-odds']),
    {
      type: 'choice', name: 'aggregate', label: 'Aggregate', group: 'Noise', common: true,
      help: 'What is made of the gradients of the noisy copies, per channel. Squares do not cancel.',
      default: 'mean', options: [{ value: 'mean', label: 'Mean' }, { value: 'square', label: 'Mean of squares' }], tune: { values: ['mean', 'square'] },
    },
    ...noiseParameters,
    reductionParameter('magnitude-sum'),
    mapBlurParameter(0, 8),
  ],
  presets: [
    { id: 'paper', title: 'As published', source: 'Smilkov et al. 2017: 50 samples, noise of 10 to 20% of the range of the image.', values: published },
    {
      id: 'maskscope', title: 'Maskscope', source: 'Ours: squared, on the log-odds, blurred, which localises better on scenes (docs/methods.md).',
      values: { ...published, score: 'log-odds', aggregate: 'square', 'map-blur': 4 },
    },
    {
      id: 'pair', title: 'As PAIR saliency', source: 'The PAIR saliency library: 25 samples, noise of .15 of the range, squares by default.',
      values: { ...published, aggregate: 'square', samples: 25 },
    },
    {
      id: 'captum', title: 'As Captum', source: "Captum's NoiseTunnel: 5 samples, a noise of 1 in units of what the network receives, signed.",
      values: { ...published, channels: 'sum', samples: 5, noise: 1, 'noise-unit': 'model' },
    },
    {
      id: 'xplique', title: 'As Xplique', source: 'Xplique: 50 samples, a noise of .2 for inputs in [0, 1], the signed mean over the channels.',
      values: { ...published, channels: 'mean', noise: 0.2, 'noise-unit': 'full' },
    },
  ],
  explain: (task) => explainNoisy(task, 'smoothgrad', wordOf<Aggregate>(task.parameters, 'aggregate')),
}

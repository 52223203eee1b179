import { mapBlurParameter, scoreParameter } from './common/parameters.ts'
import { explainNoisy, noiseParameters } from './gradients/noisy.ts'
import { reductionParameter } from './gradients/reduction.ts'
import type { Method } from './method.ts'

const published = { score: 'logit', channels: 'magnitude-sum', samples: 50, noise: 0.15, 'noise-unit': 'image', 'map-blur': 0 }

/** The variance of the gradient over noisy copies of the image. */
export const varGrad: Method = {
  id: 'vargrad',
  title: 'VarGrad',
  citation:
    'J. Adebayo, J. Gilmer, I. Goodfellow, B. Kim: Local Explanation Methods for Deep Neural Networks Lack Sensitivity to ' +
    'Parameter Values. ICLR workshop 2018.',
  access: 'gradient',
  family: 'gradient',
  map: { range: [0, Infinity], signed: false },
  parameters: [
    scoreParameter('logit', ['logit', 'log-odds']),
    ...noiseParameters,
    reductionParameter('magnitude-sum', ['magnitude-sum', 'magnitude-max']),
    mapBlurParameter(0, 8),
  ],
  presets: [
    { id: 'paper', title: 'As published', source: 'Adebayo et al. 2018: the variance over copies with the noise of SmoothGrad.', values: published },
    {
      id: 'maskscope', title: 'Maskscope', source: 'Ours: on the log-odds, blurred, which localises better on scenes (docs/methods.md).',
      values: { ...published, score: 'log-odds', 'map-blur': 4 },
    },
    {
      id: 'captum', title: 'As Captum', source: "Captum's NoiseTunnel: 5 samples, a noise of 1 in units of what the network receives.",
      values: { ...published, samples: 5, noise: 1, 'noise-unit': 'model' },
    },
  ],
  explain: (task) => explainNoisy(task, 'vargrad', 'variance'),
}

import { createRandom } from '#shared/random/random.ts'
import { mapBlurParameter, scoreParameter, wordOf } from './common/parameters.ts'
import { explainByGradient } from './gradients/plain-gradient.ts'
import { reductionParameter } from './gradients/reduction.ts'
import { frameOf, imageAt } from './gradients/samples.ts'
import { zeroName, zeroParameter, zeroPicture, type Zero } from './gradients/zero.ts'
import type { Method } from './method.ts'

/** (x − zero)·∂ score / ∂x: what the score would lose, to first order, were the pixel zero. */
export const inputXGradient: Method = {
  id: 'input-x-gradient',
  title: 'Input × gradient',
  citation:
    'A. Shrikumar, P. Greenside, A. Shcherbina, A. Kundaje: Not Just a Black Box: Learning Important Features Through ' +
    'Propagating Activation Differences. arXiv:1605.01713, 2016.',
  access: 'gradient',
  family: 'gradient',
  deterministic: (parameters) => parameters['fill'] !== 'noise',
  map: { range: [-Infinity, Infinity], signed: true },
  parameters: [
    scoreParameter('logit', ['logit', 'log-odds']),
    reductionParameter('sum'),
    zeroParameter('Zero', 'Which colour counts as nothing: the image is taken relative to it.', 'model-zero', ['model-zero', 'zero', 'mean'], ['model-zero', 'zero', 'mean']),
    mapBlurParameter(0, 8),
  ],
  presets: [
    {
      id: 'paper', title: 'As published', source: 'Shrikumar et al. 2016: the input as the network receives it, times the gradient; channels summed as Captum shows it.',
      values: { score: 'logit', channels: 'sum', fill: 'model-zero', 'map-blur': 0 },
    },
    {
      id: 'maskscope', title: 'Maskscope', source: 'Ours: relative to the mean colour, magnitudes summed and blurred, which localises better on scenes (docs/methods.md).',
      values: { score: 'log-odds', channels: 'magnitude-sum', fill: 'mean', 'map-blur': 4 },
    },
  ],
  explain(task) {
    const { classifier: { info }, parameters } = task
    const frame = frameOf(task)
    const kind = wordOf<Zero>(parameters, 'fill')
    return explainByGradient(task, (index, gradient) => {
      const image = imageAt(task, index)
      const zero = zeroPicture(kind, info, frame, image, 0, createRandom(task.seeds[index]!, 'input-x-gradient', 'zero'))
      return gradient.map((value, i) => (image[i]! - zero[i]!) * value)
    }, [{ label: 'Zero', value: zeroName(kind, info, frame.channels) }])
  },
}

import { meanGradients, weightedSum } from './cams/combine.ts'
import { explainCam, positiveParameter } from './cams/explain-cam.ts'
import { layerParameter } from './cams/layer.ts'
import { mapBlurParameter, scoreParameter, wordOf } from './common/parameters.ts'
import type { Method } from './method.ts'

const published = { score: 'logit', layer: 'auto', gradients: 'all', positive: true, 'map-blur': 0 }

/** ReLU(Σ_k α_k·A_k), α_k the mean gradient of the score with respect to channel k of a layer. */
export const gradCam: Method = {
  id: 'grad-cam',
  title: 'Grad-CAM',
  citation:
    'R. R. Selvaraju, M. Cogswell, A. Das, R. Vedantam, D. Parikh, D. Batra: Grad-CAM: Visual Explanations from Deep Networks ' +
    'via Gradient-based Localization. ICCV 2017.',
  access: 'gradient',
  family: 'activation',
  deterministic: true,
  needs: ['layers'],
  map: { range: [0, Infinity], signed: false },
  parameters: [
    scoreParameter('logit', ['logit', 'log-odds']),
    layerParameter,
    {
      type: 'choice', name: 'gradients', label: 'Gradients', group: 'Map', help: 'Which gradients the weight of a channel is the mean of.',
      default: 'all', options: [{ value: 'all', label: 'All' }, { value: 'gated', label: 'Where activation and gradient are positive' }],
      tune: { values: ['all', 'gated'] },
    },
    positiveParameter,
    mapBlurParameter(0, 8),
  ],
  presets: [
    { id: 'paper', title: 'As published', source: 'Selvaraju et al. 2017: the logit, the last convolution, ReLU.', values: published },
    { id: 'captum', title: 'As Captum', source: "Captum's LayerGradCam: no ReLU unless asked for.", values: { ...published, positive: false } },
    {
      id: 'tf-explain', title: 'As tf-explain', source: 'tf-explain: gradients only where they and the activation are positive, no ReLU at the end.',
      values: { ...published, gradients: 'gated', positive: false },
    },
  ],
  explain: (task) => explainCam(task, (values) => weightedSum(values, meanGradients(values, wordOf(task.parameters, 'gradients') === 'gated'))),
}

import { layerCam } from './cams/combine.ts'
import { explainCam, positiveParameter } from './cams/explain-cam.ts'
import { layerParameter } from './cams/layer.ts'
import { mapBlurParameter, scoreParameter } from './common/parameters.ts'
import type { Method } from './method.ts'

const published = { score: 'logit', layer: 'auto', positive: true, 'map-blur': 0 }

/** ReLU(Σ_k ReLU(g_k)·A_k): every place of every channel has its own weight, so layers before the last can be shown too. */
export const layerCamMethod: Method = {
  id: 'layer-cam',
  title: 'Layer-CAM',
  citation:
    'P.-T. Jiang, C.-B. Zhang, Q. Hou, M.-M. Cheng, Y. Wei: LayerCAM: Exploring Hierarchical Class Activation Maps for ' +
    'Localization. IEEE Transactions on Image Processing 30, 2021.',
  access: 'gradient',
  family: 'activation',
  deterministic: true,
  needs: ['layers'],
  map: { range: [0, Infinity], signed: false },
  parameters: [scoreParameter('logit', ['logit', 'log-odds']), layerParameter, positiveParameter, mapBlurParameter(0, 8)],
  presets: [
    { id: 'paper', title: 'As published', source: 'Jiang et al. 2021 for one layer: the logit, the last convolution, no fusion of layers.', values: published },
  ],
  explain: (task) => explainCam(task, layerCam),
}

import { mapBlurOf } from './common/finished-map.ts'
import { mapBlurParameter } from './common/parameters.ts'
import { explainControl } from './controls/explain-control.ts'
import { sobel } from './controls/sobel.ts'
import { frameOf, imageAt } from './gradients/samples.ts'
import type { Method } from './method.ts'

/** The edges of the image: looks like an explanation and knows nothing of the classifier. */
export const edgesControl: Method = {
  id: 'edges',
  title: 'Edges',
  citation:
    'A control: the magnitude of the Sobel gradient. J. Adebayo, J. Gilmer, M. Muelly, I. Goodfellow, M. Hardt, B. Kim: Sanity Checks ' +
    'for Saliency Maps. NeurIPS 2018.',
  access: 'query',
  family: 'control',
  deterministic: true,
  map: { range: [0, 1], signed: false },
  parameters: [mapBlurParameter()],
  presets: [{ id: 'maskscope', title: 'Maskscope', source: 'Ours.', values: { 'map-blur': 0 } }],
  explain(task) {
    const frame = frameOf(task)
    return explainControl(task, mapBlurOf(task.parameters, frame), 'the image has no edge.', (index) => sobel(frame, imageAt(task, index)))
  },
}

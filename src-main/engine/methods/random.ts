import { createRandom } from '#shared/random/random.ts'
import { mapBlurOf } from './common/finished-map.ts'
import { mapBlurParameter } from './common/parameters.ts'
import { explainControl } from './controls/explain-control.ts'
import { frameOf } from './gradients/samples.ts'
import type { Method } from './method.ts'

/** Every pixel drawn uniformly: the order of nothing. */
export const randomControl: Method = {
  id: 'random',
  title: 'Random',
  citation: 'A control: uniform noise, seeded.',
  access: 'query',
  family: 'control',
  map: { range: [0, 1], signed: false },
  parameters: [mapBlurParameter()],
  presets: [{ id: 'maskscope', title: 'Maskscope', source: 'Ours.', values: { 'map-blur': 0 } }],
  explain(task) {
    const { height, width } = frameOf(task)
    return explainControl(task, mapBlurOf(task.parameters, { height, width }), 'the blur leaves nothing of the noise; lower it.', (index) => {
      const random = createRandom(task.seeds[index]!, 'random', 'map')
      return { height, width, data: Float32Array.from({ length: height * width }, () => random.uniform()) }
    })
  },
}

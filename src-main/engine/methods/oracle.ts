import { MaskscopeError } from '#shared/domain/errors.ts'
import { explainControl } from './controls/explain-control.ts'
import { frameOf } from './gradients/samples.ts'
import type { Method } from './method.ts'

/** The true object: the most that localisation can be. */
export const oracleControl: Method = {
  id: 'oracle',
  title: 'Oracle',
  citation: 'A control: the true object, 1 on it and 0 elsewhere.',
  access: 'query',
  family: 'control',
  deterministic: true,
  needs: ['object'],
  map: { range: [0, 1], signed: false },
  parameters: [],
  presets: [{ id: 'maskscope', title: 'Maskscope', source: 'Ours.', values: {} }],
  explain(task) {
    const { height, width } = frameOf(task)
    const objects = task.targets.map((_, index) => {
      const object = task.objects?.[index]
      if (object?.length === height * width) return Float32Array.from(object)
      throw new MaskscopeError('unavailable', 'Oracle needs the true object, which is known of scenes and of images with boxes or segmentations. Choose such an image, or another method.', { subject: 'method' })
    })
    return explainControl(task, 0, 'the object covers nothing, or the whole image.', (index) => ({ height, width, data: objects[index]! }))
  },
}

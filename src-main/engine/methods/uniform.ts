import { explainControl } from './controls/explain-control.ts'
import { frameOf } from './gradients/samples.ts'
import type { Method } from './method.ts'

/** One value everywhere: what a metric answers to a map that says nothing, and how it treats ties. */
export const uniformControl: Method = {
  id: 'uniform',
  title: 'Uniform',
  citation: 'A control: ½ everywhere.',
  access: 'query',
  family: 'control',
  deterministic: true,
  map: { range: [0, 1], signed: false },
  parameters: [],
  presets: [{ id: 'maskscope', title: 'Maskscope', source: 'Ours.', values: {} }],
  explain(task) {
    const { height, width } = frameOf(task)
    return explainControl(task, 0, 'that is what this control is.', () => ({ height, width, data: new Float32Array(height * width).fill(0.5) }))
  },
}

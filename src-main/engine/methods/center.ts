import { numberOf } from './common/parameters.ts'
import { explainControl } from './controls/explain-control.ts'
import { frameOf } from './gradients/samples.ts'
import type { Method } from './method.ts'

/** A Gaussian in the middle of the image: objects are often there. */
export const centerControl: Method = {
  id: 'center',
  title: 'Center',
  citation: 'A control: a Gaussian in the middle of the image; the "center" baseline of the pointing game (J. Zhang et al., IJCV 2018).',
  access: 'query',
  family: 'control',
  deterministic: true,
  map: { range: [0, 1], signed: false },
  parameters: [
    {
      type: 'number', name: 'width', label: 'Width', symbol: 'σ', group: 'Map', common: true,
      help: 'Standard deviation as a share of each side of the image; it changes the values, not their order.',
      default: 0.25, min: 0.01, max: 2, step: 0.01,
    },
  ],
  presets: [{ id: 'maskscope', title: 'Maskscope', source: 'Ours.', values: { width: 0.25 } }],
  explain(task) {
    const { height, width } = frameOf(task)
    const sigma = numberOf(task.parameters, 'width')
    const across = (i: number, size: number): number => ((i + 0.5) / size - 0.5) / sigma
    const data = Float32Array.from({ length: height * width }, (_, i) => {
      const [y, x] = [across(Math.floor(i / width), height), across(i % width, width)]
      return Math.exp(-(y * y + x * x) / 2)
    })
    return explainControl(task, 0, 'the Gaussian is wider than the image can show; lower its width.', () => ({ height, width, data }))
  },
}

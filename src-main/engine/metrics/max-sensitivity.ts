import { createRandom } from '#shared/random/random.ts'
import { checkCancelled } from '../methods/common/cancelled.ts'
import { numberOf } from '../methods/common/parameters.ts'
import type { Metric } from './metric.ts'

export const maxSensitivityMetric: Metric = {
  id: 'max-sensitivity',
  title: 'Max-sensitivity',
  citation: 'C.-K. Yeh, C.-Y. Hsieh, A. Suggala, D. I. Inouye, P. Ravikumar: On the (In)fidelity and Sensitivity of Explanations. NeurIPS 2019.',
  definition: 'How far the map moves at most, relative to its own length, when a little noise is added to the image and the method is run again with the same seed.',
  better: 'lower',
  range: [0, Infinity],
  cost: 'dear',
  needs: [],
  parameters: [
    {
      type: 'number', name: 'radius', label: 'Radius of the noise', group: 'Noise', default: 0.02, min: 0.0001, max: 1, step: 0.001,
      help: 'Every number of the image moves by at most so much of its range, uniformly; what would leave the range is cut.',
    },
    { type: 'number', name: 'draws', label: 'Draws', group: 'Noise', integer: true, default: 4, min: 1, max: 1000, step: 1, help: 'The method is run so often; the largest change counts.' },
  ],
  presets: [
    { id: 'ours', title: 'Four draws', source: "Ours: Captum's radius and four draws.", values: {} },
    { id: 'captum', title: 'As Captum', source: "Captum's sensitivity_max: a radius of .02, ten draws; there in units of the network's input.", values: { draws: 10 } },
    { id: 'quantus', title: 'As Quantus', source: "Quantus: a radius of .2, 200 draws; there in units of the network's input.", values: { radius: 0.2, draws: 200 } },
  ],
  async measure({ image, map, explain, seed, parameters, signal }) {
    const [radius, draws] = [numberOf(parameters, 'radius'), numberOf(parameters, 'draws')]
    const own = map.saliency.data
    const length = norm(own)
    if (length === 0) return { value: NaN, note: 'The map is 0 everywhere, so it has no length to compare a change with.' }
    const changes: number[] = []
    for (let draw = 0; draw < draws; draw++) {
      checkCancelled(signal)
      const random = createRandom(seed, 'max-sensitivity', draw)
      const { saliency } = await explain(image.map((v) => Math.min(1, Math.max(0, v + random.between(-radius, radius)))))
      changes.push(norm(saliency.data.map((v, i) => v - own[i]!)) / length)
    }
    return { value: Math.max(...changes), details: { mean: changes.reduce((sum, v) => sum + v, 0) / draws } }
  },
}

function norm(values: Float32Array): number {
  let squares = 0
  for (const value of values) squares += value * value
  return Math.sqrt(squares)
}

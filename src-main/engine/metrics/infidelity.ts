import type { ScoreKind } from '#shared/domain/score.ts'
import { createRandom } from '#shared/random/random.ts'
import { scoreValues } from '../classifier/scores.ts'
import { checkCancelled } from '../methods/common/cancelled.ts'
import { numberOf, scoreParameter, switchOf, wordOf } from '../methods/common/parameters.ts'
import { classifyAll, imagesPerCall } from '../methods/masks/calls.ts'
import type { Metric, MetricTask } from './metric.ts'

export const infidelityMetric: Metric = {
  id: 'infidelity',
  title: 'Infidelity',
  citation: 'C.-K. Yeh, C.-Y. Hsieh, A. Suggala, D. I. Inouye, P. Ravikumar: On the (In)fidelity and Sensitivity of Explanations. NeurIPS 2019.',
  definition: 'The mean squared difference between what the score loses under noise and what the map says it loses, the map scaled to fit best.',
  better: 'lower',
  range: [0, Infinity],
  cost: 'queries',
  needs: [],
  parameters: [
    scoreParameter('logit'),
    { type: 'number', name: 'noise', label: 'Noise', group: 'Noise', default: 0.1, min: 0.0001, max: 1, step: 0.01, help: 'Standard deviation of the normal noise of a pixel, the same in its channels; images lie in [0, 1].' },
    { type: 'number', name: 'draws', label: 'Draws', group: 'Noise', integer: true, default: 100, min: 2, max: 10000, step: 1, help: 'So many noisy images are asked for.' },
    { type: 'boolean', name: 'scaled', label: 'Scale the map', group: 'Map', default: true, help: 'By the factor that fits best, so that the size of its numbers does not matter.' },
  ],
  presets: [
    { id: 'ours', title: 'Scaled, 100 draws', source: 'Ours: noise of .1 per pixel, the map scaled to fit best.', values: {} },
    { id: 'captum', title: 'As Captum', source: "Captum's infidelity: ten draws, the map as it is.", values: { draws: 10, scaled: false } },
  ],
  async measure(task) {
    const { parameters, map } = task
    const { lost, said } = await pairs(task, numberOf(parameters, 'noise'), numberOf(parameters, 'draws'))
    const squares = (values: readonly number[]): number => values.reduce((sum, v) => sum + v * v, 0)
    const length = squares(said)
    const beta = switchOf(parameters, 'scaled') ? (length === 0 ? 0 : lost.reduce((sum, v, i) => sum + v * said[i]!, 0) / length) : 1
    const value = squares(lost.map((v, i) => v - beta * said[i]!)) / lost.length
    const whole = squares(lost) / lost.length
    return {
      value, details: { beta, ...(whole > 0 ? { unexplained: value / whole } : {}) },
      ...(map.saliency.data.every((v) => v === 0) ? { note: 'The map is 0 everywhere: it says that nothing is lost.' } : {}),
    }
  },
}

/** Per noisy image: f(x) − f(x − I), and Σ map·I. The noise is the same for every map, and so is what is lost. */
async function pairs(task: MetricTask, deviation: number, draws: number): Promise<{ lost: readonly number[]; said: number[] }> {
  const lost = await task.once.forAllMaps(() => lostUnder(task, deviation, draws))
  const values = task.map.saliency.data
  const next = noiseFrom(task.seed, deviation)
  const said = Array.from({ length: draws }, () => values.reduce((dot, value) => dot + value * next(), 0))
  return { lost, said }
}

/** Per noisy image: f(x) − f(x − I). */
async function lostUnder({ classifier, frame, image, target, seed, parameters, signal }: MetricTask, deviation: number, draws: number): Promise<number[]> {
  const kind = wordOf<ScoreKind>(parameters, 'score')
  const scoresOf = (rows: readonly Float32Array[]): Float32Array => scoreValues(rows, { kind, target }, classifier.info.head)
  const clean = scoresOf(await classifyAll(classifier, frame, image, 1))[0]!
  const lost: number[] = []
  const { channels } = frame
  const next = noiseFrom(seed, deviation)
  const chunk = imagesPerCall(frame)
  for (let from = 0; from < draws; from += chunk) {
    checkCancelled(signal)
    const count = Math.min(chunk, draws - from)
    const data = new Float32Array(count * image.length)
    for (let at = 0; at < data.length; at += channels) {
      const noise = next()
      for (let c = 0; c < channels; c++) data[at + c] = image[(at % image.length) + c]! - noise
    }
    scoresOf(await classifyAll(classifier, frame, data, count)).forEach((score) => lost.push(clean - score))
  }
  return lost
}

/** One number for each pixel of one noisy image after the other. */
function noiseFrom(seed: number, deviation: number): () => number {
  const random = createRandom(seed, 'infidelity')
  return () => deviation * random.normal()
}

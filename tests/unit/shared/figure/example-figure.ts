import type { FigureFacts, FigureRun } from '#shared/figure/figure-data.ts'
import { exampleMap, examplePicture, exampleRun } from './example-run.ts'

/** A finished run as a study holds it. @param n tells runs apart */
export function figureRun(n: number, changes: Partial<FigureRun> = {}): FigureRun {
  const { losses } = exampleRun()
  const x = Array.from({ length: 11 }, (_, i) => i / 10)
  return {
    id: `${String(n).padStart(4, '0')}-image-method`, image: { name: 'orange.png', key: 'orange' }, picture: examplePicture(96, 72), map: exampleMap(14, 14), signed: false, range: [0, 1],
    method: { id: 'neuromask', title: 'NeuroMask' }, settings: ['preset Maskscope'], seed: 0, model: { name: 'demo', key: 'demo' }, target: { index: 5, label: 'orange' },
    probability: { original: 0.98, masked: 0.9 }, deletes: false, score: 'log-probability', losses, fill: null, masks: null,
    frames: [0, 1, 2, 5, 10, 20, 50, 100, 150, 200].map((iteration) => ({ iteration, map: exampleMap(14, 14) })),
    metrics: [
      { metric: 'deletion', value: 0.1 + n / 100, curves: [{ name: 'fill-mean', x, y: x.map(() => 1) }, { name: 'fill-noise', x, y: x.map((at) => (1 - at) ** (2 + n / 10)) }] },
      { metric: 'insertion', value: 0.8 - n / 100, curves: [{ name: 'fill-noise', x, y: x.map((at) => at ** 0.5) }] },
    ],
    evaluations: 100 * n, seconds: n, ...changes,
  }
}

const methods = [['neuromask', 'NeuroMask'], ['rise', 'RISE'], ['integrated-gradients', 'Integrated gradients']] as const

const steps = Array.from({ length: 20 }, (_, i) => i + 1)
/** A population that grows better, and an estimate that settles. */
const population = { iterations: steps, probability: null, terms: [{ name: 'best', values: steps.map((i) => 1 - 1 / (i + 1)) }, { name: 'median', values: steps.map((i) => 0.8 - 0.8 / i) }, { name: 'worst', values: steps.map((i) => 0.5 - 1 / i) }] }
const estimate = { iterations: steps, probability: null, terms: [{ name: 'score', values: steps.map(() => 0.3) }, { name: 'standard-error', values: steps.map((i) => 0.1 / Math.sqrt(i)) }] }

/** Three images by three methods: masks, unbounded maps and signed ones; runs 1 to 9, row by row. */
export function exampleFacts(): FigureFacts {
  const images = [['orange.png', 'orange'], ['a very long name of a photograph of a greyhound.jpeg', 'Italian greyhound'], ['zebra.png', 'zebra']] as const
  const runs = images.flatMap(([name, label], row) => methods.map(([id, title], column): FigureRun => figureRun(row * 3 + column + 1, {
    image: { name, key: name }, target: { index: row, label }, method: { id, title }, picture: row === 1 ? examplePicture(60, 90) : examplePicture(96, 72),
    ...(column === 0 && row > 0 ? { losses: population } : {}),
    ...(column === 1 && row === 1 ? { losses: estimate, masks: steps.map((i) => i * 64) } : {}),
    ...(column === 1 ? { range: [0, Infinity] as const, probability: { original: 0.98, masked: null } } : {}),
    ...(column === 2 ? { signed: true, range: [-Infinity, Infinity] as const, frames: [], map: { ...exampleMap(14, 14), data: exampleMap(14, 14).data.map((v, i) => (i % 2 ? -v : v)) } } : {}),
  })))
  return {
    study: 'example', runs: new Map(runs.map((run) => [run.id, run])), methods: methods.map(([id]) => id),
    metrics: new Map([['deletion', { title: 'Deletion', better: 'lower' }], ['insertion', { title: 'Insertion', better: 'higher' }]]),
    reconstructions: new Map([['0001-digits/0001-image-3', {
      image: 'idx:digits#3', input: examplePicture(28, 28), salient: examplePicture(28, 28), outcome: 'seven', probability: 0.99,
      variations: Array.from({ length: 12 }, (_, i) => ({ picture: examplePicture(28, 28), probability: 1 - i / 12, accepted: i < 9 })),
    }]]),
  }
}

export const runIds = Array.from({ length: 9 }, (_, i) => `${String(i + 1).padStart(4, '0')}-image-method`)

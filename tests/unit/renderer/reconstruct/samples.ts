import type { Pictures, ReconstructionRow, TrainingPoint, WindowClassView, WindowReport, WindowSamples, WindowVariations } from '#shared/contract/reconstruction.ts'
import { generatorSchema } from '#shared/domain/reconstruction.ts'
import type { Answers } from '../fake-client.ts'
import { png } from '../samples.ts'

const size = { height: 4, width: 4, channels: 1 } as const

export function pictures(count: number): Pictures {
  return { count, ...size, data: Uint8Array.from({ length: count * 16 }, (_, i) => i % 256) }
}

const samples = (): WindowSamples => ({ images: pictures(2), salient: pictures(2), reconstructions: pictures(2), drawn: pictures(2) })

export function reconstructionRow(part: Partial<ReconstructionRow> = {}): ReconstructionRow {
  return {
    reconstruction: '0001-scenes', state: 'finished', phase: null, created: '2026-01-02T03:04:05Z', data: 'scenes:240@0', images: 240, model: 'demo', judge: 'demo-judge',
    method: 'neuromask', parameters: {}, settings: { epochs: 2, latent: 32, beta: 1, gamma: 0, conditional: false, temperature: 1 }, seed: 1,
    done: 0, all: null, secondsLeft: null, epoch: 2, epochs: 2, generator: true, inLoop: 0.934, error: null, ...part,
  }
}

export function point(at: number, ends = false): TrainingPoint {
  const losses = { reconstruction: 100 / (1 + at), kl: 5 * at, total: 100 / (1 + at) + 5 * at }
  return { at, losses, epoch: ends ? { training: losses, validation: { ...losses, reconstruction: losses.reconstruction + 1 } } : null }
}

const interval = (mean: number) => ({ mean, low: mean - 0.02, high: mean + 0.02 })
const diversity = { outside: 0.08, inside: 0.02, outsideReal: 0.2, insideReal: 0.22 }
export const report: WindowReport = {
  images: 100, classifierAccuracy: 0.9, judgeAccuracy: 0.88, judgeOnClean: 0.91, rawAgreement: interval(0.9), inLoop: 0.934,
  controls: { empty: 0.11, randomMask: 0.3, swapped: 0.85, maskAlone: 0.4, salientUndecoded: 0.7, randomOfClass: 0.9 },
  acceptance: [0, 0.5, 1].map((temperature) => ({ temperature, rate: 1 - temperature / 4, images: 100, outside: temperature / 10, inside: temperature / 40 })),
  diversity, memorising: { p: 0.51, high: 0.54 },
  perClass: ['ball', 'cup', 'tall cup'].map((label, i) => ({ class: i, label, images: 33, inLoop: 0.9, rawAgreement: 0.88, judgeOnClean: 0.9, acceptance: 0.9, empty: 0.1, randomMask: 0.3, maskAlone: 0.4, diversity })),
  confusion: [[30, 2, 1], [0, 33, 0], [1, 1, 31]], generator: 'generator',
  intervals: { inLoop: interval(0.934), controls: { empty: interval(0.11), randomMask: interval(0.3), swapped: interval(0.85), maskAlone: interval(0.4), salientUndecoded: interval(0.7), randomOfClass: null } },
  judgeControls: { empty: 0.1, randomMask: 0.32, swapped: 0.8, maskAlone: 0.41, salientUndecoded: 0.6, randomOfClass: 0.9 },
}

const mask = { height: 4, width: 4, data: new Float32Array(16).fill(0.5) }

/** Every third one is refused. */
export function variations(count: number): WindowVariations {
  const all = Array.from({ length: count + 1 }, (_, i) => ({ probability: 0.9 - i / 100, top: i % 3 === 2 ? 1 : 0, topProbability: 0.9, accepted: i % 3 !== 2, place: null }))
  return {
    image: pictures(1), mask, salient: pictures(1), outcome: { class: 0, probability: 0.97 }, label: 'ball', pictures: pictures(count + 1), variations: all,
    acceptance: 0.67, informative: [{ dimension: 3, kl: 2.5 }, { dimension: 0, kl: 1 }],
  }
}

export const classView: WindowClassView = {
  class: 0, count: 80, meanMask: mask, spreadMask: mask, alignedMean: mask, alignedSpread: mask, meanSalient: pictures(1), silhouette: 0.3,
  prototypes: [{ share: 0.6, acceptance: 0.8, pictures: pictures(3), variations: variations(2).variations }, { share: 0.4, acceptance: 0.7, pictures: pictures(3), variations: variations(2).variations }],
}

/** What the main side says of one finished reconstruction. */
export const answers: Answers = {
  'reconstructions.settings': () => ({
    size: { ...size }, parameters: generatorSchema({ ...size, height: 28, width: 28 }).parameters.map((parameter) => ({ ...parameter })) as never, method: 'neuromask', quick: { any: { neuromask: { iterations: 40 } }, black: { neuromask: { iterations: 20, fill: 'zero' } } },
  }),
  'reconstructions.data': () => ({ name: 'fashion', ground: 'black', train: 30_000, test: 10_000, first: [{ png, label: 'shirt' }] }),
  'reconstructions.start': () => ({ reconstruction: '0002-scenes' }),
  'reconstructions.read': () => ({
    labels: ['ball', 'cup', 'tall cup'], points: [point(0.5), point(1, true), point(2, true)], samples: [1, 2], report, test: 50, conditional: false,
    provenance: [{ name: 'Data', value: 'scenes:240@0', group: 'Input' }],
  }),
  'reconstructions.samples': samples,
  'reconstructions.images': ({ first, count }) => Array.from({ length: Math.min(count, 50 - first) }, (_, i) => ({ image: first + i, label: 'ball', thumbnail: png })),
  'reconstructions.vary': ({ count }) => variations(count),
  'reconstructions.classView': () => classView,
  'reconstructions.pause': () => ({}), 'reconstructions.resume': () => ({}), 'reconstructions.cancel': () => ({}), 'reconstructions.delete': () => ({}), 'reconstructions.restore': () => ({}),
  'reconstructions.command': () => ({ command: 'maskscope reconstruct' }),
}

export { samples }

import type { MethodInfo, OpenImage, OpenModel } from '#shared/contract/models.ts'
import type { RunRow } from '#shared/contract/runs.ts'

/** A method with a parameter of every type. */
export const method: MethodInfo = {
  id: 'neuromask', title: 'NeuroMask', citation: 'Moosavi and others, 2020.', access: 'gradient', family: 'mask', needs: [],
  parameters: [
    {
      type: 'number', name: 'iterations', label: 'Iterations', help: 'Steps of the optimiser.', group: 'Optimisation', common: true,
      default: 120, min: 1, max: 20_000, step: 1, integer: true, logarithmic: true, unit: 'steps',
    },
    {
      type: 'number', name: 'sparsity-weight', label: 'Sparsity weight', symbol: 'λs', help: 'Pulls pixels towards being hidden.', group: 'Loss',
      common: true, live: true, default: 70, min: 0, max: 1000, step: 0.01, logarithmic: true,
    },
    {
      type: 'choice', name: 'kernel', label: 'Smoothness kernel', symbol: 'K', help: 'High-pass kernel.', group: 'Loss', default: '3x3',
      options: [{ value: '3x3', label: '3 × 3' }, { value: '5x5', label: '5 × 5' }],
    },
    {
      type: 'choice', name: 'fill', label: 'Fill', help: 'What stands where the mask hides the image.', group: 'Fill', default: 'drawn',
      options: [
        { value: 'drawn', label: 'Another texture at every step' }, { value: 'zero', label: 'Black' }, { value: 'mean', label: 'Mean colour' },
        { value: 'blur', label: 'Blurred' },
      ],
    },
    { type: 'boolean', name: 'flip', label: 'Flip', help: 'Mirrors at random.', group: 'Randomisation', default: false },
  ],
  presets: [
    { id: 'maskscope', title: 'Maskscope', source: 'Ours, tuned on scenes.', values: { iterations: 120, 'sparsity-weight': 70 } },
    { id: 'imagenet-demo', title: 'ImageNet demo', source: 'The authors’ demonstration.', values: { iterations: 2000, 'sparsity-weight': 0.35 } },
  ],
}

export const png = new Uint8Array([137, 80, 78, 71])

export function openModel(part: Partial<OpenModel> = {}, info: Partial<OpenModel['info']> = {}): OpenModel {
  return {
    state: 'open', model: 'model-1', place: 'demo', bundled: true, cardless: false, stated: {}, notes: [],
    info: {
      name: 'demo', sha256: 'a'.repeat(64), format: 'TF.js layers model', input: { height: 64, width: 64, channels: 3 }, classes: 3,
      labels: ['ball', 'cup', 'tall cup'], head: 'softmax', access: 'gradient',
      preprocessing: {
        fit: 'squash', cropFraction: 1, resizeFilter: 'bilinear', range: [0, 1], mean: [0, 0, 0], std: [1, 1, 1], channelOrder: 'rgb',
      },
      parameters: 1000, multiplyAdds: null, notes: [],
      executor: { id: 'tfjs', reason: 'It is the only executor here.', measured: {}, version: null }, ...info,
    },
    ...part,
  }
}

export function openImage(part: Partial<OpenImage> = {}): OpenImage {
  return { image: 'image-1', name: 'pets.jpg', kind: 'file', width: 512, height: 430, label: null, truth: false, notes: [], thumbnail: png, ...part }
}

export function runRow(part: Partial<RunRow> = {}): RunRow {
  return {
    run: '0001-ball-neuromask', state: 'finished', created: '2026-01-02T03:04:05Z', image: { name: 'ball.png', kind: 'file' }, thumbnail: null,
    model: { name: 'demo', sha256: 'a'.repeat(64) }, method: 'neuromask', preset: 'maskscope',
    parameters: { preset: 'maskscope', iterations: 120, 'sparsity-weight': 70, kernel: '3x3', fill: 'drawn', flip: false },
    seed: 1, target: { index: 0, label: 'ball' }, changes: [], probability: { original: 0.99, masked: 0.86 }, deletes: false, area: 0.21,
    iteration: 120, iterations: 120, seconds: 0.75, error: null, ...part,
  }
}

/** What `images.classify` answers. */
export const reading = {
  view: { picture: { width: 512, height: 430 }, crop: { left: 0, top: 0, width: 512, height: 430 }, size: { width: 64, height: 64 } },
  top: [
    { index: 0, label: 'ball', probability: 0.9, logit: 5 }, { index: 2, label: 'tall cup', probability: 0.06, logit: 2 },
    { index: 1, label: 'cup', probability: 0.04, logit: 1 },
  ],
}

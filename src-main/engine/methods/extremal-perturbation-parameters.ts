import type { Parameter, ParameterSchema, Preset } from '#shared/domain/parameters.ts'
import { mapBlurParameter } from './common/parameters.ts'
import { defaultsOf, learningRateParameter, scoreOfMask, stepsParameter } from './perturbation/mask-parameters.ts'

/** Sets of areas under their names. */
export const areaSets: Readonly<Record<string, readonly number[]>> = {
  voc: [0.025, 0.05, 0.1, 0.2],
  coco: [0.018, 0.025, 0.05, 0.1],
  wide: [0.05, 0.1, 0.2, 0.4],
}

const parameters: readonly Parameter[] = [
  stepsParameter(300),
  learningRateParameter('Step size of gradient descent with momentum .9 and dampening .9.', 0.02, { min: 0.003, max: 0.05 }),
  scoreOfMask('logit'),
  {
    type: 'choice', name: 'mode', label: 'Reward', group: 'Loss', common: true,
    help: 'Raise the score of what is shown, lower that of the rest, or raise their difference.',
    default: 'preserve', options: [{ value: 'preserve', label: 'Preserve' }, { value: 'delete', label: 'Delete' }, { value: 'dual', label: 'Dual' }],
    tune: { values: ['preserve', 'dual'] },
  },
  {
    type: 'choice', name: 'areas', label: 'Areas', symbol: 'a', group: 'Loss', common: true,
    help: 'One mask for each area, as parts of the image; their mean is the map.',
    default: 'one',
    options: [
      { value: 'one', label: 'The one below' }, { value: 'voc', label: '.025, .05, .1, .2' }, { value: 'coco', label: '.018, .025, .05, .1' },
      { value: 'wide', label: '.05, .1, .2, .4' },
    ],
    tune: { values: ['one', 'voc', 'wide'] },
  },
  {
    type: 'number', name: 'area', label: 'Area', group: 'Loss', common: true, help: 'The shown part of the image, where there is one.',
    default: 0.1, min: 0.005, max: 0.95, step: 0.005, tune: { min: 0.05, max: 0.25 },
  },
  {
    type: 'number', name: 'area-weight', label: 'Weight of the area', symbol: 'λ', group: 'Loss',
    help: 'Weight of mean((sorted mask − r)²) at the start, r being 0 and then 1 on the wanted part.',
    default: 300, min: 0, max: 100000, step: 1, logarithmic: true, tune: { min: 50, max: 600 },
  },
  {
    type: 'number', name: 'area-growth', label: 'Growth of that weight', group: 'Loss',
    help: 'How many times as large it is at the end; it grows by the same factor at every step.',
    default: 16.37, min: 1, max: 10000, step: 0.01, logarithmic: true,
  },
  {
    type: 'choice', name: 'perturbation', label: 'Perturbation', group: 'Fill', common: true,
    help: 'Hide by a blur that grows as the mask falls, or by fading to a colour.',
    default: 'blur', options: [{ value: 'blur', label: 'Blur pyramid' }, { value: 'zero', label: 'Fade to black' }, { value: 'mean', label: 'Fade to the mean colour' }],
    tune: { values: ['blur', 'zero', 'mean'] },
  },
  {
    type: 'number', name: 'pyramid-blur', label: 'Strongest blur', group: 'Fill',
    help: 'Standard deviation at mask 0, for a shorter side of 224 pixels; it scales with the image.',
    default: 20, min: 1, max: 100, step: 0.5, unit: 'px at 224', tune: { min: 10, max: 40 },
  },
  {
    type: 'number', name: 'levels', label: 'Levels of the pyramid', group: 'Fill', help: 'Copies between the strongest blur and the image, both counted.',
    default: 8, min: 2, max: 32, step: 1, integer: true,
  },
  {
    type: 'number', name: 'step', label: 'Grid', group: 'Mask', help: 'Distance of the parameters, for a shorter side of 224 pixels; it scales with the image.',
    default: 7, min: 3.5, max: 56, step: 0.5, unit: 'px at 224',
  },
  {
    type: 'number', name: 'sigma', label: 'Smallest detail', symbol: 'σ', group: 'Mask',
    help: 'Width of the smooth maximum around each parameter, for a shorter side of 224 pixels; it scales with the image.',
    default: 21, min: 3.5, max: 112, step: 0.5, unit: 'px at 224', tune: { min: 10, max: 30 },
  },
  {
    type: 'number', name: 'coldness', label: 'Coldness', group: 'Mask', help: 'The larger, the nearer the smooth maximum is to the maximum.',
    default: 20, min: 1, max: 100, step: 1, logarithmic: true,
  },
  {
    type: 'boolean', name: 'flip', label: 'Mirror', group: 'Randomisation', help: 'Mirror the masked image left to right at every second step.', default: true,
    tune: { values: [true, false] },
  },
  mapBlurParameter(0, 6),
]

const ours = defaultsOf(parameters)

const published = { ...ours, iterations: 800, 'learning-rate': 0.01 }

const presets: readonly Preset[] = [
  {
    id: 'maskscope', title: 'Maskscope',
    source: 'Ours: as published, in fewer and larger steps.', values: ours,
  },
  {
    id: 'authors', title: 'As the authors\' code',
    source: 'The authors\' library: one area of .1, blur pyramid of 8 levels to 20 pixels, grid 7, σ 21, λ 300 growing by 1.0035 a step, SGD .01, 800 steps, mirrored every second step.',
    values: published,
  },
  {
    id: 'authors-pointing', title: 'As the authors\' pointing game',
    source: 'Their benchmark on VOC: areas .025, .05, .1 and .2 summed, then a Gaussian of .09 of the shorter side.',
    values: { ...published, areas: 'voc', 'map-blur': 5.8 },
  },
]

export const extremalPerturbationSchema: ParameterSchema = { parameters, presets }

import type { Parameter, ParameterSchema, ParameterValues, Preset } from '#shared/domain/parameters.ts'
import { fillBlurParameter, mapBlurParameter, scoreParameter } from './common/parameters.ts'
import { segmentParameters } from './perturbation/segment-parameters.ts'

const parameters: readonly Parameter[] = [
  {
    type: 'number', name: 'samples', label: 'Samples', group: 'Sampling', common: true,
    help: 'Masked images asked for; the first of them hides nothing.',
    default: 1000, min: 4, max: 100000, step: 1, integer: true, logarithmic: true,
  },
  scoreParameter('probability', ['probability', 'log-probability', 'log-odds', 'logit']),
  ...segmentParameters,
  fillBlurParameter,
  {
    type: 'choice', name: 'distance', label: 'Distance', group: 'Kernel',
    help: 'How far a masked image is from the untouched one: by the segments it shows, or by its pixels.',
    default: 'segments',
    options: [
      { value: 'segments', label: 'Cosine of the segments' }, { value: 'cosine', label: 'Cosine of the pixels' }, { value: 'euclidean', label: 'Euclidean, of the pixels' },
    ],
  },
  {
    type: 'number', name: 'kernel-width', label: 'Kernel width', symbol: 'ω', group: 'Kernel',
    help: 'A sample at distance d weighs exp(−d²/(2ω²)); Euclidean distances count as at a size of 224 × 224.',
    default: 0.25, min: 0.01, max: 1000, step: 0.01, logarithmic: true, tune: { min: 0.1, max: 1 },
  },
  {
    type: 'choice', name: 'penalty', label: 'Penalty', group: 'Regression',
    help: 'What keeps the coefficients small: their squares, or their absolute values, which sets some to zero.',
    default: 'ridge', options: [{ value: 'ridge', label: 'Ridge' }, { value: 'lasso', label: 'Lasso' }],
  },
  {
    type: 'number', name: 'penalty-strength', label: 'Strength of the penalty', symbol: 'α', group: 'Regression',
    help: 'Ridge: added to the diagonal of the normal equations. Lasso: against the mean squared error.',
    default: 1, min: 0, max: 1000, step: 0.001, logarithmic: true, tune: { min: 0.01, max: 10 },
  },
  {
    type: 'number', name: 'features', label: 'Kept segments', group: 'Regression',
    help: 'Only so many segments of largest coefficients are fitted again, the others stay 0; 0 keeps all.',
    default: 0, min: 0, max: 1000, step: 1, integer: true,
  },
  mapBlurParameter(0, 4),
]

const ours = Object.fromEntries(parameters.map((parameter) => [parameter.name, parameter.default])) satisfies ParameterValues

const presets: readonly Preset[] = [
  {
    id: 'maskscope', title: 'Maskscope',
    source: 'Ours: the sampling, kernel and regression of the LIME repository on about fifty SLIC segments.',
    values: ours,
  },
  {
    id: 'lime-repository', title: 'As the LIME repository',
    source: 'The defaults of lime_image in the authors\' repository: quickshift (kernel 4, distance 200, ratio 0.2), mean colour of the segment, 1000 samples, Ridge 1, kernel width 0.25.',
    values: { ...ours, segmentation: 'quickshift', fill: 'segment' },
  },
  {
    id: 'captum', title: 'As Captum',
    source: 'Captum\'s defaults: 25 samples, black, cosine distance of the inputs with kernel width 1, Lasso 0.01. It asks its user for segments; ours are SLIC\'s.',
    values: { ...ours, samples: 25, score: 'logit', fill: 'zero', distance: 'cosine', 'kernel-width': 1, penalty: 'lasso', 'penalty-strength': 0.01 },
  },
  {
    id: 'xplique', title: 'As Xplique',
    source: 'Xplique\'s defaults: quickshift (kernel 2, distance 10, ratio 0.5), grey, 150 samples, Euclidean distance with exp(−d²/45²), Ridge 2.',
    values: {
      ...ours, samples: 150, score: 'logit', segmentation: 'quickshift', 'quickshift-kernel': 2, 'quickshift-distance': 10, 'quickshift-ratio': 0.5,
      fill: 'grey', distance: 'euclidean', 'kernel-width': 45 / Math.SQRT2, 'penalty-strength': 2,
    },
  },
]

export const limeSchema: ParameterSchema = { parameters, presets }

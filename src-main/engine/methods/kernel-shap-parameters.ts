import type { Parameter, ParameterSchema, ParameterValues, Preset } from '#shared/domain/parameters.ts'
import { fillBlurParameter, mapBlurParameter, scoreParameter } from './common/parameters.ts'
import { segmentParameters } from './perturbation/segment-parameters.ts'

/** How Σφ = f(x) − f(fill) is made to hold. */
export type Constraint = 'exact' | 'weighted' | 'none'

const parameters: readonly Parameter[] = [
  {
    type: 'number', name: 'samples', label: 'Coalitions', group: 'Sampling', common: true,
    help: 'Masked images asked for, besides the untouched one and the fill; 0 means twice the number of segments and 2048 more.',
    default: 0, min: 0, max: 1000000, step: 1, integer: true,
  },
  scoreParameter('probability', ['probability', 'log-probability', 'log-odds', 'logit']),
  ...segmentParameters,
  fillBlurParameter,
  {
    type: 'choice', name: 'coalitions', label: 'Drawing', group: 'Sampling',
    help: 'Small and large coalitions in full and the others in pairs, or each drawn by itself with sizes by the Shapley kernel.',
    default: 'paired', options: [{ value: 'paired', label: 'In full, then in pairs' }, { value: 'single', label: 'One by one' }],
  },
  {
    type: 'choice', name: 'constraint', label: 'Efficiency', group: 'Regression',
    help: 'How the values come to add up to the difference of the scores of the image and of the fill.',
    default: 'exact',
    options: [
      { value: 'exact', label: 'Exactly' }, { value: 'weighted', label: 'By two rows of great weight' }, { value: 'none', label: 'They need not' },
    ],
  },
  mapBlurParameter(0, 4),
]

const ours = Object.fromEntries(parameters.map((parameter) => [parameter.name, parameter.default])) satisfies ParameterValues

const presets: readonly Preset[] = [
  {
    id: 'maskscope', title: 'Maskscope',
    source: 'Ours: the sampling of the shap library on about fifty SLIC segments, solved with the constraint and without selection of features.',
    values: ours,
  },
  {
    id: 'captum', title: 'As Captum',
    source: 'Captum\'s defaults: 25 samples with sizes by the kernel, black, two rows of weight 10⁶. It asks its user for segments; ours are SLIC\'s.',
    values: { ...ours, samples: 25, score: 'logit', fill: 'zero', coalitions: 'single', constraint: 'weighted' },
  },
  {
    id: 'xplique', title: 'As Xplique',
    source: 'Xplique\'s defaults: quickshift (kernel 2, distance 10, ratio 0.5), grey, 800 samples with sizes by the kernel, no constraint.',
    values: {
      ...ours, samples: 800, score: 'logit', segmentation: 'quickshift', 'quickshift-kernel': 2, 'quickshift-distance': 10, 'quickshift-ratio': 0.5,
      fill: 'grey', coalitions: 'single', constraint: 'none',
    },
  },
]

export const kernelShapSchema: ParameterSchema = { parameters, presets }

import type { Parameter, ParameterSchema, Preset } from '#shared/domain/parameters.ts'
import { fillBlurParameter, fillParameter, mapBlurParameter } from './common/parameters.ts'
import { defaultsOf, learningRateParameter, noiseParameter, scoreOfMask, stepsParameter, weightParameter } from './perturbation/mask-parameters.ts'

const parameters: readonly Parameter[] = [
  stepsParameter(15),
  {
    type: 'number', name: 'path-steps', label: 'Steps of the path', group: 'Optimisation', common: true,
    help: 'Steps in which the masks grow from nothing, over which scores and gradients are averaged; each costs four images.',
    default: 10, min: 1, max: 200, step: 1, integer: true,
  },
  {
    type: 'choice', name: 'optimiser', label: 'Optimiser', group: 'Optimisation',
    help: 'The largest step, or a fifth of it, a twenty-fifth and so on, that lowers the loss enough; or Nesterov\'s momentum with a fixed step.',
    default: 'line-search', options: [{ value: 'line-search', label: 'Line search' }, { value: 'nesterov', label: 'Nesterov' }],
  },
  learningRateParameter('The step, or the first one that a line search tries, for 28 × 28 cells; it grows with their number.', 1000),
  scoreOfMask('probability'),
  weightParameter('area-weight', 'Area', 'λ1', 'Weight of mean|1 − m|, the marked part.', 2, { min: 0.5, max: 20 }),
  weightParameter('variation-weight', 'Variation', 'λ2', 'Weight of the variation: half of the cells\', half of the enlarged mask\'s where the image has no edges.', 20, { min: 1, max: 100 }),
  {
    type: 'number', name: 'beta', label: 'Power of the variation', symbol: 'β', group: 'Loss',
    help: 'Differences of neighbours count to this power.', default: 2, min: 1, max: 4, step: 0.1,
  },
  {
    type: 'number', name: 'edge', label: 'Edge', symbol: 's', group: 'Loss',
    help: 'The difference of neighbouring pixels at which an edge lowers the price of variation to 1/e, exp(−(ΔI/s)²).',
    default: 0.0225, min: 0.001, max: 1, step: 0.0005, logarithmic: true,
  },
  {
    type: 'number', name: 'resolution', label: 'Resolution', group: 'Mask', common: true,
    help: 'Cells of the masks along the shorter side; 0 means one per pixel.',
    default: 28, min: 0, max: 1024, step: 1, integer: true, unit: 'cells', tune: { min: 7, max: 32 },
  },
  fillParameter('blur', ['mean', 'blur', 'zero']),
  { ...fillBlurParameter, default: 14.5 } as Parameter,
  noiseParameter(0.045),
  mapBlurParameter(0, 4),
]

const ours = defaultsOf(parameters)

const published = { ...ours, 'path-steps': 20, iterations: 20 }

const presets: readonly Preset[] = [
  {
    id: 'maskscope', title: 'Maskscope', source: 'Ours: the authors\' objective and line search with half the points of the path.', values: ours,
  },
  {
    id: 'authors', title: 'As the authors\' code',
    source: 'The authors\' code as its guide calls it: λ = (10, 20), 20 steps of 20 points, line search from 1000, blur by 51 × 51 (nearly a box; ours a Gaussian of the same width), noise .2 of normalised values.',
    values: { ...published, 'area-weight': 10 },
  },
  {
    id: 'authors-later', title: 'As the authors\' later code',
    source: 'Its later defaults: λ = (1, 20), 15 steps of 20 points.',
    values: { ...published, iterations: 15, optimiser: 'nesterov', 'area-weight': 1 },
  },
]

export const igosSchema: ParameterSchema = { parameters, presets }

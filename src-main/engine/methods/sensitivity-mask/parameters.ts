import type { Parameter, ParameterSchema, ParameterValues, Preset } from '#shared/domain/parameters.ts'
import { startsParameter } from '../masks/contest.ts'
import { edgeParameters, ourEdges } from '../masks/edges.ts'
import { growthParameter } from '../masks/growth.ts'
import { fillBlurParameter, fillParameter, mapBlurParameter, scoreParameter } from '../common/parameters.ts'

/** The values of our preset for outputs alone, which are also every parameter's default. */
const ours = {
  access: 'query',
  queries: 8000,
  steps: 200,
  'learning-rate': 0.3,
  pairs: 16,
  deviation: 1.5,
  'noise-smoothing': 1.25,
  score: 'log-probability',
  'score-cap': 0,
  'area-weight': 6,
  'variation-weight': 0.2,
  hold: 0.5,
  mode: 'preserve',
  weigh: false,
  localise: false,
  resolution: 36,
  stages: 1,
  smoothing: 1.25,
  'start-margin': 0.02,
  ceiling: 4,
  fill: 'drawn',
  'fill-blur': 10,
  shift: 3,
  growth: 0,
  restarts: 1,
  starts: 3,
  averaging: 0.5,
  map: 'mask',
  'sensitivity-blur': 1,
  'map-blur': 0,
  ...ourEdges,
} satisfies ParameterValues

const oursWithGradients = {
  ...ours,
  access: 'gradient',
  'learning-rate': 0.25,
  'area-weight': 10,
  'variation-weight': 1,
  shift: 4,
} satisfies ParameterValues

const presets: readonly Preset[] = [
  { id: 'maskscope', title: 'Maskscope, from outputs', source: 'Ours: tuned on scenes (docs/methods.md).', values: ours },
  { id: 'maskscope-gradient', title: 'Maskscope, from gradients', source: 'Ours: tuned on scenes (docs/methods.md).', values: oursWithGradients },
  { id: 'maskscope-plain', title: 'Maskscope, mask alone', source: 'Ours, from outputs, the map not averaged over segments of the image (docs/methods.md).', values: { ...ours, edges: 0 } },
  {
    id: 'published',
    title: 'As published (our reading)',
    source: 'What the abstract says: outputs only, a random mask, cells located and weighed by their sensitivity. No code was released; the rest is our reading.',
    values: {
      ...ours, weigh: true, localise: true, resolution: 28, smoothing: 1, 'noise-smoothing': 1, stages: 3, starts: 1, ceiling: 0, hold: 0,
      map: 'product', 'sensitivity-blur': 0, 'map-blur': 2.3, edges: 0,
    },
  },
]

const parameters: readonly Parameter[] = [
  {
    type: 'choice', name: 'access', label: 'Slopes', group: 'Access', common: true,
    help: 'Where the slopes come from: estimated from the classifier’s outputs alone, or its own gradients.',
    default: ours.access, options: [{ value: 'query', label: 'Estimated from outputs' }, { value: 'gradient', label: 'The classifier’s gradients' }],
  },
  {
    type: 'number', name: 'queries', label: 'Queries', group: 'Access', common: true,
    help: 'With outputs alone: how often the classifier may be asked per image.',
    default: ours.queries, min: 2, max: 1000000, step: 1, integer: true, logarithmic: true, unit: 'images',
  },
  {
    type: 'number', name: 'steps', label: 'Steps', group: 'Access',
    help: 'With gradients: steps of the optimiser.',
    default: ours.steps, min: 1, max: 20000, step: 1, integer: true, logarithmic: true, unit: 'steps',
  },
  {
    type: 'number', name: 'learning-rate', label: 'Learning rate', symbol: 'η', group: 'Optimisation', live: true,
    help: 'Step size of Adam.',
    default: ours['learning-rate'], min: 0.0001, max: 10, step: 0.001, logarithmic: true, tune: { min: 0.1, max: 0.5 },
  },
  {
    type: 'number', name: 'pairs', label: 'Pairs', group: 'Strategy',
    help: 'Pairs of opposite perturbations per step.',
    default: ours.pairs, min: 1, max: 1000, step: 1, integer: true, unit: 'pairs', tune: { min: 8, max: 16 },
  },
  {
    type: 'number', name: 'deviation', label: 'Deviation', symbol: 'σ', group: 'Strategy', live: true,
    help: 'Standard deviation of the perturbation of each cell before the sigmoid.',
    default: ours.deviation, min: 0.001, max: 20, step: 0.1, tune: { min: 1, max: 2 },
  },
  {
    type: 'number', name: 'noise-smoothing', label: 'Smoothing of the noise', group: 'Strategy',
    help: 'Standard deviation of a Gaussian over the perturbations, in cells of the last stage; 0 perturbs every cell on its own.',
    default: ours['noise-smoothing'], min: 0, max: 20, step: 0.1, unit: 'cells', tune: { min: 0.9, max: 1.6 },
  },
  scoreParameter('log-probability'),
  {
    type: 'number', name: 'score-cap', label: 'Cap of the score', group: 'Score',
    help: 'Scores beyond this on either side count as this; 0 means none. Log-odds want a cap of 8.',
    default: ours['score-cap'], min: 0, max: 1000, step: 0.5,
  },
  {
    type: 'choice', name: 'mode', label: 'Mode', group: 'Loss',
    help: 'Keep the class with what the mask marks, lose it without, or both (the mean of the two).',
    default: ours.mode,
    options: [{ value: 'preserve', label: 'Preserve' }, { value: 'delete', label: 'Delete' }, { value: 'both', label: 'Both' }],
  },
  {
    type: 'number', name: 'area-weight', label: 'Area', symbol: 'λa', group: 'Loss', live: true, common: true,
    help: 'Weight of the mean of the mask, in units of the score: logits of large networks want more than log-probabilities.',
    default: ours['area-weight'], min: 0, max: 1000, step: 0.1, logarithmic: true, tune: { min: 4, max: 10 },
  },
  {
    type: 'number', name: 'variation-weight', label: 'Variation', symbol: 'λv', group: 'Loss', live: true, common: true,
    help: 'Weight of the total variation of the mask: the mean difference between neighbouring cells.',
    default: ours['variation-weight'], min: 0, max: 1000, step: 0.01, logarithmic: true, tune: { min: 0.05, max: 1 },
  },
  {
    type: 'boolean', name: 'weigh', label: 'Weigh', group: 'Sensitivity', live: true,
    help: 'Cells to which the classifier is sensitive cost less area, others more.',
    default: ours.weigh,
  },
  {
    type: 'boolean', name: 'localise', label: 'Localise', group: 'Sensitivity', live: true,
    help: 'Cells to which the classifier is sensitive take longer steps, others shorter ones.',
    default: ours.localise, tune: { values: [false, true] },
  },
  {
    type: 'number', name: 'resolution', label: 'Resolution', group: 'Mask', common: true,
    help: 'Cells of the mask along the shorter side, enlarged by exact interpolation; 0 means one per pixel.',
    default: ours.resolution, min: 0, max: 1024, step: 1, integer: true, unit: 'cells', tune: { min: 28, max: 44 },
  },
  {
    type: 'number', name: 'stages', label: 'Stages', group: 'Mask',
    help: 'The optimisation goes through so many resolutions, each twice the one before.',
    default: ours.stages, min: 1, max: 5, step: 1, integer: true,
  },
  {
    type: 'number', name: 'smoothing', label: 'Smoothing', group: 'Mask',
    help: 'Standard deviation of a Gaussian over the mask before its sigmoid, inside the optimisation; 0 means none.',
    default: ours.smoothing, min: 0, max: 20, step: 0.1, unit: 'cells', tune: { min: 0.9, max: 1.6 },
  },
  {
    type: 'number', name: 'start-margin', label: 'Margin of the start', group: 'Mask',
    help: 'The mask starts uniformly between this and one minus this; 0.5 starts it at one half everywhere.',
    default: ours['start-margin'], min: 0.001, max: 0.5, step: 0.01,
  },
  withDrawn(fillParameter('mean')),
  fillBlurParameter,
  {
    type: 'number', name: 'shift', label: 'Shift', group: 'Randomisation', live: true,
    help: 'Image and mask move together by up to this many pixels each way, anew for every pair, for a shorter side of 64 pixels; it scales with the image.',
    default: ours.shift, min: 0, max: 16, step: 0.5, unit: 'px at 64', tune: { min: 2, max: 6 },
  },
  growthParameter,
  {
    type: 'number', name: 'restarts', label: 'Restarts', group: 'Averaging',
    help: 'Independent optimisations whose masks are averaged before the sigmoid; they share the queries.',
    default: ours.restarts, min: 1, max: 32, step: 1, integer: true,
  },
  {
    type: 'number', name: 'averaging', label: 'Averaged part', group: 'Averaging',
    help: 'The finished mask is the mean before the sigmoid over this last part of the steps; 0 takes the last step alone.',
    default: ours.averaging, min: 0, max: 0.9, step: 0.05, tune: { values: [0.25, 0.5] },
  },
  {
    type: 'choice', name: 'map', label: 'Map', group: 'Map', common: true,
    help: 'What the finished map is made of: the mask, the sensitivity of its cells, their product or their sum.',
    default: ours.map,
    options: [
      { value: 'mask', label: 'Mask' }, { value: 'sensitivity', label: 'Sensitivity' }, { value: 'product', label: 'Mask × sensitivity' },
      { value: 'sum', label: 'Mask + sensitivity' },
    ],
    tune: { values: ['mask', 'sum'] },
  },
  {
    type: 'number', name: 'sensitivity-blur', label: 'Blur of the sensitivity', group: 'Map',
    help: 'Standard deviation of a Gaussian over the sensitivity before it goes into the map; 0 means none.',
    default: ours['sensitivity-blur'], min: 0, max: 20, step: 0.1, unit: 'cells',
  },
  mapBlurParameter(),
  ...edgeParameters,
  {
    type: 'number', name: 'hold', label: 'Hold', group: 'Loss', live: true,
    help: 'Where the masked image keeps less than this share of the class’s probability, the area costs less in proportion, so that large objects are not given up; 0: it always costs the same.',
    default: ours.hold, min: 0, max: 1, step: 0.05, tune: { values: [0.5, 0.9] },
  },
  {
    type: 'number', name: 'ceiling', label: 'Ceiling', group: 'Mask', live: true,
    help: 'Cells go no higher than this before the sigmoid, so that what is shown in full can still be hidden; 0: as high as they come.',
    default: ours.ceiling, min: 0, max: 20, step: 0.5,
  },
  { ...startsParameter, help: `${startsParameter.help} With outputs alone they share the queries.` },
]

/** The shared parameter, with the fill that this method draws anew for every pair. */
function withDrawn(fill: Parameter): Parameter {
  if (fill.type !== 'choice') return fill
  const drawn = { value: 'drawn', label: 'Another texture every time' }
  return { ...fill, default: ours.fill, options: [drawn, ...fill.options] }
}

export const sensitivityMaskSchema: ParameterSchema = { parameters, presets }

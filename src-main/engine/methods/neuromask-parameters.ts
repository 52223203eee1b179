import type { Parameter, ParameterSchema, ParameterValues, Preset } from '#shared/domain/parameters.ts'
import { MaskscopeError } from '#shared/domain/errors.ts'
import { startsParameter } from './masks/contest.ts'
import { edgeParameters, ourEdges, type EdgeSettings } from './masks/edges.ts'
import { fillKinds, type FillKind } from './masks/fills.ts'
import { growthParameter } from './masks/growth.ts'
import type { Mode } from './masks/sides.ts'

/** NeuroMask's parameters as its code uses them. */
export interface NeuroMaskSettings {
  iterations: number
  learningRate: number
  predictionWeight: number
  sparsityWeight: number
  smoothnessWeight: number
  temperature: number
  offset: number
  initRange: number
  kernel: 3 | 5
  resolution: number
  smoothing: number
  mode: Mode
  fill: FillKind
  blur: number
  shift: number
  flip: boolean
  noise: number
  /** In cells. */
  growth: number
  averaging: number
  restarts: number
  starts: number
  earlyStopping: boolean
  patience: number
  tolerance: number
  edges: EdgeSettings
}

/** The values of our preset, which are also every parameter's default. */
const ours = {
  iterations: 300,
  // Larger rates need fewer steps and end where rounding decides: two executors, and two pictures that differ by 1e-6, then end in different masks.
  'learning-rate': 0.07,
  // The mean square starts at ones, so small losses take a hundred steps to move anything; the scale cures that.
  'prediction-weight': 100,
  'sparsity-weight': 100,
  'smoothness-weight': 5,
  temperature: 1,
  offset: 3,
  'init-range': 0.1,
  kernel: '3x3',
  resolution: 36,
  smoothing: 1.25,
  mode: 'preserve',
  fill: 'drawn',
  blur: 10,
  shift: 6,
  flip: false,
  noise: 0,
  growth: 0,
  averaging: 0.25,
  restarts: 1,
  starts: 3,
  'early-stopping': false,
  patience: 50,
  tolerance: 0.001,
  ...ourEdges,
} satisfies ParameterValues

/** What the published presets have in common: a full-resolution mask over black, nothing random but its start. */
const published = {
  ...ours,
  'learning-rate': 0.03,
  offset: 10,
  'init-range': 10,
  kernel: '5x5',
  resolution: 0,
  smoothing: 0,
  fill: 'zero',
  shift: 0,
  averaging: 0,
  starts: 1,
  edges: 0,
} satisfies ParameterValues

const presets: readonly Preset[] = [
  {
    id: 'maskscope',
    title: 'Maskscope',
    source: 'Ours: tuned on scenes (docs/methods.md).',
    values: ours,
  },
  {
    id: 'maskscope-plain',
    title: 'Maskscope, mask alone',
    source: 'Ours, the map not averaged over segments of the image (docs/methods.md).',
    values: { ...ours, edges: 0 },
  },
  {
    id: 'imagenet-demo',
    title: 'ImageNet demo',
    source: "The authors' ImageNet demonstration (Inception v3 at 299²): λ = (0.4, 0.35, 0.03), T = 0.3, 2000 iterations.",
    values: {
      ...published, iterations: 2000, temperature: 0.3,
      'prediction-weight': 0.4, 'sparsity-weight': 0.35, 'smoothness-weight': 0.03,
    },
  },
  {
    id: 'cifar10-demo',
    title: 'CIFAR-10 demo',
    source: "The authors' CIFAR-10 demonstration: λ = (0.4, 0.35, 0.15), T = 1, 2000 iterations, 3×3 kernel.",
    values: {
      ...published, iterations: 2000, temperature: 1, kernel: '3x3',
      'prediction-weight': 0.4, 'sparsity-weight': 0.35, 'smoothness-weight': 0.15,
    },
  },
  {
    id: 'class-defaults',
    title: 'Class defaults',
    source: "The defaults of the authors' NeuroMask class: λ = (50, 16, 3), T = 0.3, 1000 iterations.",
    values: {
      ...published, iterations: 1000, temperature: 0.3,
      'prediction-weight': 50, 'sparsity-weight': 16, 'smoothness-weight': 3,
    },
  },
]

const parameters: readonly Parameter[] = [
  {
    type: 'number', name: 'iterations', label: 'Iterations', group: 'Optimisation', common: true,
    help: 'Steps of the optimiser; the published presets show nothing but smoothing in their first 300.',
    default: ours.iterations, min: 1, max: 20000, step: 1, integer: true, logarithmic: true, unit: 'steps',
  },
  {
    type: 'number', name: 'learning-rate', label: 'Learning rate', symbol: 'η', group: 'Optimisation', live: true,
    help: 'Step size of RMSProp (decay .9, mean square starting at ones, as in the reference).',
    default: ours['learning-rate'], min: 0.0001, max: 10, step: 0.001, logarithmic: true, tune: { min: 0.03, max: 0.2 },
  },
  {
    type: 'number', name: 'prediction-weight', label: 'Prediction', symbol: 'λp', group: 'Loss', live: true,
    help: 'Weight of the cross-entropy of the masked image with the target class.',
    default: ours['prediction-weight'], min: 0, max: 1000, step: 0.01, logarithmic: true,
  },
  {
    type: 'number', name: 'sparsity-weight', label: 'Sparsity', symbol: 'λs', group: 'Loss', live: true, common: true,
    help: 'Weight of mean|w + L|, which pulls every pixel towards being hidden.',
    default: ours['sparsity-weight'], min: 0, max: 1000, step: 0.01, logarithmic: true, tune: { min: 60, max: 140 },
  },
  {
    type: 'number', name: 'smoothness-weight', label: 'Smoothness', symbol: 'λd', group: 'Loss', live: true, common: true,
    help: 'Weight of mean((K∗w)²), which makes neighbouring pixels agree.',
    default: ours['smoothness-weight'], min: 0, max: 1000, step: 0.001, logarithmic: true, tune: { min: 1, max: 20 },
  },
  {
    type: 'choice', name: 'kernel', label: 'Smoothness kernel', symbol: 'K', group: 'Loss',
    help: 'High-pass kernel of the smoothness term: centre 24 or 8, the rest −1.',
    default: ours.kernel, options: [{ value: '3x3', label: '3 × 3' }, { value: '5x5', label: '5 × 5' }],
  },
  {
    type: 'number', name: 'offset', label: 'Background level', symbol: 'L', group: 'Loss', live: true,
    help: 'Hidden pixels are drawn towards w = −L, where the mask is sigmoid(−L/T).',
    default: ours.offset, min: 0, max: 100, step: 0.1, tune: { min: 2, max: 5 },
  },
  {
    type: 'choice', name: 'mode', label: 'Mode', group: 'Loss',
    help: 'Keep the class with what the mask marks, lose it without, or both (the mean of the two losses).',
    default: ours.mode,
    options: [{ value: 'preserve', label: 'Preserve' }, { value: 'delete', label: 'Delete' }, { value: 'both', label: 'Both' }],
  },
  {
    type: 'number', name: 'temperature', label: 'Temperature', symbol: 'T', group: 'Mask', live: true,
    help: 'The mask is sigmoid(w/T): a small T makes it nearly binary.',
    default: ours.temperature, min: 0.01, max: 10, step: 0.01, logarithmic: true,
  },
  {
    type: 'number', name: 'resolution', label: 'Resolution', group: 'Mask', common: true,
    help: 'Cells of the mask along the shorter side, enlarged by exact interpolation; 0 means one per pixel.',
    default: ours.resolution, min: 0, max: 1024, step: 1, integer: true, unit: 'cells', tune: { min: 28, max: 44 },
  },
  {
    type: 'number', name: 'smoothing', label: 'Smoothing', symbol: 'σ', group: 'Mask', live: true,
    help: 'Standard deviation of a Gaussian applied to w inside the optimisation; 0 means none.',
    default: ours.smoothing, min: 0, max: 20, step: 0.1, unit: 'cells', tune: { min: 0.9, max: 1.6 },
  },
  {
    type: 'number', name: 'init-range', label: 'Initial range', group: 'Mask',
    help: 'w starts uniformly in (−range, range).',
    default: ours['init-range'], min: 0, max: 100, step: 0.1,
  },
  {
    type: 'choice', name: 'fill', label: 'Fill', group: 'Fill', common: true,
    help: 'What stands where the mask hides the image. Textures are drawn in its mean colour.',
    default: ours.fill,
    options: [
      { value: 'drawn', label: 'Another texture at every step' },
      { value: 'zero', label: 'Black' },
      { value: 'mean', label: 'Mean colour of the image' },
      { value: 'blur', label: 'The image, blurred' },
      { value: 'noise', label: 'Uniform noise' },
    ],
  },
  {
    type: 'number', name: 'blur', label: 'Blur of the fill', group: 'Fill',
    help: 'Standard deviation of the fill “blur”.',
    default: ours.blur, min: 0.1, max: 100, step: 0.1, unit: 'px',
  },
  {
    type: 'number', name: 'shift', label: 'Shift', group: 'Randomisation', live: true,
    help: 'At every step image and mask move together by up to this many pixels each way.',
    default: ours.shift, min: 0, max: 64, step: 1, integer: true, unit: 'px', tune: { min: 3, max: 8 },
  },
  {
    type: 'boolean', name: 'flip', label: 'Flip', group: 'Randomisation', live: true,
    help: 'At every step image and mask are mirrored left to right with probability ½.',
    default: ours.flip,
  },
  {
    type: 'number', name: 'noise', label: 'Noise', group: 'Randomisation', live: true,
    help: 'Standard deviation of Gaussian noise added to the masked image at every step (the image lies in [0, 1]).',
    default: ours.noise, min: 0, max: 1, step: 0.01,
  },
  growthParameter,
  {
    type: 'number', name: 'restarts', label: 'Restarts', group: 'Averaging',
    help: 'Independent optimisations whose masks are averaged before the sigmoid.',
    default: ours.restarts, min: 1, max: 32, step: 1, integer: true,
  },
  {
    type: 'number', name: 'averaging', label: 'Averaged part', group: 'Averaging', live: true,
    help: 'The finished mask is the mean of w over this last part of the steps; 0 takes the last step alone.',
    default: ours.averaging, min: 0, max: 0.9, step: 0.05, tune: { values: [0.25, 0.5] },
  },
  {
    type: 'boolean', name: 'early-stopping', label: 'Early stopping', group: 'Stopping', live: true,
    help: 'End when the loss has reached a plateau.',
    default: ours['early-stopping'],
  },
  {
    type: 'number', name: 'patience', label: 'Patience', group: 'Stopping', live: true,
    help: 'The mean loss of this many steps is compared with that of as many before.',
    default: ours.patience, min: 2, max: 5000, step: 1, integer: true, unit: 'steps',
  },
  {
    type: 'number', name: 'tolerance', label: 'Tolerance', group: 'Stopping', live: true,
    help: 'A plateau is a relative fall of the mean loss below this.',
    default: ours.tolerance, min: 0, max: 1, step: 0.0001,
  },
  ...edgeParameters,
  startsParameter,
]

export const neuroMaskSchema: ParameterSchema = { parameters, presets }

/** @throws MaskscopeError 'usage' for values that have not gone through `resolveParameters`. */
export function readSettings(values: ParameterValues): NeuroMaskSettings {
  function read(name: string, type: 'number' | 'string' | 'boolean'): never {
    const value = values[name]
    if (typeof value !== type) {
      throw new MaskscopeError('usage', `Parameter ${name} is missing or is not a ${type}.`, { subject: name })
    }
    return value as never
  }
  const fill: string = read('fill', 'string')
  const kernel: string = read('kernel', 'string')
  return {
    iterations: read('iterations', 'number'),
    learningRate: read('learning-rate', 'number'),
    predictionWeight: read('prediction-weight', 'number'),
    sparsityWeight: read('sparsity-weight', 'number'),
    smoothnessWeight: read('smoothness-weight', 'number'),
    temperature: read('temperature', 'number'),
    offset: read('offset', 'number'),
    initRange: read('init-range', 'number'),
    kernel: kernel === '5x5' ? 5 : 3,
    resolution: read('resolution', 'number'),
    smoothing: read('smoothing', 'number'),
    mode: read('mode', 'string'),
    fill: fillKinds.find((kind) => kind === fill) ?? 'zero',
    blur: read('blur', 'number'),
    shift: read('shift', 'number'),
    flip: read('flip', 'boolean'),
    noise: read('noise', 'number'),
    growth: read('growth', 'number'),
    averaging: read('averaging', 'number'),
    restarts: read('restarts', 'number'),
    starts: read('starts', 'number'),
    earlyStopping: read('early-stopping', 'boolean'),
    patience: read('patience', 'number'),
    tolerance: read('tolerance', 'number'),
    edges: { share: read('edges', 'number'), segments: read('edge-segments', 'number') },
  }
}

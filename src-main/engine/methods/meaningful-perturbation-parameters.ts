import type { Parameter, ParameterSchema, Preset } from '#shared/domain/parameters.ts'
import { fillBlurParameter, fillParameter, mapBlurParameter } from './common/parameters.ts'
import { defaultsOf, learningRateParameter, noiseParameter, scoreOfMask, shiftParameter, stepsParameter, weightParameter } from './perturbation/mask-parameters.ts'

const parameters: readonly Parameter[] = [
  stepsParameter(300),
  learningRateParameter('Step size of Adam.', 0.1, { min: 0.03, max: 0.3 }),
  scoreOfMask('probability'),
  {
    type: 'choice', name: 'mode', label: 'Game', group: 'Loss', common: true,
    help: 'Lose the class by hiding as little as possible, as published, or keep it by showing as little as possible.',
    default: 'delete', options: [{ value: 'delete', label: 'Delete' }, { value: 'preserve', label: 'Preserve' }],
    tune: { values: ['delete', 'preserve'] },
  },
  weightParameter('area-weight', 'Area', 'λ1', 'Weight of mean|1 − m|, the hidden part (of mean|m|, the shown part, where the class is to be kept).', 0.3, { min: 0.01, max: 2 }),
  weightParameter('variation-weight', 'Variation', 'λ2', 'Weight of the mean total variation of the mask.', 8, { min: 0.1, max: 20 }),
  {
    type: 'number', name: 'beta', label: 'Power of the variation', symbol: 'β', group: 'Loss',
    help: 'Differences of neighbouring cells count to this power.', default: 3, min: 1, max: 4, step: 0.1, tune: { values: [2, 3] },
  },
  {
    type: 'choice', name: 'variation', label: 'Form of the variation', group: 'Loss',
    help: 'Both directions in one root, or each by itself.', default: 'isotropic',
    options: [{ value: 'isotropic', label: 'Isotropic' }, { value: 'anisotropic', label: 'Anisotropic' }],
  },
  {
    type: 'number', name: 'resolution', label: 'Resolution', group: 'Mask', common: true,
    help: 'Cells of the mask along the shorter side; 0 means one per pixel.',
    default: 28, min: 0, max: 1024, step: 1, integer: true, unit: 'cells', tune: { min: 7, max: 32 },
  },
  {
    type: 'choice', name: 'enlargement', label: 'Enlargement', group: 'Mask',
    help: 'Exact interpolation, or squares with a Gaussian over them.', default: 'blurred',
    options: [{ value: 'blurred', label: 'Squares, blurred' }, { value: 'bilinear', label: 'Interpolated' }],
  },
  {
    type: 'number', name: 'mask-blur', label: 'Blur of the squares', group: 'Mask',
    help: 'Standard deviation of that Gaussian, for a shorter side of 224 pixels; it scales with the image.',
    default: 5, min: 0, max: 50, step: 0.1, unit: 'px at 224', tune: { min: 0, max: 15 },
  },
  {
    type: 'boolean', name: 'blur-gradient', label: 'Gradient through the blur', group: 'Mask',
    help: 'Take the exact gradient; without it the Gaussian is left out on the way back, as in the authors\' code.', default: true,
  },
  {
    type: 'choice', name: 'start', label: 'Start', group: 'Mask',
    help: 'All shown, uniformly random, or the smallest blurred disc that loses the class.', default: 'ones',
    options: [{ value: 'ones', label: 'All shown' }, { value: 'uniform', label: 'Random' }, { value: 'disc', label: 'Smallest disc' }],
  },
  fillParameter('blur', ['blur', 'mean', 'zero', 'noise']),
  fillBlurParameter,
  shiftParameter,
  noiseParameter(0),
  mapBlurParameter(0, 4),
]

const ours = defaultsOf(parameters)

const presets: readonly Preset[] = [
  {
    id: 'maskscope', title: 'Maskscope',
    source: 'Ours: the authors\' objective from a mask that shows all, with the exact gradient and a higher price.',
    values: ours,
  },
  {
    id: 'authors', title: 'As the authors\' code',
    source: 'The authors\' code (Caffe, GoogLeNet): 28×28 with blur 5, smallest disc, fill blurred by 10, 10⁻⁴·Σ|1 − m| + 10⁻²·Σ(∂x² + ∂y²)^1.5 over the grid, Adam .1, 300 steps.',
    values: { ...ours, start: 'disc', 'area-weight': 0.0784, 'variation-weight': 7.84, 'blur-gradient': false, shift: 2 },
  },
  {
    id: 'authors-localisation', title: 'As the authors\' code, localisation',
    source: 'The same code\'s settings for localisation: 10⁻³·Σ|1 − m| and β = 2. It explains the sum of the top five classes, ours one class.',
    values: { ...ours, start: 'disc', 'area-weight': 0.784, 'variation-weight': 7.84, beta: 2, 'blur-gradient': false, shift: 2 },
  },
  {
    id: 'pytorch-port', title: 'As the PyTorch port',
    source: 'The widely used PyTorch port: interpolated, from all shown, .01·mean|1 − m| + .2·(mean|∂x|³ + mean|∂y|³), noise .2 of normalised values, 500 steps. It blurs by a median of 11 pixels; ours is a Gaussian of 3.',
    values: {
      ...ours, iterations: 500, enlargement: 'bilinear', 'area-weight': 0.01, 'variation-weight': 0.2, variation: 'anisotropic', 'fill-blur': 3, shift: 0, noise: 0.045,
    },
  },
]

export const meaningfulPerturbationSchema: ParameterSchema = { parameters, presets }

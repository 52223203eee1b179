import type { ParameterSchema, ParameterValues } from '#shared/domain/parameters.ts'
import type { ScoreKind } from '#shared/domain/score.ts'
import { fillBlurParameter, mapBlurParameter, numberOf, scoreParameter, switchOf, wordOf } from './common/parameters.ts'
import { zeroParameter, type Zero } from './gradients/zero.ts'

/** By what the weighted sum of masks is divided at each pixel: their own sum there, its expectation, or their number. */
export type Normalisation = 'per-pixel' | 'expectation' | 'count'

export interface RiseSettings {
  masks: number
  cells: number
  keep: number
  score: ScoreKind
  sigmoid: boolean
  normalisation: Normalisation
  fill: Zero
  /** px at 224 */
  fillBlur: number
}

const ours = {
  score: 'probability', sigmoid: false, masks: 4000, cells: 7, keep: 0.5, normalisation: 'per-pixel', fill: 'mean', 'fill-blur': 10, 'map-blur': 0,
} satisfies ParameterValues

const published = { ...ours, normalisation: 'expectation', fill: 'model-zero' } satisfies ParameterValues

export const riseSchema: ParameterSchema = {
  parameters: [
    scoreParameter('probability', ['probability', 'logit', 'log-odds']),
    {
      type: 'boolean', name: 'sigmoid', label: 'Sigmoid of the score', group: 'Score', default: false,
      help: 'Weighs each mask with the sigmoid of the score, as for networks that see several classes at once.',
    },
    {
      type: 'number', name: 'masks', label: 'Masks', symbol: 'N', group: 'Masks', common: true,
      help: 'How many random masks are drawn; each costs one answer of the classifier.',
      default: 4000, min: 2, max: 100_000, step: 1, integer: true, logarithmic: true,
    },
    {
      type: 'number', name: 'cells', label: 'Cells', symbol: 's', group: 'Masks', common: true,
      help: 'Cells of a mask along each side, before it is enlarged.',
      default: 7, min: 1, max: 64, step: 1, integer: true, tune: { min: 5, max: 12 },
    },
    {
      type: 'number', name: 'keep', label: 'Share shown', symbol: 'p', group: 'Masks',
      help: 'Probability with which a cell shows the image.',
      default: 0.5, min: 0.01, max: 0.99, step: 0.01, tune: { min: 0.3, max: 0.7 },
    },
    {
      type: 'choice', name: 'normalisation', label: 'Divided by', group: 'Map',
      help: 'What the sum of weighted masks is divided by at each pixel. Only the masks seen there give a flat map for a constant classifier.',
      default: 'per-pixel',
      options: [
        { value: 'per-pixel', label: 'The masks seen there' },
        { value: 'expectation', label: 'The masks to be expected there' },
        { value: 'count', label: 'The number of masks' },
      ],
    },
    zeroParameter('Fill', 'What stands where the image is hidden.', 'mean', ['mean', 'zero', 'model-zero', 'blur', 'noise'], ['mean', 'zero', 'blur']),
    fillBlurParameter,
    mapBlurParameter(0, 4),
  ],
  presets: [
    { id: 'maskscope', title: 'Maskscope', source: 'Ours: 4,000 masks of 7×7 over the mean colour, divided by the masks seen at each pixel.', values: ours },
    {
      id: 'rise-repository', title: 'As the RISE repository', source: "The authors' notebook: 6,000 masks of 8×8, a tenth shown, over the network's zero.",
      values: { ...published, masks: 6000, cells: 8, keep: 0.1 },
    },
    {
      id: 'torchray', title: 'As TorchRay', source: "TorchRay: 8,000 masks of 7×7 over the network's zero, weighted with the sigmoid of the logit, divided by their number.",
      values: { ...published, masks: 8000, score: 'logit', sigmoid: true, normalisation: 'count' },
    },
    {
      id: 'xplique', title: 'As Xplique', source: "Xplique: 4,000 masks of 7×7 over the network's zero, divided by the masks seen at each pixel.",
      values: { ...published, normalisation: 'per-pixel' },
    },
  ],
}

export function readRiseSettings(values: ParameterValues): RiseSettings {
  return {
    masks: numberOf(values, 'masks'), cells: numberOf(values, 'cells'), keep: numberOf(values, 'keep'),
    score: wordOf(values, 'score'), sigmoid: switchOf(values, 'sigmoid'), normalisation: wordOf(values, 'normalisation'),
    fill: wordOf(values, 'fill'), fillBlur: numberOf(values, 'fill-blur'),
  }
}

import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ParameterValues } from '#shared/domain/parameters.ts'
import type { ScoreKind } from '#shared/domain/score.ts'
import { numberOf, switchOf, wordOf } from '../common/parameters.ts'
import type { Frame } from '../masks/compose.ts'
import { contestCost } from '../masks/contest.ts'
import type { EdgeSettings } from '../masks/edges.ts'
import type { FillKind } from '../masks/fills.ts'
import type { Mode } from '../masks/sides.ts'

/** The finished map: the mask, its sensitivity, their product, or their sum; each scaled to a maximum of 1 first where there are two. */
export const mapForms = ['mask', 'sensitivity', 'product', 'sum'] as const
export type MapForm = (typeof mapForms)[number]

/** The sensitivity mask's parameters as its code uses them. */
export interface SensitivityMaskSettings {
  access: 'query' | 'gradient'
  /** Of the optimiser. */
  iterations: number
  learningRate: number
  pairs: number
  deviation: number
  noiseSmoothing: number
  score: ScoreKind
  scoreCap: number
  areaWeight: number
  variationWeight: number
  /** Below this share of the class's probability the area is cheaper. */
  hold: number
  mode: Mode
  weigh: boolean
  localise: boolean
  resolution: number
  stages: number
  smoothing: number
  startMargin: number
  /** Of u; 0: none. */
  ceiling: number
  fill: FillKind
  /** In pixels of the image. */
  fillBlur: number
  /** In pixels of the image. */
  shift: number
  /** In cells of the last stage. */
  growth: number
  restarts: number
  starts: number
  averaging: number
  map: MapForm
  /** In cells. */
  sensitivityBlur: number
  /** In pixels of the image. */
  mapBlur: number
  edges: EdgeSettings
}

/**
 * @param frame of the images: what is given in pixels scales with it
 * @throws MaskscopeError 'usage' for values that have not gone through `resolveParameters`, or a budget too small for one step.
 */
export function readSettings(values: ParameterValues, frame: Frame): SensitivityMaskSettings {
  const shorter = Math.min(frame.height, frame.width)
  const access: 'query' | 'gradient' = wordOf(values, 'access')
  const mode: Mode = wordOf(values, 'mode')
  const pairs = numberOf(values, 'pairs')
  const restarts = numberOf(values, 'restarts')
  const starts = numberOf(values, 'starts')
  return {
    access,
    iterations: access === 'gradient' ? numberOf(values, 'steps') : stepsWithin(numberOf(values, 'queries'), restarts * 2 * pairs * (mode === 'both' ? 2 : 1) * contestCost(starts)),
    learningRate: numberOf(values, 'learning-rate'),
    pairs,
    deviation: numberOf(values, 'deviation'),
    noiseSmoothing: numberOf(values, 'noise-smoothing'),
    score: wordOf(values, 'score'),
    scoreCap: numberOf(values, 'score-cap'),
    areaWeight: numberOf(values, 'area-weight'),
    variationWeight: numberOf(values, 'variation-weight'),
    hold: numberOf(values, 'hold'),
    mode,
    weigh: switchOf(values, 'weigh'),
    localise: switchOf(values, 'localise'),
    resolution: numberOf(values, 'resolution'),
    stages: numberOf(values, 'stages'),
    smoothing: numberOf(values, 'smoothing'),
    startMargin: numberOf(values, 'start-margin'),
    ceiling: numberOf(values, 'ceiling'),
    fill: wordOf(values, 'fill'),
    fillBlur: (numberOf(values, 'fill-blur') * shorter) / 224,
    shift: Math.round((numberOf(values, 'shift') * shorter) / 64),
    growth: numberOf(values, 'growth'),
    restarts,
    starts,
    averaging: numberOf(values, 'averaging'),
    map: wordOf(values, 'map'),
    sensitivityBlur: numberOf(values, 'sensitivity-blur'),
    mapBlur: (numberOf(values, 'map-blur') * shorter) / 64,
    edges: { share: numberOf(values, 'edges'), segments: numberOf(values, 'edge-segments') },
  }
}

function stepsWithin(queries: number, perStep: number): number {
  const steps = Math.floor(queries / perStep)
  if (steps >= 1) return steps
  throw new MaskscopeError('usage', `Parameter queries is ${queries}, and one step takes ${Math.ceil(perStep)}; raise it, or lower pairs, restarts or starts.`, { subject: 'queries' })
}

import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ParameterValues } from '#shared/domain/parameters.ts'
import type { ScoreKind } from '#shared/domain/score.ts'
import { numberOf, wordOf } from '../common/parameters.ts'
import type { FillKind } from '../masks/fills.ts'
import { planGenerations, type Generation } from './schedule.ts'

/** `random`: nothing evolves, the control. */
export type Strategy = 'l-shade' | 'rand-1-bin' | 'random'
export type GenotypeKind = 'cells' | 'gaussians' | 'segments'
/** Keep the score under the mask, lose it where the mask is removed, or the difference of the two. */
export type Aim = 'preserve' | 'delete' | 'dual'

/** Parameters of `de-cam` and `random-search` as their code uses them. */
export interface EvolutionSettings {
  strategy: Strategy
  genotype: GenotypeKind
  resolution: number
  hills: number
  segments: number
  compactness: number
  aim: Aim
  score: ScoreKind
  areaWeight: number
  variationWeight: number
  fill: FillKind
  /** In pixels. */
  fillBlur: number
  islands: number
  plan: readonly Generation[]
  /** Of the plan: the mean of the populations is taken from here on. */
  averageFrom: number
  /** Share of a population, from the best, that counts in its mean. */
  elite: number
}

/** Individuals at the end of L-SHADE. */
const lastPopulation = 8

/**
 * @param image the size of the images
 * @param fixed of the control, which has no parameters for these
 * @throws MaskscopeError 'usage' where the budget does not reach for the first individuals
 */
export function readSettings(values: ParameterValues, image: { height: number; width: number }, fixed?: { strategy: 'random' }): EvolutionSettings {
  const strategy = fixed?.strategy ?? wordOf<Strategy>(values, 'strategy')
  const aim = wordOf<Aim>(values, 'mode')
  const islands = numberOf(values, 'islands')
  const first = numberOf(values, 'population')
  const each = aim === 'dual' ? 2 : 1
  const budget = Math.floor(numberOf(values, 'queries') / islands)
  if (budget < first * each) {
    throw new MaskscopeError(
      'usage',
      `Parameter queries leaves ${budget} for each island, fewer than the ${first * each} that its first population takes; raise it, or lower islands or population.`,
      { subject: 'queries' },
    )
  }
  const last = strategy === 'l-shade' ? Math.min(first, lastPopulation) : first
  const fill = wordOf<FillKind>(values, 'fill')
  const redraw = fixed || fill !== 'drawn' ? 0 : numberOf(values, 'redraw')
  const plan = planGenerations({ budget, each, first, last, redraw, remainder: strategy === 'random' })
  const averaging = fixed ? 0 : numberOf(values, 'averaging')
  const averageFrom = plan.findIndex(({ spent }) => spent > (1 - averaging) * budget)
  return {
    strategy, aim, islands, plan, fill,
    averageFrom: averageFrom < 0 ? plan.length - 1 : averageFrom,
    genotype: wordOf<GenotypeKind>(values, 'genotype'),
    resolution: numberOf(values, 'resolution'),
    hills: numberOf(values, 'hills'),
    segments: numberOf(values, 'segments'),
    compactness: numberOf(values, 'compactness'),
    score: wordOf<ScoreKind>(values, 'score'),
    areaWeight: numberOf(values, 'area-weight'),
    variationWeight: numberOf(values, 'variation-weight'),
    fillBlur: (numberOf(values, 'fill-blur') * Math.min(image.height, image.width)) / 224,
    elite: numberOf(values, 'elite'),
  }
}

import type { Head } from '#shared/domain/score.ts'
import { scoreValues } from '../../classifier/scores.ts'
import type { Side } from '../masks/compose.ts'
import { logProbabilities } from '../masks/prediction.ts'
import type { MaskQueries } from '../queries/mask-queries.ts'
import type { Genotype } from './genotype.ts'
import type { Aim, EvolutionSettings } from './settings.ts'

/** What an individual was found to be worth. */
export interface Verdict {
  fitness: number
  /** What the score contributes to it. */
  gain: number
  /** Of the target under the mask; in `delete`, without what the mask marks. NaN where the outputs are no probabilities. */
  probability: number
}

/** Sides that are asked about, the one whose probability counts first. */
export function sidesOf(aim: Aim): readonly Side[] {
  return aim === 'dual' ? ['preserve', 'delete'] : [aim]
}

/**
 * fitness = gain − λ_area·mean(m) − λ_tv·TV(m), where gain is the score under the mask, minus the score without what it marks, or
 * their sum. The log-probability that is to be lost counts as log(1 − p): −log p has no bound, and rewards forging.
 */
export async function judge(
  queries: MaskQueries, genotype: Genotype, settings: EvolutionSettings, fill: Float32Array, target: number, head: Head, rendered: readonly Float32Array[],
): Promise<Verdict[]> {
  const masks = genotype.masks(rendered)
  const sides = sidesOf(settings.aim)
  const answers = await Promise.all(sides.map((side) => queries.ask({ masks, side, fill })))
  const gains = sides.map((side, k) => gainsOf(side, answers[k]!, settings, target, head))
  return rendered.map((values, i) => {
    const gain = gains.reduce((sum, part) => sum + part[i]!, 0)
    const variation = settings.variationWeight === 0 ? 0 : settings.variationWeight * genotype.variation(values)
    return {
      gain,
      fitness: gain - settings.areaWeight * genotype.area(values) - variation,
      probability: head === 'none' ? Number.NaN : Math.exp(logProbabilities(answers[0]![i]!, target, head).hit),
    }
  })
}

function gainsOf(side: Side, rows: readonly Float32Array[], { score }: EvolutionSettings, target: number, head: Head): ArrayLike<number> {
  if (side === 'preserve') return scoreValues(rows, { kind: score, target }, head)
  if (score === 'log-probability') return rows.map((row) => logProbabilities(row, target, head).miss)
  return scoreValues(rows, { kind: score, target }, head).map((value) => -value)
}

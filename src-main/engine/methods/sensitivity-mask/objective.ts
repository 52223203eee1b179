import type { Head, Score, ScoreKind } from '#shared/domain/score.ts'
import { scoreValues } from '../../classifier/scores.ts'
import type { Side } from '../masks/compose.ts'
import type { Mode } from '../masks/sides.ts'
import { logProbabilities } from '../masks/prediction.ts'
import { variation } from '../masks/variation.ts'

/** What the classifier is asked for, and how its answer counts. */
export interface Aim {
  target: number
  head: Head
  kind: ScoreKind
  /** Scores beyond ± this count as this; 0: as they are. */
  cap: number
}

/**
 * What one masked image is worth; the optimiser raises it. Preserving: the score. Deleting: the score's negative; of the
 * log-probability log(1 − p) instead, which is bounded where −log p is not.
 */
export function worth(row: Float32Array, side: Side, { target, head, kind, cap }: Aim): number {
  if (side === 'delete' && kind === 'log-probability') return capped(logProbabilities(row, target, head).miss, cap)
  const value = capped(scoreValues([row], { kind, target }, head)[0]!, cap)
  return side === 'preserve' ? value : -value
}

/** The score whose gradient `worthSlope` turns into that of the worth. */
export function differentiatedScore(side: Side, { target, kind }: Aim): Score {
  return { kind: side === 'delete' && kind === 'log-probability' ? 'log-odds' : kind, target }
}

/** d worth / d `differentiatedScore`; 0 where the score is capped. */
export function worthSlope(row: Float32Array, side: Side, aim: Aim): number {
  const { target, head, kind, cap } = aim
  if (cap > 0 && Math.abs(worth(row, side, aim)) >= cap) return 0
  if (side === 'preserve') return 1
  // d log(1 − p) = −p · d log-odds
  return kind === 'log-probability' ? -Math.exp(logProbabilities(row, target, head).hit) : -1
}

function capped(value: number, cap: number): number {
  return cap > 0 ? Math.min(cap, Math.max(-cap, value)) : value
}

/** Of the target, NaN where the outputs are no probabilities. */
export function probabilityOf(row: Float32Array, { target, head }: Aim): number {
  return head === 'none' ? NaN : Math.exp(logProbabilities(row, target, head).hit)
}

/** What a mask costs, whatever the classifier says. */
export interface Costs {
  height: number
  width: number
  areaWeight: number
  variationWeight: number
  /** Price of each cell, of mean 1. */
  prices: Float32Array
}

/**
 * How far a masked image does what it should, in [0, 1]: keeps the class, as a share of the clean image's probability, or loses it.
 * 1 where there are no probabilities to tell.
 */
export function keptShare(probability: number, original: number, mode: Mode): number {
  const share = mode === 'delete' ? 1 - probability : probability / original
  return Number.isNaN(share) ? 1 : Math.min(1, share)
}

/**
 * What the area costs of its full price. Hiding everything costs no more than a class by chance, −log p, so that a large object with a high
 * price of area is given up as a whole; where the price falls with the class, it is not.
 */
export function shareOfPrice(kept: number, hold: number): number {
  return hold > 0 ? Math.min(1, kept / hold) : 1
}

/** λ_area·Σπ·m/Σπ and λ_tv·(mean|∂x m| + mean|∂y m|); adds their gradient to `gradient`, where one is given. */
export function regularise(mask: Float32Array, costs: Costs, gradient?: Float32Array): { area: number; variation: number } {
  const { height, width, areaWeight, variationWeight, prices } = costs
  let paid = 0
  for (let i = 0; i < mask.length; i++) paid += prices[i]! * mask[i]!
  const share = areaWeight / mask.length
  if (gradient) for (let i = 0; i < mask.length; i++) gradient[i]! += share * prices[i]!
  return { area: share * paid, variation: variation(mask, height, width, variationWeight, gradient) }
}

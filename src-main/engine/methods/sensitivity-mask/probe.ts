import type { Score } from '#shared/domain/score.ts'
import type { Random } from '#shared/random/random.ts'
import type { Frame } from '../masks/compose.ts'
import type { Fill } from '../masks/fills.ts'
import type { Growth } from '../masks/growth.ts'
import type { Parametrisation } from '../masks/parametrisation.ts'
import type { Aim, Costs } from './objective.ts'
import type { SensitivityMaskSettings } from './settings.ts'

/** What a step has to go by: one image, one stage. Settings and costs are read anew at every step. */
export interface ProbeContext {
  frame: Frame
  /** H·W·C in [0, 1] */
  image: Float32Array
  aim: Aim
  parametrisation: Parametrisation
  settings(): SensitivityMaskSettings
  costs(): Costs
  fill: Fill
  placements: Random
  noises: Random
  growth: Growth
  /** Of the perturbations, in cells of this stage. */
  noiseSmoothing: number
}

/** How one step looks at the classifier from u: the same for both accesses. */
export interface Probe {
  /** Masked images of a step. */
  images: number
  /** One per masked image where their gradients are needed, else null. */
  scores: readonly Score[] | null
  /** Draws what the step needs and writes the masked images one after the other. */
  compose(u: Float32Array, out: Float32Array): void
  /**
   * @param rows logits, one row per masked image
   * @param gradients of the scores, one image after the other
   */
  read(rows: readonly Float32Array[], gradients: Float32Array | null): Reading
}

export interface Reading {
  /** The objective's gradient with respect to u, or what stands for it: its length is the optimiser's business. */
  direction: Float32Array
  /** Estimates of ∂worth/∂m of each cell, and how much each counts (all the same where left out). */
  slopes: Float32Array
  weights?: Float32Array
  losses: Losses
  /** Whether the classifier's answers differed at all. */
  reacted: boolean
}

/** The terms with their weights, so that they add up to the total; means over the masks of a step. */
export interface Losses {
  prediction: number
  area: number
  variation: number
  total: number
  /** Of the target under the mask, NaN where the outputs are no probabilities. */
  probability: number
}

/** (lists of equal names) */
export function meanLosses(all: readonly Losses[]): Losses {
  const mean = (name: keyof Losses): number => all.reduce((sum, losses) => sum + losses[name], 0) / all.length
  return { prediction: mean('prediction'), area: mean('area'), variation: mean('variation'), total: mean('total'), probability: mean('probability') }
}

import type { Head, Score } from '#shared/domain/score.ts'
import { createRandom } from '#shared/random/random.ts'
import { compose, inPlace, pullBack, type Frame, type Placement, type Side } from './masks/compose.ts'
import { createFill } from './masks/fills.ts'
import { createGrowth } from './masks/growth.ts'
import { createParametrisation, type Parametrisation } from './masks/parametrisation.ts'
import { logProbabilities } from './masks/prediction.ts'
import { createSmoothness, sparsity, type Smoothness } from './masks/regularisers.ts'
import { createRmsProp } from './masks/rmsprop.ts'
import { drawPlacement, sidesOf } from './masks/sides.ts'
import type { NeuroMaskSettings } from './neuromask-parameters.ts'

/** What all trials of a batch share. They read it anew at every step: `changePlan` replaces parts of it on the way. */
export interface TrialPlan {
  frame: Frame
  head: Head
  settings: NeuroMaskSettings
  parametrisation: Parametrisation
  smoothness: Smoothness
  /** Room for the images of one call, the same at every step. */
  batch(length: number): Float32Array
}

/** The three terms, each with its weight, so that they add up to the total. */
export interface Losses {
  prediction: number
  sparsity: number
  smoothness: number
  total: number
  /** Probability of the target in the masked image (in `delete`, in the image without what the mask marks). */
  probability: number
}

/**
 * One optimisation of one image: NeuroMask's objective and the state of its optimiser. A step is `compose` (masked
 * images into the batch), the classifier's answer, then `learn`.
 */
export interface Trial {
  /** w, [height, width] of the parametrisation. */
  weights: Float32Array
  /** One per masked image: `preserve` first where there are two. */
  scores: readonly Score[]
  /** Draws this step's placement, fill and noise, and writes the masked images one after the other. */
  compose(out: Float32Array): void
  /**
   * @param logits one row per masked image
   * @param gradients of the scores, one image after the other
   * @returns the losses before the step
   */
  learn(logits: readonly Float32Array[], gradients: Float32Array): Losses
  /** The last gradient with respect to w. */
  gradient: Float32Array
  /** G∗w of the last `compose`, to be averaged and shown. */
  smoothed: Float32Array
}

/**
 * Preserving minimises −log p (score log-probability). Deleting minimises −log(1 − p); its gradient is p times that of
 * the log-odds, which stays exact where p is close to 1.
 */
export function scoreOf(side: Side, target: number): Score {
  return { kind: side === 'preserve' ? 'log-probability' : 'log-odds', target }
}

/** −log p or −log(1 − p), meaned over the sides, and the probability of the first. */
export function predictionLoss(
  sides: readonly Side[], logits: readonly Float32Array[], target: number, head: Head,
): { loss: number; probability: number; factors: number[] } {
  let loss = 0
  const factors: number[] = []
  let probability = 0
  sides.forEach((side, k) => {
    const { hit, miss } = logProbabilities(logits[k]!, target, head)
    if (k === 0) probability = Math.exp(hit)
    loss -= (side === 'preserve' ? hit : miss) / sides.length
    factors.push((side === 'preserve' ? -1 : Math.exp(hit)) / sides.length)
  })
  return { loss, probability, factors }
}

/** The regularisers on v = G∗w; adds their gradient to `gradient`. */
export function regularise(plan: TrialPlan, v: Float32Array, gradient: Float32Array): { sparsity: number; smoothness: number } {
  const { settings } = plan
  return {
    sparsity: sparsity(v, settings.offset, settings.sparsityWeight, gradient),
    smoothness: plan.smoothness(v, settings.smoothnessWeight, gradient),
  }
}

export function createTrial(plan: TrialPlan, image: Float32Array, target: number, seed: number, restart: number): Trial {
  const { frame, head } = plan
  // What cannot change on the way; everything else is read from the plan at every step.
  const { initRange, fill: fillKind, blur, mode } = plan.settings
  const stream = (name: string): ReturnType<typeof createRandom> => createRandom(seed, 'neuromask', name, restart)
  const start = stream('start')
  const placements = stream('placement')
  const noises = stream('noise')
  const weights = Float32Array.from({ length: plan.parametrisation.height * plan.parametrisation.width }, () =>
    start.between(-initRange, initRange),
  )
  const optimiser = createRmsProp(weights.length)
  const growth = createGrowth(plan.parametrisation, stream('growth'))
  const fills = createFill(fillKind, frame, image, blur, stream('fill'))
  const sides = sidesOf(mode)
  const maskGradient = new Float32Array(frame.height * frame.width)
  let place: Placement = inPlace
  let fill: Float32Array = image
  let own: Float32Array = weights

  const trial: Trial = {
    weights,
    scores: sides.map((side) => scoreOf(side, target)),
    gradient: new Float32Array(weights.length),
    smoothed: weights,
    compose(out) {
      const { parametrisation, settings } = plan
      trial.smoothed = parametrisation.smooth(weights)
      own = parametrisation.squash(trial.smoothed)
      growth.next(settings.growth)
      const mask = parametrisation.enlarge(growth.show(own))
      place = drawPlacement(placements, settings.shift, settings.flip)
      fill = fills.next()
      sides.forEach((side, k) => {
        compose(frame, image, mask, fill, side, place, out.subarray(k * image.length, (k + 1) * image.length))
      })
      if (settings.noise > 0) for (let i = 0; i < out.length; i++) out[i]! += settings.noise * noises.normal()
    },
    learn(logits, gradients) {
      const { parametrisation, settings } = plan
      const { loss, probability, factors } = predictionLoss(sides, logits, target, head)
      maskGradient.fill(0)
      sides.forEach((side, k) => {
        const part = gradients.subarray(k * image.length, (k + 1) * image.length)
        pullBack(frame, image, fill, side, place, part, settings.predictionWeight * factors[k]!, maskGradient)
      })
      const vGradient = new Float32Array(weights.length)
      const terms = regularise(plan, trial.smoothed, vGradient)
      trial.gradient = parametrisation.pullBack(own, growth.pullBack(parametrisation.shrink(maskGradient)), vGradient)
      optimiser.step(weights, trial.gradient, settings.learningRate)
      const prediction = settings.predictionWeight * loss
      return { prediction, ...terms, total: prediction + terms.sparsity + terms.smoothness, probability }
    },
  }
  return trial
}

export function createPlan(
  frame: Frame, head: Head, settings: NeuroMaskSettings, parametrisation: Parametrisation,
): TrialPlan {
  let room = new Float32Array(0)
  return {
    frame, head, settings, parametrisation,
    batch(length) {
      if (room.length < length) room = new Float32Array(length)
      return room.length === length ? room : room.subarray(0, length)
    },
    smoothness: createSmoothness(parametrisation.height, parametrisation.width, settings.kernel),
  }
}

/**
 * Other settings from the next step on. Weights, optimiser and random streams of the trials stay as they are; the size of
 * the mask, its fill and the images of a step are those of the start.
 */
export function changePlan(plan: TrialPlan, settings: NeuroMaskSettings): void {
  plan.settings = settings
  plan.parametrisation = createParametrisation(plan.frame, settings.resolution, settings.smoothing, settings.temperature)
}

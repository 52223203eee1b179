import { upsample } from '#shared/imaging/interpolation.ts'
import { createRandom } from '#shared/random/random.ts'
import { createAdam, type Adam } from '../masks/adam.ts'
import type { Frame } from '../masks/compose.ts'
import { createFill, type Fill } from '../masks/fills.ts'
import { createGrowth } from '../masks/growth.ts'
import { createParametrisation, type Parametrisation } from '../masks/parametrisation.ts'
import { createGradientProbe } from './gradient-probe.ts'
import { keptShare, shareOfPrice, type Aim } from './objective.ts'
import type { Losses, Probe } from './probe.ts'
import { createQueryProbe } from './query-probe.ts'
import { createSensitivity, factorsOf, pricesOf, readSensitivity, type Sensitivity } from './sensitivity.ts'
import type { SensitivityMaskSettings } from './settings.ts'

/** Of what the step before says about how far the class is kept; the rest is from the steps before it. */
const keptMemory = 0.1

/** Steps between two readings of the sensitivity that weighs and localises. */
const refreshEvery = 10

/** What all trials of a batch share. They read the settings anew at every step: they may change on the way. */
export interface Plan {
  frame: Frame
  settings: SensitivityMaskSettings
  /** One per stage, the last at the full resolution. */
  parametrisations: readonly Parametrisation[]
}

/** One optimisation of one image. A step is `begin`, `compose`, the classifier's answer, then `learn`. */
export interface Trial {
  readonly probe: Probe
  readonly sensitivity: Sensitivity
  readonly stage: number
  /** Begins a stage and reads the sensitivity where either is due. */
  begin(iteration: number): void
  compose(out: Float32Array): void
  learn(rows: readonly Float32Array[], gradients: Float32Array | null): { losses: Losses; reacted: boolean }
  /** v = G∗u as it stands. */
  smoothed(): Float32Array
}

export function createPlan(frame: Frame, settings: SensitivityMaskSettings): Plan {
  const shorter = Math.min(frame.height, frame.width)
  const full = settings.resolution === 0 ? shorter : Math.min(shorter, settings.resolution)
  const parametrisations = Array.from({ length: settings.stages }, (_, k) =>
    createParametrisation(frame, Math.max(1, Math.round(full / 2 ** (settings.stages - 1 - k))), settings.smoothing, 1),
  )
  return { frame, settings, parametrisations }
}

/** First iteration of a stage: they are equally long. */
export function stageStart({ settings }: Plan, stage: number): number {
  return Math.ceil((stage * settings.iterations) / settings.stages)
}

/** The fill of a stream. Constant ones are the same in trials and judging. */
export function fillFor(settings: SensitivityMaskSettings, frame: Frame, image: Float32Array, seed: number, stream: string, restart: number): Fill {
  const random = settings.fill === 'drawn' ? createRandom(seed, 'sensitivity-mask', stream, restart) : createRandom(seed, 'sensitivity-mask', 'fill')
  return createFill(settings.fill, frame, image, settings.fillBlur, random)
}

/** @param original probability of the target in the clean image, NaN where there is none */
export function createTrial(plan: Plan, image: Float32Array, aim: Aim, original: number, seed: number, restart: number): Trial {
  const { frame } = plan
  const stream = (name: string): ReturnType<typeof createRandom> => createRandom(seed, 'sensitivity-mask', name, restart)
  const fill = fillFor(plan.settings, frame, image, seed, 'fill', restart)
  const [placements, noises, growths] = [stream('placement'), stream('noise'), stream('growth')]
  let stage = 0
  let kept = 1
  let parametrisation = plan.parametrisations[0]!
  let u: Float32Array = startingFrom(stream('start'), parametrisation, plan.settings.startMargin)
  let prices: Float32Array = new Float32Array(u.length).fill(1)
  let factors: Float32Array = new Float32Array(u.length).fill(1)
  let optimiser: Adam
  let sensitivity: Sensitivity
  let probe: Probe
  enter()

  function enter(): void {
    optimiser = createAdam(u.length)
    sensitivity = createSensitivity(u.length)
    const { height, width } = parametrisation
    const scale = height / plan.parametrisations.at(-1)!.height
    const context = {
      frame, image, aim, parametrisation, fill, placements, noises,
      growth: createGrowth(parametrisation, growths, scale),
      // The same on the image in every stage: on 7×7 cells, one cell's smoothing would move everything at once.
      noiseSmoothing: plan.settings.noiseSmoothing * scale,
      settings: () => plan.settings,
      costs: () => {
        const { areaWeight, variationWeight, weigh, hold } = plan.settings
        return { height, width, areaWeight: areaWeight * shareOfPrice(kept, hold), variationWeight, prices: weigh ? prices : prices.map(() => 1) }
      },
    }
    probe = plan.settings.access === 'query' ? createQueryProbe(context) : createGradientProbe(context)
  }

  function nextStage(): void {
    const { height, width } = parametrisation
    parametrisation = plan.parametrisations[++stage]!
    const enlarged = (data: Float32Array): Float32Array =>
      upsample({ height, width, data }, parametrisation.height, parametrisation.width).data
    u = enlarged(u)
    prices = enlarged(prices)
    factors = enlarged(factors)
    enter()
  }

  return {
    get probe() {
      return probe
    },
    get sensitivity() {
      return sensitivity
    },
    get stage() {
      return stage
    },
    begin(iteration) {
      const { iterations, stages } = plan.settings
      while (stage + 1 < stages && iteration >= stageStart(plan, stage + 1)) nextStage()
      // A quarter of the steps is left to the mask to find its place.
      if (iteration < iterations / 4 || iteration % refreshEvery !== 0 || sensitivity.sums.steps === 0) return
      const { sensitivity: s } = readSensitivity([sensitivity.sums])
      prices = pricesOf(s)
      factors = factorsOf(s)
    },
    compose: (out) => probe.compose(u, out),
    learn(rows, gradients) {
      const { direction, slopes, weights, losses, reacted } = probe.read(rows, gradients)
      sensitivity.add(slopes, weights)
      const { learningRate, localise, mode, ceiling } = plan.settings
      kept += keptMemory * (keptShare(losses.probability, original, mode) - kept)
      optimiser.step(u, direction, learningRate, localise ? factors : undefined)
      if (ceiling > 0) for (let i = 0; i < u.length; i++) u[i] = Math.min(ceiling, u[i]!)
      return { losses, reacted }
    },
    smoothed: () => parametrisation.smooth(u),
  }
}

/** u₀ = logit(Uniform(margin, 1 − margin)) */
function startingFrom(random: ReturnType<typeof createRandom>, { height, width }: Parametrisation, margin: number): Float32Array {
  return Float32Array.from({ length: height * width }, () => {
    const share = random.between(margin, 1 - margin)
    return Math.log(share / (1 - share))
  })
}

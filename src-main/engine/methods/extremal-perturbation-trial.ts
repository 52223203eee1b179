import type { ParameterValues } from '#shared/domain/parameters.ts'
import type { Score, ScoreKind } from '#shared/domain/score.ts'
import { numberOf, switchOf, wordOf } from './common/parameters.ts'
import type { Frame } from './masks/compose.ts'
import type { MaskTrial } from './perturbation/mask-run.ts'
import { movePicture, movePictureBack } from './perturbation/moved.ts'
import type { Pyramid } from './perturbation/pyramid.ts'
import { createSmoothMax, type SmoothMax } from './perturbation/smooth-max.ts'

const momentum = 0.9

/** What all trials of a batch share. */
export interface ExtremalPlan {
  frame: Frame
  smoothMax: SmoothMax
  parameters: ParameterValues
}

export function createExtremalPlan(frame: Frame, parameters: ParameterValues): ExtremalPlan {
  const [step, sigma, coldness] = [numberOf(parameters, 'step'), numberOf(parameters, 'sigma'), numberOf(parameters, 'coldness')]
  return { frame, parameters, smoothMax: createSmoothMax(frame, { step, sigma, margin: sigma, coldness }) }
}

export interface ExtremalTrial extends MaskTrial {
  /** Over the image, on the lattice of the smooth maximum, as it stands. */
  mask(): Float32Array
  /** Free parameters, in [0, 1]. */
  values: Float32Array
  /** The last gradient with respect to them. */
  gradient: Float32Array
}

/**
 * One mask of one area: −reward + λ·mean((sort(m) − r_a)²), r_a being zeros and then as many ones as a·N, N the places over the
 * image; sorted are those in the margin, too. λ grows at every step.
 */
export function createExtremalTrial(plan: ExtremalPlan, pyramid: Pyramid, area: number, target: number): ExtremalTrial {
  const { frame, smoothMax, parameters } = plan
  const mode = wordOf<'preserve' | 'delete' | 'dual'>(parameters, 'mode')
  // Shown parts first: −1 where the score is to rise.
  const signs = mode === 'dual' ? [-1, 1] : [mode === 'preserve' ? -1 : 1]
  const sides = mode === 'dual' ? [false, true] : [mode === 'delete']
  const score: Score = { kind: wordOf<ScoreKind>(parameters, 'score'), target }
  const values = new Float32Array(smoothMax.parameters).fill(1)
  const velocity = new Float64Array(values.length)
  const growth = numberOf(parameters, 'area-growth') ** (1 / Math.max(1, numberOf(parameters, 'iterations')))
  const ones = Math.ceil(area * smoothMax.inner.height * smoothMax.inner.width)
  const still = { down: 0, right: 0, flip: false }
  const mirrored = { ...still, flip: true }
  let weight = numberOf(parameters, 'area-weight')
  let steps = 0
  let move = still
  let mask: Float32Array = new Float32Array(smoothMax.height * smoothMax.width)
  let enlarged = mask
  const trace = smoothMax.createTrace()
  const own = new Float32Array(mask.length)
  const inverse = (): Float32Array => enlarged.map((value) => 1 - value)

  const trial: ExtremalTrial = {
    scores: signs.map(() => score),
    values,
    gradient: new Float32Array(values.length),
    mask: () => smoothMax.crop(smoothMax.apply(values)),
    compose(out, atRest) {
      move = switchOf(parameters, 'flip') && !atRest && steps % 2 === 1 ? mirrored : still
      mask = smoothMax.apply(values, trace)
      enlarged = smoothMax.enlarge(mask)
      sides.forEach((removed, k) => {
        const to = out.subarray((k * out.length) / sides.length, ((k + 1) * out.length) / sides.length)
        const plain = move === still ? to : new Float32Array(to.length)
        pyramid.compose(removed ? inverse() : enlarged, plain)
        if (move !== still) movePicture(frame, plain, move, to)
      })
    },
    losses(scores) {
      own.fill(0)
      const reward = scores.reduce((sum, value, k) => sum - signs[k]! * value, 0)
      const terms = { reward: -reward, area: areaTerm(mask, ones, weight, own) }
      return { ...terms, total: terms.reward + terms.area }
    },
    learn(gradients) {
      const size = gradients.length / sides.length
      const maskGradient = new Float32Array(frame.height * frame.width)
      sides.forEach((removed, k) => {
        const back = movePictureBack(frame, gradients.subarray(k * size, (k + 1) * size), move)
        pyramid.pullBack(removed ? inverse() : enlarged, back, removed ? -signs[k]! : signs[k]!, maskGradient)
      })
      const small = smoothMax.shrink(maskGradient)
      for (let i = 0; i < own.length; i++) own[i]! += small[i]!
      trial.gradient = smoothMax.pullBack(values, mask, trace, own)
      const rate = numberOf(parameters, 'learning-rate')
      for (let i = 0; i < values.length; i++) {
        // Dampening as strong as the momentum: a running mean of the gradients; the first counts in full.
        velocity[i] = steps === 0 ? trial.gradient[i]! : momentum * velocity[i]! + (1 - momentum) * trial.gradient[i]!
        values[i] = Math.min(1, Math.max(0, values[i]! - rate * velocity[i]!))
      }
      weight *= growth
      steps++
    },
  }
  return trial
}

/** Values so near the border of the wanted part are equal to it. */
const nearlyEqual = 1e-3

/**
 * weight·mean((sort(m) − r_a)²); adds its gradient. Those (nearly) equal at the border share the ones that are left for them, each
 * the mean over all orders in which they could be sorted: at the start all are equal, and not the order of the sorting but the
 * score is to say which stay.
 */
export function areaTerm(mask: Float32Array, ones: number, weight: number, gradient: Float32Array): number {
  const border = ones > 0 ? mask.slice().sort()[mask.length - ones]! : Infinity
  let above = 0
  let equal = 0
  for (let i = 0; i < mask.length; i++) {
    if (mask[i]! > border + nearlyEqual) above++
    else if (mask[i]! >= border - nearlyEqual) equal++
  }
  const share = equal > 0 ? (ones - above) / equal : 0
  let sum = 0
  for (let i = 0; i < mask.length; i++) {
    const value = mask[i]!
    const one = value > border + nearlyEqual ? 1 : value >= border - nearlyEqual ? share : 0
    sum += one * (1 - value) ** 2 + (1 - one) * value * value
    gradient[i]! += (2 * weight * (value - one)) / mask.length
  }
  return (weight * sum) / mask.length
}

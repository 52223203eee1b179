import type { ParameterValues } from '#shared/domain/parameters.ts'
import type { ScoreKind } from '#shared/domain/score.ts'
import { createRandom } from '#shared/random/random.ts'
import { numberOf, switchOf, wordOf } from './common/parameters.ts'
import { createAdam } from './masks/adam.ts'
import { compose, inPlace, pullBack, type Frame } from './masks/compose.ts'
import { createCells, type Cells } from './perturbation/cells.ts'
import type { MaskTrial } from './perturbation/mask-run.ts'
import { movePicture, movePictureBack, type Move } from './perturbation/moved.ts'
import { differencePower, isotropicVariation } from './perturbation/variation.ts'

/** What all images of a batch share. */
export interface PerturbationPlan {
  frame: Frame
  cells: Cells
  parameters: ParameterValues
  /** Weight of the score in the loss: 1 to lose it, −1 to keep it. */
  sign: 1 | -1
}

export function createPerturbationPlan(frame: Frame, parameters: ParameterValues): PerturbationPlan {
  const scale = Math.min(frame.height, frame.width) / 224
  return {
    frame, parameters,
    cells: createCells(frame, {
      resolution: numberOf(parameters, 'resolution'), enlargement: wordOf<'bilinear' | 'blurred'>(parameters, 'enlargement'),
      sigma: numberOf(parameters, 'mask-blur') * scale, throughBlur: switchOf(parameters, 'blur-gradient'),
    }),
    sign: wordOf(parameters, 'mode') === 'delete' ? 1 : -1,
  }
}

export interface PerturbationSubject {
  image: Float32Array
  /** H·W·C */
  fill: Float32Array
  target: number
  seed: number
  /** Of the cells; changed in place. */
  mask: Float32Array
}

/**
 * One optimisation: ±score(x·m + b·(1 − m)) + λ1·mean|m − what costs nothing| + λ2·variation, m kept in [0, 1].
 */
export function createPerturbationTrial(plan: PerturbationPlan, { image, fill, target, seed, mask }: PerturbationSubject): MaskTrial & { gradient: Float32Array } {
  const { frame, cells, parameters, sign } = plan
  const shift = Math.round((numberOf(parameters, 'shift') * Math.min(frame.height, frame.width)) / 224)
  const noise = numberOf(parameters, 'noise')
  const beta = numberOf(parameters, 'beta')
  const [areaWeight, variationWeight] = [numberOf(parameters, 'area-weight'), numberOf(parameters, 'variation-weight')]
  const variation = wordOf(parameters, 'variation') === 'isotropic' ? isotropicVariation : differencePower
  const moves = createRandom(seed, 'meaningful-perturbation', 'shift')
  const noises = createRandom(seed, 'meaningful-perturbation', 'noise')
  const adam = createAdam(mask.length)
  const still: Move = { down: 0, right: 0, flip: false }
  let move = still
  const draw = (): number => moves.below(2 * shift + 1) - shift
  // The terms of the mask alone, with the gradient that `learn` adds to.
  const own = new Float32Array(mask.length)

  const trial: MaskTrial & { gradient: Float32Array } = {
    scores: [{ kind: wordOf<ScoreKind>(parameters, 'score'), target }],
    gradient: own,
    compose(out, atRest) {
      move = atRest || shift === 0 ? still : { down: draw(), right: draw(), flip: false }
      const enlarged = cells.enlarge(mask)
      if (move === still) compose(frame, image, enlarged, fill, 'preserve', inPlace, out)
      else {
        const plain = new Float32Array(out.length)
        compose(frame, image, enlarged, fill, 'preserve', inPlace, plain)
        movePicture(frame, plain, move, out)
      }
      if (noise > 0 && !atRest) for (let i = 0; i < out.length; i++) out[i]! += noise * noises.normal()
    },
    losses([score]) {
      own.fill(0)
      let area = 0
      for (let i = 0; i < mask.length; i++) {
        // Deleting, what is shown costs nothing; preserving, what is hidden.
        area += sign === 1 ? 1 - mask[i]! : mask[i]!
        own[i]! -= (sign * areaWeight) / mask.length
      }
      const terms = { score: sign * score!, area: (areaWeight * area) / mask.length, variation: variation(mask, cells.height, cells.width, beta, variationWeight, own) }
      return { ...terms, total: terms.score + terms.area + terms.variation }
    },
    learn(gradients) {
      const maskGradient = new Float32Array(frame.height * frame.width)
      pullBack(frame, image, fill, 'preserve', inPlace, movePictureBack(frame, gradients, move), sign, maskGradient)
      const small = cells.shrink(maskGradient)
      for (let i = 0; i < own.length; i++) own[i]! += small[i]!
      adam.step(mask, own, numberOf(parameters, 'learning-rate'))
      for (let i = 0; i < mask.length; i++) mask[i] = Math.min(1, Math.max(0, mask[i]!))
    },
  }
  return trial
}

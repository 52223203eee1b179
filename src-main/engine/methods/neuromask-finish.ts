import type { Explanation } from '#shared/domain/run.ts'
import { upsample } from '#shared/imaging/interpolation.ts'
import { createRandom } from '#shared/random/random.ts'
import type { Classifier } from '../classifier/classifier.ts'
import type { Frame } from './masks/compose.ts'
import { alongEdges } from './masks/edges.ts'
import { createFill, type Fill } from './masks/fills.ts'
import { judgeMask } from './masks/judging.ts'
import { sidesOf } from './masks/sides.ts'
import type { NeuroMaskSettings } from './neuromask-parameters.ts'
import type { Subject } from './neuromask-subject.ts'
import { predictionLoss, regularise, type Losses, type TrialPlan } from './neuromask-trial.ts'

/** The fills under which a finished mask is judged. Constant ones are the very ones of the trials: same stream, first restart. */
export function judgingFill(settings: NeuroMaskSettings, frame: Frame, image: Float32Array, seed: number): Fill {
  const stream = settings.fill === 'drawn' ? 'judge' : 'fill'
  return createFill(settings.fill, frame, image, settings.blur, createRandom(seed, 'neuromask', stream, 0))
}

/** The finished mask, judged under the fill it was optimised with, in place and without noise. */
export async function finish(
  classifier: Classifier, plan: TrialPlan, subject: Subject, iteration: number,
): Promise<{ losses: Losses; explanation: Explanation }> {
  const { frame, head, settings, parametrisation } = plan
  const { height, width } = parametrisation
  const v = Float32Array.from(subject.sum, (sum) => sum / subject.summed)
  const own = parametrisation.squash(v)
  const ownMap = alongEdges(subject.edges, { height, width, data: own })
  // As anyone enlarges the stored map, to the last bit.
  const mask = upsample(ownMap, frame.height, frame.width).data
  const sides = sidesOf(settings.mode)

  const fill = judgingFill(settings, frame, subject.image, subject.seed)
  const draws = await judgeMask(classifier, frame, subject.image, mask, fill, sides)
  subject.evaluations.forward += draws.length * sides.length
  let prediction = 0
  let probability = 0
  for (const rows of draws) {
    const part = predictionLoss(sides, rows, subject.target, head)
    prediction += (settings.predictionWeight * part.loss) / draws.length
    probability += part.probability / draws.length
  }
  const terms = regularise(plan, v, new Float32Array(v.length))
  const losses = { prediction, ...terms, total: prediction + terms.sparsity + terms.smoothness, probability }
  const explanation: Explanation = {
    saliency: { height: frame.height, width: frame.width, data: mask },
    own: ownMap,
    // Averages over segments have no values before a sigmoid.
    ...(subject.edges ? {} : { ranking: { height, width, data: v.map((value) => value / settings.temperature) } }),
    range: [0, 1],
    signed: false,
    score: 'log-probability',
    target: subject.target,
    probability: { original: subject.original, masked: probability },
    iterations: iteration,
    evaluations: subject.evaluations,
    notes: notesOn(plan, subject, own, iteration),
  }
  return { losses, explanation }
}

function notesOn(plan: TrialPlan, subject: Subject, own: Float32Array, iteration: number): string[] {
  const { settings } = plan
  const notes: string[] = []
  if (subject.stoppedAt !== null && iteration < settings.iterations) {
    notes.push(`Early stopping: the loss reached a plateau at iteration ${subject.stoppedAt}; the run ended at ${iteration} of ${settings.iterations}.`)
  }
  if (!subject.reacted) {
    notes.push('The classifier\'s gradient was zero at every step, so the mask says nothing about it: the output does not react to the masked image (a saturated or constant score).')
  }
  let low = Infinity
  let high = -Infinity
  for (const value of own) {
    if (value < low) low = value
    if (value > high) high = value
  }
  // A settled mask still trembles by one step of the optimiser.
  if (high - low < 0.02) {
    const why =
      high < 0.5
        ? 'sparsity outweighed the prediction everywhere; lower sparsity-weight'
        : 'sparsity has not taken hold; raise sparsity-weight or iterations'
    notes.push(`The mask is constant at ${high.toFixed(3)}: ${why}.`)
  }
  return notes
}

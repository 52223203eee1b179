import type { Score } from '#shared/domain/score.ts'
import { upsample } from '#shared/imaging/interpolation.ts'
import type { Classifier } from '../../classifier/classifier.ts'
import { scoreValues } from '../../classifier/scores.ts'
import { classifyAll } from '../masks/calls.ts'
import { compose, inPlace } from '../masks/compose.ts'
import { createSmoothing } from '../masks/smoothing.ts'
import type { PerturbationPlan } from '../meaningful-perturbation-trial.ts'

/** In pixels of a shorter side of 224. */
const [radiusStep, softness] = [5, 10]
/** Of the way from the image's score to the fill's. */
const enough = 0.99

/**
 * The start of the authors' code: in the middle of the image the smallest blurred disc that, hidden, takes the score to 1% of
 * its range; all hidden where none does. (Where the class is to be kept it is the same disc.)
 * @returns the cells of a mask that is low inside
 */
export async function smallestDisc(
  classifier: Classifier, { frame, cells }: PerturbationPlan, image: Float32Array, fill: Float32Array, score: Score, evaluations: { forward: number },
): Promise<Float32Array> {
  const { height, width } = frame
  const scale = Math.min(height, width) / 224
  const count = Math.ceil(Math.hypot(height, width) / 2 / (radiusStep * scale))
  const smoothing = createSmoothing(height, width, softness * scale)
  const discs = Array.from({ length: count }, (_, k) => {
    const radius = (k + 1) * radiusStep * scale
    const hard = Float32Array.from({ length: height * width }, (__, i) =>
      Math.hypot(Math.floor(i / width) + 0.5 - height / 2, (i % width) + 0.5 - width / 2) <= radius ? 0 : 1)
    return smoothing.apply(hard)
  })
  const data = new Float32Array((count + 2) * image.length)
  data.set(image)
  data.set(fill, image.length)
  discs.forEach((disc, k) => compose(frame, image, disc, fill, 'preserve', inPlace, data.subarray((k + 2) * image.length, (k + 3) * image.length)))
  const values = scoreValues(await classifyAll(classifier, frame, data, count + 2), score, classifier.info.head)
  evaluations.forward += count + 2
  const [all, none] = [values[0]!, values[1]!]
  const found = discs.findIndex((_, k) => (all - values[k + 2]!) * Math.sign(all - none) >= enough * Math.abs(all - none))
  if (found < 0) return new Float32Array(cells.height * cells.width)
  return upsample({ height, width, data: discs[found]! }, cells.height, cells.width).data
}

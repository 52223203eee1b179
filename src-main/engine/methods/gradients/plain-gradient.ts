import type { Explanation, Fact } from '#shared/domain/run.ts'
import type { ScoreKind } from '#shared/domain/score.ts'
import { mapBlurOf } from '../common/finished-map.ts'
import { wordOf } from '../common/parameters.ts'
import { plainExplanation } from '../common/plain-result.ts'
import type { ExplainTask, Step } from '../method.ts'
import { isSigned, reduceChannels, type Reduction } from './reduction.ts'
import { frameOf, sampleGradients } from './samples.ts'

/**
 * One gradient per image and a map made of it: one step.
 * @param attribute what the gradient (H·W·C) becomes before the channels become one value
 */
export async function* explainByGradient(
  task: ExplainTask, attribute: (image: number, gradient: Float32Array) => Float32Array, facts?: readonly Fact[],
): AsyncGenerator<Step, Explanation[], void> {
  const { classifier: { info }, images, parameters, targets } = task
  const score = wordOf<ScoreKind>(parameters, 'score')
  const reduction = wordOf<Reduction>(parameters, 'channels')
  const frame = frameOf(task)
  const size = images.data.length / images.count
  const results: Explanation[] = []
  const found = sampleGradients(task, score, 1, (image, _, out) => out.set(images.data.subarray(image * size, (image + 1) * size)))
  for await (const { image, gradient, logits, score: value } of found) {
    const explanation = plainExplanation(frame, info.head, mapBlurOf(parameters, frame), {
      map: reduceChannels(frame, attribute(image, gradient), reduction), signed: isSigned(reduction), score, target: targets[image]!, logits,
      iterations: 1, evaluations: { forward: 1, backward: 1 },
      whyConstant: 'the score does not react to the image, or reacts in the same way everywhere; a saturated probability does, so try the logit.',
      facts: [{ label: 'Score of the image', value }, ...(facts ?? [])],
    })
    results.push(explanation)
    yield { image, iteration: 1, iterations: 1, losses: { score: value }, probability: NaN, frame: explanation.own, evaluations: explanation.evaluations }
  }
  return results
}

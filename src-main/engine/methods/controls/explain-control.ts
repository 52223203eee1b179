import type { MapData } from '#shared/domain/image.ts'
import type { Explanation } from '#shared/domain/run.ts'
import { checkCancelled } from '../common/cancelled.ts'
import { plainExplanation } from '../common/plain-result.ts'
import { frameOf } from '../gradients/samples.ts'
import { classifyAll } from '../masks/calls.ts'
import type { ExplainTask, Step } from '../method.ts'

/**
 * A map that owes nothing to the classifier: what methods must beat. The classifier is asked once per image, for the target's probability
 * that stands beside every result.
 * @param blur σ in pixels of the image
 * @param draw of one image of the batch, at the image's size, values in [0, 1]
 */
export async function* explainControl(task: ExplainTask, blur: number, whyConstant: string, draw: (index: number) => MapData): AsyncGenerator<Step, Explanation[], void> {
  const { classifier, images, targets, signal } = task
  const frame = frameOf(task)
  checkCancelled(signal)
  await task.steer?.(1)
  const maps = targets.map((_, index) => draw(index))
  const clean = await classifyAll(classifier, frame, images.data, images.count)
  const results: Explanation[] = []
  for (const [image, target] of targets.entries()) {
    checkCancelled(signal)
    const explanation = plainExplanation(frame, classifier.info.head, blur, {
      map: maps[image]!, signed: false, range: [0, 1], score: 'logit', target, logits: clean[image]!,
      iterations: 1, evaluations: { forward: 1, backward: 0 }, whyConstant,
    })
    results.push(explanation)
    yield { image, iteration: 1, iterations: 1, losses: { score: clean[image]![target]! }, probability: NaN, frame: explanation.own, evaluations: explanation.evaluations }
  }
  return results
}

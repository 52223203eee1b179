import type { Explanation } from '#shared/domain/run.ts'
import type { ScoreKind } from '#shared/domain/score.ts'
import { checkCancelled } from '../common/cancelled.ts'
import { mapBlurOf } from '../common/finished-map.ts'
import { switchOf, wordOf } from '../common/parameters.ts'
import { plainExplanation } from '../common/plain-result.ts'
import type { Parameter } from '#shared/domain/parameters.ts'
import { frameOf } from '../gradients/samples.ts'
import { splitRows } from '../masks/calls.ts'
import type { ExplainTask, Step } from '../method.ts'
import { rectify } from './combine.ts'
import { chooseLayer } from './layer.ts'
import { layerFacts, valuesAt, type LayerValues } from './layer-values.ts'

export const positiveParameter: Parameter = {
  type: 'boolean', name: 'positive', label: 'Positive part', group: 'Map',
  help: 'Keep what speaks for the class only (ReLU). Off: the map is signed.',
  default: true,
}

/**
 * A map from a layer's activations and the score's gradients there: one step.
 * @param combine at the layer's resolution, signed
 */
export async function* explainCam(task: ExplainTask, combine: (values: LayerValues) => Float32Array): AsyncGenerator<Step, Explanation[], void> {
  const { classifier, images, parameters, targets, signal } = task
  const score = wordOf<ScoreKind>(parameters, 'score')
  const positive = switchOf(parameters, 'positive')
  const frame = frameOf(task)
  const layer = chooseLayer(classifier, parameters)
  checkCancelled(signal)
  await task.steer?.(1)
  const batch = await classifier.activations(images, layer, targets.map((target) => ({ kind: score, target })))
  const rows = splitRows(batch.logits, images.count)
  const results: Explanation[] = []
  for (const [image, target] of targets.entries()) {
    checkCancelled(signal)
    const values = valuesAt(batch, image)
    const map = combine(values)
    const value = batch.scores![image]!
    const explanation = plainExplanation(frame, classifier.info.head, mapBlurOf(parameters, frame), {
      map: { height: values.height, width: values.width, data: positive ? rectify(map) : map }, signed: !positive, score, target, logits: rows[image]!,
      iterations: 1, evaluations: { forward: 1, backward: 1 },
      whyConstant: `nothing in the layer ${layer} speaks for the class. Turn off "positive" to see what speaks against it, or choose another layer or the logit as the score.`,
      facts: [...layerFacts(layer, values), { label: 'Score of the image', value }],
    })
    results.push(explanation)
    yield { image, iteration: 1, iterations: 1, losses: { score: value }, probability: NaN, frame: explanation.own, evaluations: explanation.evaluations }
  }
  return results
}

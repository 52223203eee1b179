import type { MapData } from '#shared/domain/image.ts'
import type { ParameterValues } from '#shared/domain/parameters.ts'
import { storedIterations, type Explanation } from '#shared/domain/run.ts'
import { valuesAt } from './cams/layer-values.ts'
import { chooseLayer, layerParameter } from './cams/layer.ts'
import { beginSubject, type ScoreSubject } from './cams/score-subject.ts'
import { checkCancelled } from './common/cancelled.ts'
import { finishMap, mapBlurOf } from './common/finished-map.ts'
import { fillBlurParameter, mapBlurParameter, scoreParameter } from './common/parameters.ts'
import { frameOf } from './gradients/samples.ts'
import { zeroParameter } from './gradients/zero.ts'
import { splitRows } from './masks/calls.ts'
import type { ExplainTask, Method, Step } from './method.ts'

const versionOne: ParameterValues = { score: 'probability', layer: 'auto', weighting: 'score', fill: 'model-zero', 'fill-blur': 10, 'map-blur': 0 }

/** ReLU(Σ_k weight_k·A_k): the weight of a channel is what the class answers to the image seen through that channel. No gradient. */
export const scoreCam: Method = {
  id: 'score-cam',
  title: 'Score-CAM',
  citation:
    'H. Wang, Z. Wang, M. Du, F. Yang, Z. Zhang, S. Ding, P. Mardziel, X. Hu: Score-CAM: Score-Weighted Visual Explanations for ' +
    'Convolutional Neural Networks. CVPR workshops 2020.',
  access: 'query',
  spreads: true,
  family: 'activation',
  deterministic: (parameters) => parameters['fill'] !== 'noise',
  needs: ['layers'],
  map: { range: [0, Infinity], signed: false },
  parameters: [
    scoreParameter('probability', ['probability', 'logit', 'log-odds']),
    layerParameter,
    {
      type: 'choice', name: 'weighting', label: 'Weights', group: 'Map', common: true, help: 'What makes the weight of a channel of its score.',
      default: 'score',
      options: [
        { value: 'score', label: 'The score itself (version 1)' },
        { value: 'increase', label: 'Its rise over the fill alone' },
        { value: 'softmax', label: 'Softmax of the rises over all channels (version 2)' },
      ],
      tune: { values: ['score', 'increase', 'softmax'] },
    },
    zeroParameter('Fill', 'What stands where a channel hides the image.', 'model-zero', ['model-zero', 'zero', 'mean', 'blur', 'noise'], ['zero', 'mean', 'blur']),
    fillBlurParameter,
    mapBlurParameter(0, 8),
  ],
  presets: [
    { id: 'v1', title: 'As published, version 1', source: "The authors' repository: probabilities as weights, over the network's zero.", values: versionOne },
    {
      id: 'v2', title: 'As published, version 2', source: "The paper's algorithm: the logit's rise over the empty picture, softmax over the channels.",
      values: { ...versionOne, score: 'logit', weighting: 'softmax', fill: 'zero' },
    },
    {
      id: 'pytorch-grad-cam', title: 'As pytorch-grad-cam', source: "pytorch-grad-cam: softmax of the logits over the channels, over the network's zero. Masks are enlarged half-pixel here, corner to corner there.",
      values: { ...versionOne, score: 'logit', weighting: 'softmax' },
    },
    {
      id: 'maskscope', title: 'Maskscope', source: 'Ours: the rise of the probability over the mean colour, which localises better on scenes (docs/methods.md).',
      values: { ...versionOne, weighting: 'increase', fill: 'mean' },
    },
  ],
  explain,
}

/** Channels asked for together; not more, so that a run can be cancelled between. */
const block = 64

async function* explain(task: ExplainTask): AsyncGenerator<Step, Explanation[], void> {
  const { classifier, images, parameters, targets, signal } = task
  const frame = frameOf(task)
  const layer = chooseLayer(classifier, parameters)
  checkCancelled(signal)
  const batch = await classifier.activations(images, layer)
  const rows = splitRows(batch.logits, images.count)
  const iterations = batch.shape[2]!
  const stored = new Set(storedIterations(iterations))
  const blur = mapBlurOf(parameters, frame)
  const subjects: ScoreSubject[] = []
  for (const index of targets.keys()) subjects.push(await beginSubject(task, index, layer, valuesAt(batch, index), rows[index]!))

  for (let from = 0; from < iterations; from += block) {
    const to = Math.min(iterations, from + block)
    for (const subject of subjects) {
      checkCancelled(signal)
      await subject.ask(from, to)
    }
    for (let iteration = from + 1; iteration <= to; iteration++) {
      await task.steer?.(iteration)
      checkCancelled(signal)
      for (const [image, subject] of subjects.entries()) {
        const look = (): MapData => finishMap(subject.map(iteration), frame, blur).own
        const { score, probability } = subject.answer(iteration - 1)
        yield {
          image, iteration, iterations, losses: { score }, probability, evaluations: { ...subject.evaluations },
          ...(stored.has(iteration) ? { frame: look() } : { look }),
        }
      }
    }
  }
  return subjects.map((subject) => subject.result(blur))
}

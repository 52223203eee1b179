import type { MapData } from '#shared/domain/image.ts'
import type { ParameterValues } from '#shared/domain/parameters.ts'
import { storedIterations, type Explanation } from '#shared/domain/run.ts'
import type { ScoreKind } from '#shared/domain/score.ts'
import { scoreValues } from '../classifier/scores.ts'
import { rectify, weightedSum } from './cams/combine.ts'
import { positiveParameter } from './cams/explain-cam.ts'
import { chooseLayer, layerParameter } from './cams/layer.ts'
import { layerFacts, valuesAt, type LayerValues } from './cams/layer-values.ts'
import { checkCancelled } from './common/cancelled.ts'
import { finishMap, mapBlurOf } from './common/finished-map.ts'
import { mapBlurParameter, scoreParameter, switchOf, wordOf } from './common/parameters.ts'
import { plainExplanation } from './common/plain-result.ts'
import { frameOf, imageAt } from './gradients/samples.ts'
import { splitRows } from './masks/calls.ts'
import type { ExplainTask, Method, Step } from './method.ts'

type Weighting = 'relative' | 'norm' | 'difference'

const published: ParameterValues = { score: 'logit', layer: 'auto', weighting: 'relative', positive: true, 'map-blur': 0 }

/** ReLU(Σ_k weight_k·A_k): the weight of a channel is what the score loses when the channel is put to zero. No gradient. */
export const ablationCam: Method = {
  id: 'ablation-cam',
  title: 'Ablation-CAM',
  citation:
    'S. Desai, H. G. Ramaswamy: Ablation-CAM: Visual Explanations for Deep Convolutional Network via Gradient-free ' +
    'Localization. WACV 2020.',
  access: 'query',
  family: 'activation',
  deterministic: true,
  needs: ['layers'],
  map: { range: [0, Infinity], signed: false },
  parameters: [
    scoreParameter('logit', ['logit', 'log-odds', 'probability']),
    layerParameter,
    {
      type: 'choice', name: 'weighting', label: 'Weights', group: 'Map', common: true, help: 'What makes the weight of a channel of the score’s loss.',
      default: 'relative',
      options: [
        { value: 'relative', label: 'The loss, relative to the score' },
        { value: 'norm', label: 'The loss, relative to the channel’s length' },
        { value: 'difference', label: 'The loss itself' },
      ],
      tune: { values: ['norm', 'difference'] },
    },
    positiveParameter,
    mapBlurParameter(0, 8),
  ],
  presets: [
    { id: 'paper', title: 'As published', source: 'Desai & Ramaswamy 2020: the loss of the logit relative to the logit, ReLU.', values: published },
    {
      id: 'slope', title: 'The paper’s slope', source: 'Desai & Ramaswamy 2020, before they approximate it: the loss by the length of the channel.',
      values: { ...published, weighting: 'norm' },
    },
    {
      id: 'maskscope', title: 'Maskscope', source: 'Ours: the loss of the log-odds by the length of the channel, blurred a little (docs/methods.md).',
      values: { ...published, score: 'log-odds', weighting: 'norm', 'map-blur': 2 },
    },
  ],
  explain,
}

/** Channels asked for together; not more, so that a run can be cancelled between. */
const block = 64

/** One image of the batch on its way. */
interface Subject {
  values: LayerValues
  logits: Float32Array
  score: number
  /** By channel; 0 for those not asked for yet. */
  losses: Float64Array
}

async function* explain(task: ExplainTask): AsyncGenerator<Step, Explanation[], void> {
  const { classifier, images, parameters, targets, signal } = task
  const frame = frameOf(task)
  const { info } = classifier
  const layer = chooseLayer(classifier, parameters)
  const kind = wordOf<ScoreKind>(parameters, 'score')
  const weighting = wordOf<Weighting>(parameters, 'weighting')
  const positive = switchOf(parameters, 'positive')
  const blur = mapBlurOf(parameters, frame)
  const scoreOf = (rows: readonly Float32Array[], index: number): Float32Array => scoreValues(rows, { kind, target: targets[index]! }, info.head)
  checkCancelled(signal)
  const batch = await classifier.activations(images, layer)
  const rows = splitRows(batch.logits, images.count)
  const iterations = batch.shape[2]!
  const stored = new Set(storedIterations(iterations))
  const subjects = targets.map((_, index): Subject => ({
    values: valuesAt(batch, index), logits: rows[index]!, score: scoreOf([rows[index]!], index)[0]!, losses: new Float64Array(iterations),
  }))

  function mapAt({ values, losses, score }: Subject, channels: number): MapData {
    const weights = losses.map((loss, channel) => (channel < channels ? loss * factor(values, channel, score, weighting) : 0))
    const map = weightedSum(values, weights)
    return { height: values.height, width: values.width, data: positive ? rectify(map) : map }
  }

  for (let from = 0; from < iterations; from += block) {
    const channels = Array.from({ length: Math.min(block, iterations - from) }, (_, k) => from + k)
    for (const [index, subject] of subjects.entries()) {
      checkCancelled(signal)
      const image = { ...images, count: 1, data: imageAt(task, index) }
      const without = splitRows(await classifier.logits(image, { ablate: { layer, channels: [channels] } }), channels.length)
      scoreOf(without, index).forEach((score, k) => (subject.losses[from + k] = subject.score - score))
    }
    for (const channel of channels) {
      const iteration = channel + 1
      await task.steer?.(iteration)
      checkCancelled(signal)
      for (const [image, subject] of subjects.entries()) {
        const look = (): MapData => finishMap(mapAt(subject, iteration), frame, blur).own
        yield {
          image, iteration, iterations, losses: { loss: subject.losses[channel]! }, probability: NaN, evaluations: { forward: 1 + iteration, backward: 0 },
          ...(stored.has(iteration) ? { frame: look() } : { look }),
        }
      }
    }
  }
  return subjects.map((subject, index) => plainExplanation(frame, info.head, blur, {
    map: mapAt(subject, iterations), signed: !positive, score: kind, target: targets[index]!, logits: subject.logits, iterations,
    evaluations: { forward: 1 + iterations, backward: 0 },
    whyConstant: `no channel of the layer ${layer} that is there raises the score. Choose another layer or score, or turn off "positive".`,
    facts: [
      ...layerFacts(layer, subject.values),
      { label: 'Score of the image', value: subject.score },
      { label: 'Largest loss by one channel', value: subject.losses.reduce((a, b) => Math.max(a, b)) },
      { label: 'Channels whose loss raises the score', value: subject.losses.filter((loss) => loss < 0).length },
    ],
    notes: weighting === 'relative' && subject.score <= 0
      ? ['The score of the image is not positive, and the published weights divide by it: the map shows what speaks against the class. Take the loss itself as the weight.']
      : [],
  }))
}

function factor({ activations, channels }: LayerValues, channel: number, score: number, weighting: Weighting): number {
  if (weighting === 'difference') return 1
  if (weighting === 'relative') return score === 0 ? 0 : 1 / score
  let squares = 0
  for (let i = channel; i < activations.length; i += channels) squares += activations[i]! ** 2
  return squares === 0 ? 0 : 1 / Math.sqrt(squares)
}

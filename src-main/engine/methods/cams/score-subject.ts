import type { MapData } from '#shared/domain/image.ts'
import type { Evaluations, Explanation } from '#shared/domain/run.ts'
import type { ScoreKind } from '#shared/domain/score.ts'
import { createRandom } from '#shared/random/random.ts'
import { scoreValues } from '../../classifier/scores.ts'
import { numberOf, wordOf } from '../common/parameters.ts'
import { clearProbability, plainExplanation } from '../common/plain-result.ts'
import { frameOf, imageAt } from '../gradients/samples.ts'
import { zeroName, zeroPicture, type Zero } from '../gradients/zero.ts'
import type { ExplainTask } from '../method.ts'
import { createMaskQueries } from '../queries/mask-queries.ts'
import { channelMasks } from './channel-masks.ts'
import { rectify, weightedSum } from './combine.ts'
import { layerFacts, type LayerValues } from './layer-values.ts'

export type Weighting = 'score' | 'increase' | 'softmax'

/** What the class answers to the image seen through one channel. */
export interface Answer {
  score: number
  probability: number
}

/** One image of Score-CAM's batch on its way. */
export interface ScoreSubject {
  evaluations: Evaluations
  /** Asks for the channels [from, to). */
  ask(from: number, to: number): Promise<void>
  /** To a channel asked for; one that makes no mask answers as the fill alone. */
  answer(channel: number): Answer
  /** From the first so many channels, at the layer's resolution. */
  map(channels: number): MapData
  result(blur: number): Explanation
}

/** @param clean logits of the image */
export async function beginSubject(task: ExplainTask, index: number, layer: string, values: LayerValues, clean: Float32Array): Promise<ScoreSubject> {
  const { classifier, parameters } = task
  const { info } = classifier
  const target = task.targets[index]!
  const frame = frameOf(task)
  const image = imageAt(task, index)
  const kind = wordOf<ScoreKind>(parameters, 'score')
  const weighting = wordOf<Weighting>(parameters, 'weighting')
  const zero = wordOf<Zero>(parameters, 'fill')
  const fillBlur = (numberOf(parameters, 'fill-blur') * Math.min(frame.height, frame.width)) / 224
  const fill = zeroPicture(zero, info, frame, image, fillBlur, createRandom(task.seeds[index]!, 'score-cam', 'fill'))
  const { cells, flat, masks } = channelMasks(values, frame)
  const queries = createMaskQueries(classifier, frame, image, task)
  const read = (rows: readonly Float32Array[]): Answer[] => {
    const scores = scoreValues(rows, { kind, target }, info.head)
    return rows.map((row, i) => ({ score: scores[i]!, probability: clearProbability(row, target, info.head) }))
  }
  const nothing = { form: 'grid', count: 1, height: 1, width: 1, cells: new Float32Array(1) } as const
  const empty = read(await queries.ask({ masks: nothing, fill }))[0]!
  const answers = new Map<number, Answer>()
  const evaluations = { forward: 1 + queries.forward, backward: 0 }

  function map(channels: number): MapData {
    const weights = new Float64Array(values.channels)
    const seen = [...answers].filter(([channel]) => channel < channels)
    const rises = seen.map(([, { score }]) => score - (weighting === 'score' ? 0 : empty.score))
    const top = rises.reduce((a, b) => Math.max(a, b), -Infinity)
    const parts = weighting === 'softmax' ? rises.map((rise) => Math.exp(rise - top)) : rises
    const sum = weighting === 'softmax' ? parts.reduce((a, b) => a + b, 0) : 1
    seen.forEach(([channel], k) => (weights[channel] = parts[k]! / sum))
    return { height: values.height, width: values.width, data: rectify(weightedSum(values, weights)) }
  }

  return {
    evaluations, map,
    async ask(from, to) {
      const varying = Array.from({ length: to - from }, (_, k) => from + k).filter((channel) => cells[channel] !== null)
      if (varying.length === 0) return
      read(await queries.ask({ masks: masks(varying), fill })).forEach((answer, k) => answers.set(varying[k]!, answer))
      evaluations.forward = 1 + queries.forward
    },
    answer: (channel) => answers.get(channel) ?? empty,
    result: (blur) => plainExplanation(frame, info.head, blur, {
      map: map(values.channels), signed: false, score: kind, target, logits: clean, iterations: values.channels, evaluations,
      whyConstant: answers.size === 0
        ? `every channel of the layer ${layer} is the same everywhere, so none makes a mask. Choose another layer.`
        : `no channel of the layer ${layer} that the class sees weighs anything. Choose another layer, score or weighting.`,
      facts: [
        ...layerFacts(layer, values),
        { label: 'Channels that make no mask', value: flat },
        { label: 'Fill', value: zeroName(zero, info, frame.channels) },
        { label: 'Score of the fill alone', value: empty.score },
        ...(answers.size > 0 ? [{ label: 'Highest score of a channel', value: Math.max(...[...answers.values()].map(({ score }) => score)) }] : []),
      ],
    }),
  }
}

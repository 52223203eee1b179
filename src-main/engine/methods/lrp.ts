import { executorNames } from '#shared/domain/executor.ts'
import type { Parameter, ParameterValues } from '#shared/domain/parameters.ts'
import type { Explanation } from '#shared/domain/run.ts'
import type { LrpRule } from '../classifier/classifier.ts'
import { checkCancelled } from './common/cancelled.ts'
import { mapBlurOf } from './common/finished-map.ts'
import { mapBlurParameter, numberOf, wordOf } from './common/parameters.ts'
import { plainExplanation } from './common/plain-result.ts'
import { isSigned, reduceChannels, reductionParameter, type Reduction } from './gradients/reduction.ts'
import { frameOf } from './gradients/samples.ts'
import { splitRows } from './masks/calls.ts'
import type { ExplainTask, Method, Step } from './method.ts'

const parameters: readonly Parameter[] = [
  {
    type: 'number', name: 'lower', label: 'Layers that take γ', group: 'Rule', common: true,
    help: 'The share of the layers with weights, counted from the image, that take the γ rule; the others take the ε rule.',
    default: 0.9, min: 0, max: 1, step: 0.05, tune: { values: [0, 0.5, 0.9, 1] },
  },
  {
    type: 'number', name: 'gamma', label: 'γ', symbol: 'γ', group: 'Rule', common: true,
    help: 'How much more what speaks for an output counts than what speaks against it.',
    default: 0.25, min: 0, max: 1000, step: 0.01, tune: { values: [0.1, 0.25, 0.5, 1, 10] },
  },
  {
    type: 'number', name: 'epsilon', label: 'ε', symbol: 'ε', group: 'Rule', common: true,
    help: 'Takes relevance from outputs that are small against the others of their layer, in units of their root mean square.',
    default: 0, min: 0, max: 10, step: 0.01, tune: { values: [0, 0.1, 0.25, 1] },
  },
  {
    type: 'choice', name: 'input', label: 'At the image', group: 'Rule', help: 'How the first layer hands relevance to the pixels.', default: 'box',
    options: [
      { value: 'same', label: 'Like the layers above' },
      { value: 'box', label: 'Relative to black and white (zB)' },
      { value: 'flat', label: 'Evenly over its window' },
      { value: 'mean', label: 'Relative to the mean colour' },
    ],
    tune: { values: ['box', 'flat', 'mean'] },
  },
  {
    type: 'choice', name: 'biases', label: 'Biases', group: 'Rule', help: 'Whether biases take their share of the relevance, which then does not reach the image.', default: 'share',
    options: [{ value: 'share', label: 'Take their share' }, { value: 'none', label: 'Take none' }], tune: { values: ['share', 'none'] },
  },
  reductionParameter('sum', ['sum', 'magnitude-sum']),
  mapBlurParameter(0, 8),
]

const composite: ParameterValues = { lower: 0.9, gamma: 0.25, epsilon: 0, input: 'box', biases: 'share', channels: 'sum', 'map-blur': 0 }

/** Layer-wise relevance propagation: the logit is shared out backwards, layer by layer, among what made it up. */
export const lrp: Method = {
  id: 'lrp',
  title: 'Layer-wise relevance propagation',
  citation:
    'S. Bach, A. Binder, G. Montavon, F. Klauschen, K.-R. Müller, W. Samek: On Pixel-Wise Explanations for Non-Linear Classifier ' +
    'Decisions by Layer-Wise Relevance Propagation. PLOS ONE 10(7), 2015. Rules: G. Montavon, A. Binder, S. Lapuschkin, W. Samek, ' +
    'K.-R. Müller: Layer-Wise Relevance Propagation: An Overview. Explainable AI, Springer 2019.',
  access: 'gradient',
  family: 'gradient',
  deterministic: true,
  needs: ['layers'],
  map: { range: [-Infinity, Infinity], signed: true },
  parameters,
  presets: [
    {
      id: 'composite', title: 'γ below, ε above', source: 'After Montavon et al. 2019: γ .25 in the lower layers, ε at the top, zB at the image.',
      values: composite,
    },
    {
      id: 'overview', title: 'γ, ε and 0 by depth', source: "After Montavon et al. 2019, their VGG-16: γ .25 in the lower half, ε .25 above. They leave the top layers without ε, which here take it too.",
      values: { ...composite, lower: 0.5, epsilon: 0.25 },
    },
    { id: 'epsilon', title: 'ε', source: 'Bach et al. 2015, ε in all layers: with a small ε and ReLU close to input × gradient.', values: { ...composite, lower: 0, epsilon: 0.01, input: 'same' } },
    {
      id: 'maskscope', title: 'Maskscope', source: 'Ours: pixels relative to the mean colour, a large γ, magnitudes summed and blurred, which localises better on scenes (docs/methods.md).',
      values: { ...composite, gamma: 10, input: 'mean', channels: 'magnitude-sum', 'map-blur': 4 },
    },
    { id: 'gamma', title: 'γ', source: 'γ in all layers.', values: { ...composite, lower: 1, input: 'same' } },
    {
      id: 'flat', title: 'Positive parts, flat at the image', source: 'After Lapuschkin et al. 2019: a γ so large that only what speaks for an output counts, ε above, evenly at the image.',
      values: { ...composite, gamma: 1000, input: 'flat' },
    },
  ],
  explain,
}

async function* explain(task: ExplainTask): AsyncGenerator<Step, Explanation[], void> {
  const { classifier, images, targets, signal } = task
  const { info } = classifier
  const frame = frameOf(task)
  const reduction = wordOf<Reduction>(task.parameters, 'channels')
  const rule: LrpRule = {
    lower: numberOf(task.parameters, 'lower'), gamma: numberOf(task.parameters, 'gamma'), epsilon: numberOf(task.parameters, 'epsilon'),
    input: wordOf(task.parameters, 'input'), biases: wordOf(task.parameters, 'biases'),
  }
  checkCancelled(signal)
  await task.steer?.(1)
  const { relevance, logits } = await classifier.relevance(images, targets, rule)
  const rows = splitRows(logits, images.count)
  const results: Explanation[] = []
  for (const [image, own] of splitRows(relevance, images.count).entries()) {
    checkCancelled(signal)
    const target = targets[image]!
    const logit = rows[image]![target]!
    const arrived = own.reduce((sum, value) => sum + value, 0)
    const explanation = plainExplanation(frame, info.head, mapBlurOf(task.parameters, frame), {
      map: reduceChannels(frame, own, reduction), signed: isSigned(reduction), score: 'logit', target, logits: rows[image]!,
      iterations: 1, evaluations: { forward: 1, backward: 1 },
      whyConstant: 'no relevance reaches the image; the logit is 0, or biases take all of it. Let biases take none, or choose another target.',
      facts: [
        { label: 'Logit of the target', value: logit },
        { label: 'Relevance that reaches the image', value: arrived },
        ...(logit === 0 ? [] : [{ label: 'Share of the logit', value: arrived / logit }]),
        ...(info.executor.id === 'tfjs' ? [] : [{ label: 'Computed by', value: `TensorFlow.js, over the same weights; outputs and gradients of this model come from ${executorNames[info.executor.id]}` }]),
      ],
      notes: notesOn(arrived, logit, rule),
    })
    results.push(explanation)
    yield {
      image, iteration: 1, iterations: 1, losses: { logit, relevance: arrived }, probability: NaN, frame: explanation.own, evaluations: explanation.evaluations,
    }
  }
  return results
}

/** Less of the logit than this tells of biases rather than of pixels. */
const little = 0.05

function notesOn(arrived: number, logit: number, { biases }: LrpRule): string[] {
  const share = Math.abs(arrived / logit)
  return [
    ...(logit < 0 ? ['The logit is negative: positive relevance is what makes it so, and speaks against the class.'] : []),
    ...(biases === 'share' && share < little
      ? [`Biases took nearly all of the relevance: ${(100 * share).toPrecision(2)}% of the logit reaches the image. Networks with batch normalisation have large ones. Set "biases" to none, and all of it arrives.`]
      : []),
  ]
}

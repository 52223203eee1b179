import type { MapData } from '#shared/domain/image.ts'
import type { ParameterValues } from '#shared/domain/parameters.ts'
import { storedIterations, type Explanation, type Fact } from '#shared/domain/run.ts'
import type { ScoreKind } from '#shared/domain/score.ts'
import { createRandom } from '#shared/random/random.ts'
import { scoreValues } from '../classifier/scores.ts'
import { joined } from '../graph/joined.ts'
import { checkCancelled } from './common/cancelled.ts'
import { finishMap, mapBlurOf } from './common/finished-map.ts'
import { fillBlurParameter, mapBlurParameter, numberOf, scoreParameter, wordOf } from './common/parameters.ts'
import { plainExplanation } from './common/plain-result.ts'
import { quadrature, quadratures, type QuadratureKind } from './gradients/quadrature.ts'
import { isSigned, reduceChannels, reductionParameter, type Reduction } from './gradients/reduction.ts'
import { frameOf, imageAt, sampleGradients } from './gradients/samples.ts'
import { zeroName, zeroParameter, zeroPicture, type Zero } from './gradients/zero.ts'
import { classifyAll } from './masks/calls.ts'
import type { ExplainTask, Method, Step } from './method.ts'

const quadratureLabels: Readonly<Record<QuadratureKind, string>> = {
  'gauss-legendre': 'Gauss–Legendre', middle: 'Riemann, middle', right: 'Riemann, right', left: 'Riemann, left', trapezoid: 'Trapezoid',
  'plain-mean': 'Mean with both ends', 'captum-trapezoid': "Captum's trapezoid, whose weights do not add up to 1",
}

const published: ParameterValues = {
  score: 'logit', steps: 50, quadrature: 'gauss-legendre', fill: 'zero', 'fill-blur': 10, channels: 'sum', 'map-blur': 0,
}

/** (x − x′)·∫₀¹ ∂ score / ∂x at x′ + α(x − x′) dα: adds up to the score's rise from the baseline x′ to the image x. */
export const integratedGradients: Method = {
  id: 'integrated-gradients',
  title: 'Integrated gradients',
  citation: 'M. Sundararajan, A. Taly, Q. Yan: Axiomatic Attribution for Deep Networks. ICML 2017.',
  access: 'gradient',
  family: 'gradient',
  deterministic: (parameters) => parameters['fill'] !== 'noise',
  map: { range: [-Infinity, Infinity], signed: true },
  parameters: [
    scoreParameter('logit', ['logit', 'log-odds']),
    {
      type: 'number', name: 'steps', label: 'Steps', symbol: 'n', group: 'Path', common: true,
      help: 'Pictures between the baseline and the image whose gradients are taken.',
      default: 50, min: 2, max: 2000, step: 1, integer: true, logarithmic: true,
    },
    {
      type: 'choice', name: 'quadrature', label: 'Quadrature', group: 'Path', help: 'Where on the path the gradients are taken, and how they are weighted.',
      default: 'gauss-legendre', options: quadratures.map((value) => ({ value, label: quadratureLabels[value] })),
    },
    zeroParameter('Baseline', 'The picture at which the path begins: what counts as nothing.', 'zero', ['zero', 'model-zero', 'mean', 'blur', 'noise'], ['zero', 'mean', 'blur', 'noise']),
    fillBlurParameter,
    reductionParameter('sum'),
    mapBlurParameter(0, 8),
  ],
  presets: [
    { id: 'paper', title: 'As published', source: 'Sundararajan et al. 2017: from black, 50 steps (20 to 300 there); Gauss–Legendre, which is nearest to the integral.', values: published },
    {
      id: 'maskscope', title: 'Maskscope', source: 'Ours: from the mean colour, on the log-odds, magnitudes summed and blurred, which localises better on scenes (docs/methods.md).',
      values: { ...published, score: 'log-odds', fill: 'mean', channels: 'magnitude-sum', 'map-blur': 4 },
    },
    { id: 'captum', title: 'As Captum', source: "Captum: 50 steps, Gauss–Legendre, from the network's zero.", values: { ...published, fill: 'model-zero' } },
    {
      id: 'pair', title: 'As PAIR saliency', source: 'The PAIR saliency library: the mean over 25 points with both ends, magnitudes summed.',
      values: { ...published, steps: 25, quadrature: 'plain-mean', fill: 'model-zero', channels: 'magnitude-sum' },
    },
    {
      id: 'xplique', title: 'As Xplique', source: 'Xplique: 50 points, trapezoid, from 0, the mean over the channels.',
      values: { ...published, quadrature: 'trapezoid', fill: 'model-zero', channels: 'mean' },
    },
    { id: 'zennit', title: 'As Zennit', source: "Zennit: 20 steps at their right ends, from the network's zero.", values: { ...published, steps: 20, quadrature: 'right', fill: 'model-zero' } },
    {
      id: 'quantus', title: 'As Quantus', source: "Quantus' default call of Captum: 10 steps of its trapezoid, which loses a tenth of a linear model's attribution.",
      values: { ...published, steps: 10, quadrature: 'captum-trapezoid', fill: 'model-zero' },
    },
  ],
  explain,
}

async function* explain(task: ExplainTask): AsyncGenerator<Step, Explanation[], void> {
  const { classifier, images, parameters, targets, seeds, signal } = task
  const { info } = classifier
  const score = wordOf<ScoreKind>(parameters, 'score')
  const steps = numberOf(parameters, 'steps')
  const kind = wordOf<Zero>(parameters, 'fill')
  const reduction = wordOf<Reduction>(parameters, 'channels')
  const frame = frameOf(task)
  const blur = mapBlurOf(parameters, frame)
  const fillBlur = (numberOf(parameters, 'fill-blur') * Math.min(frame.height, frame.width)) / 224
  const { points, weights } = quadrature(wordOf<QuadratureKind>(parameters, 'quadrature'), steps)
  const stored = new Set(storedIterations(steps))

  checkCancelled(signal)
  const subjects = targets.map((_, index) => {
    const image = imageAt(task, index)
    const zero = zeroPicture(kind, info, frame, image, fillBlur, createRandom(seeds[index]!, 'integrated-gradients', 'baseline'))
    return { image, zero, integral: new Float64Array(image.length) }
  })
  const clean = await classifyAll(classifier, frame, images.data, images.count)
  const baselines = await classifyAll(classifier, frame, joined(subjects.map(({ zero }) => zero)), images.count)

  const attributionOf = ({ image, zero, integral }: (typeof subjects)[number]): Float64Array => integral.map((value, i) => (image[i]! - zero[i]!) * value)
  const found = sampleGradients(task, score, steps, (index, point, out) => {
    const { image, zero } = subjects[index]!
    for (let i = 0; i < out.length; i++) out[i] = zero[i]! + points[point]! * (image[i]! - zero[i]!)
  })
  for await (const { image, index, gradient, score: value } of found) {
    const subject = subjects[image]!
    for (let i = 0; i < gradient.length; i++) subject.integral[i]! += weights[index]! * gradient[i]!
    const iteration = index + 1
    const look = (): MapData => finishMap(reduceChannels(frame, attributionOf(subject), reduction), frame, blur).own
    yield {
      image, iteration, iterations: steps, losses: { score: value }, probability: NaN,
      evaluations: { forward: iteration + 2, backward: iteration }, ...(stored.has(iteration) ? { frame: look() } : { look }),
    }
  }
  return subjects.map((subject, index) => {
    const attribution = attributionOf(subject)
    const target = targets[index]!
    const [above, below] = scoreValues([clean[index]!, baselines[index]!], { kind: score, target }, info.head)
    const { facts, notes } = completeness(attribution.reduce((sum, value) => sum + value, 0), above!, below!)
    return plainExplanation(frame, info.head, blur, {
      map: reduceChannels(frame, attribution, reduction), signed: isSigned(reduction), score, target, logits: clean[index]!,
      iterations: steps, evaluations: { forward: steps + 2, backward: steps }, notes,
      whyConstant: 'the score does not change between the baseline and the image, or the two are the same; choose another baseline.',
      facts: [{ label: 'Baseline', value: zeroName(kind, info, frame.channels) }, ...facts],
    })
  })
}

/** How far the attribution is from adding up to the score's rise from the baseline to the image. */
function completeness(sum: number, above: number, below: number): { facts: Fact[]; notes: string[] } {
  const rise = above - below
  const gap = sum - rise
  const share = Math.abs(gap / rise)
  return {
    facts: [
      { label: 'Score of the image', value: above },
      { label: 'Score of the baseline', value: below },
      { label: 'Completeness gap', value: gap },
      { label: 'Completeness gap as a share of the rise', value: share },
    ],
    notes: share > 0.05 ? [`The attribution misses the rise of the score by ${(100 * share).toFixed(0)}%; more steps or another quadrature bring it nearer.`] : [],
  }
}

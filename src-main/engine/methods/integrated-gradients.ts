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
import { createAdaptivePath } from './gradients/adaptive-path.ts'
import { createRuledPath, quadrature, quadratures, type Path, type QuadratureKind } from './gradients/quadrature.ts'
import { isSigned, reduceChannels, reductionParameter, type Reduction } from './gradients/reduction.ts'
import { frameOf, imageAt, sampleGradients } from './gradients/samples.ts'
import { zeroName, zeroParameter, zeroPicture, type Zero } from './gradients/zero.ts'
import { classifyAll } from './masks/calls.ts'
import type { ExplainTask, Method, Step } from './method.ts'

/** Ours beside the rules. */
const ways = ['adaptive', ...quadratures] as const
type Way = 'adaptive' | QuadratureKind

const wayLabels: Readonly<Record<Way, string>> = {
  'adaptive': 'Adaptive: where the score bends',
  'gauss-legendre': 'Gauss–Legendre', middle: 'Riemann, middle', right: 'Riemann, right', left: 'Riemann, left', trapezoid: 'Trapezoid',
  'plain-mean': 'Mean with both ends', 'captum-trapezoid': "Captum's trapezoid, whose weights do not add up to 1",
}

const published: ParameterValues = {
  score: 'logit', steps: 50, quadrature: 'adaptive', fill: 'zero', 'fill-blur': 10, channels: 'sum', 'map-blur': 0,
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
      default: 'adaptive', options: ways.map((value) => ({ value, label: wayLabels[value] })),
    },
    zeroParameter('Baseline', 'The picture at which the path begins: what counts as nothing.', 'zero', ['zero', 'model-zero', 'mean', 'blur', 'noise'], ['zero', 'mean', 'blur', 'noise']),
    fillBlurParameter,
    reductionParameter('sum'),
    mapBlurParameter(0, 8),
  ],
  presets: [
    { id: 'paper', title: 'As published', source: 'Sundararajan et al. 2017: from black, 50 steps (20 to 300 there); adaptive, which is nearest to the integral.', values: published },
    {
      id: 'maskscope', title: 'Maskscope', source: 'Ours: from the mean colour, on the log-odds, magnitudes summed and blurred, which localises better on scenes (docs/methods.md).',
      values: { ...published, score: 'log-odds', fill: 'mean', channels: 'magnitude-sum', 'map-blur': 4 },
    },
    { id: 'captum', title: 'As Captum', source: "Captum: 50 steps, Gauss–Legendre, from the network's zero.", values: { ...published, quadrature: 'gauss-legendre', fill: 'model-zero' } },
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
  const way = wordOf<Way>(parameters, 'quadrature')
  const pathOf = (length: number): Path => (way === 'adaptive' ? createAdaptivePath(steps, length) : createRuledPath(quadrature(way, steps), length))
  const stored = new Set(storedIterations(steps))

  checkCancelled(signal)
  const subjects = targets.map((_, index) => {
    const image = imageAt(task, index)
    const zero = zeroPicture(kind, info, frame, image, fillBlur, createRandom(seeds[index]!, 'integrated-gradients', 'baseline'))
    return { image, zero, path: pathOf(image.length), places: [] as number[] }
  })
  const clean = await classifyAll(classifier, frame, images.data, images.count)
  const baselines = await classifyAll(classifier, frame, joined(subjects.map(({ zero }) => zero)), images.count)

  const rises = targets.map((target, index): Rise => {
    const [above, below] = scoreValues([clean[index]!, baselines[index]!], { kind: score, target }, info.head)
    return { above: above!, below: below! }
  })

  const attributionOf = ({ image, zero, path }: (typeof subjects)[number]): Float64Array => path.integral.map((value, i) => (image[i]! - zero[i]!) * value)
  let iteration = 0
  while (true) {
    for (const subject of subjects) subject.places = subject.path.next()
    const before = iteration
    const perImage = subjects[0]!.places.length
    if (perImage === 0) break
    const found = sampleGradients(task, score, perImage, (index, point, out) => {
      const { image, zero, places } = subjects[index]!
      for (let i = 0; i < out.length; i++) out[i] = zero[i]! + places[point]! * (image[i]! - zero[i]!)
    }, before)
    for await (const { image, index, gradient, score: value } of found) {
      const subject = subjects[image]!
      subject.path.take(value, alongPath(subject, gradient), gradient)
      iteration = before + index + 1
      const look = (): MapData => finishMap(reduceChannels(frame, attributionOf(subject), reduction), frame, blur).own
      // Told in the order of the path the score draws its course; else what the attribution still misses is told.
      const losses = way === 'adaptive' ? { gap: gapOf(alongPath(subject, subject.path.integral), rises[image]!) } : { score: value }
      yield {
        image, iteration, iterations: steps, losses, probability: NaN,
        evaluations: { forward: iteration + 2, backward: iteration }, ...(stored.has(iteration) ? { frame: look() } : { look }),
      }
    }
  }
  return subjects.map((subject, index) => {
    const attribution = attributionOf(subject)
    const target = targets[index]!
    const { facts, notes } = completeness(attribution.reduce((sum, value) => sum + value, 0), rises[index]!)
    return plainExplanation(frame, info.head, blur, {
      map: reduceChannels(frame, attribution, reduction), signed: isSigned(reduction), score, target, logits: clean[index]!,
      iterations: steps, evaluations: { forward: steps + 2, backward: steps }, notes,
      whyConstant: 'the score does not change between the baseline and the image, or the two are the same; choose another baseline.',
      facts: [{ label: 'Baseline', value: zeroName(kind, info, frame.channels) }, ...facts],
    })
  })
}

/** The score of the image and of the baseline. */
interface Rise {
  above: number
  below: number
}

/** Of a gradient, or of an integral of gradients: its part along the path. */
function alongPath({ image, zero }: { image: Float32Array; zero: Float32Array }, gradient: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < image.length; i++) sum += (image[i]! - zero[i]!) * gradient[i]!
  return sum
}

/** What is missing of the rise, or too much, as a share of it; 1 where nothing rises and something was found. */
function gapOf(sum: number, { above, below }: Rise): number {
  const missing = Math.abs(above - below - sum)
  return missing === 0 ? 0 : Math.min(1, missing / Math.abs(above - below))
}

/** How far the attribution is from adding up to the score's rise from the baseline to the image. */
function completeness(sum: number, { above, below }: Rise): { facts: Fact[]; notes: string[] } {
  const rise = above - below
  const gap = sum - rise
  const share = gap === 0 ? 0 : Math.abs(gap / rise)
  return {
    facts: [
      { label: 'Score of the image', value: above },
      { label: 'Score of the baseline', value: below },
      { label: 'Completeness gap', value: gap },
      ...(share === Infinity ? [] : [{ label: 'Completeness gap as a share of the rise', value: share }]),
    ],
    notes: share === Infinity ? ['The score is the same for the baseline and the image, so nothing that the attribution adds up to is the rise of the score; choose another score or baseline.'] : share > 0.05 ? [`The attribution misses the rise of the score by ${(100 * share).toFixed(0)}%; more steps or another quadrature bring it nearer.`] : [],
  }
}

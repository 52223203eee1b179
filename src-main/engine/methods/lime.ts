import type { ParameterValues } from '#shared/domain/parameters.ts'
import type { Explanation, Fact, MapPart } from '#shared/domain/run.ts'
import { createRandom, type Random } from '#shared/random/random.ts'
import { checkCancelled } from './common/cancelled.ts'
import { numberOf, wordOf } from './common/parameters.ts'
import { limeSchema } from './lime-parameters.ts'
import { fitLinear, standardErrors, type FitInput, type LinearFit, type Penalty } from './perturbation/linear-fit.ts'
import { sampleDistance, type DistanceKind } from './perturbation/sample-distance.ts'
import { createSegmentSubject, segmentBaseline, segmentMap, segmentNotes, segmentPart, type SegmentSubject } from './perturbation/segment-subject.ts'
import type { ExplainTask, Method, Step } from './method.ts'

/**
 * LIME: segments of the image are hidden at random, and a linear model of which ones are shown is fitted to the score, near
 * samples weighing more; its coefficients are the map.
 */
export const lime: Method = {
  id: 'lime',
  title: 'LIME',
  citation: 'M. T. Ribeiro, S. Singh, C. Guestrin: “Why Should I Trust You?”: Explaining the Predictions of Any Classifier. ACM KDD 2016.',
  access: 'query',
  spreads: true,
  family: 'perturbation',
  map: { range: [-Infinity, Infinity], signed: true },
  ...limeSchema,
  explain,
  baseline: segmentBaseline('lime'),
}

/** Samples between two pieces of news, and in one question; fixed, so that nothing depends on the machine. */
const block = 125

async function* explain(task: ExplainTask): AsyncGenerator<Step, Explanation[], void> {
  const explanations: Explanation[] = []
  for (let index = 0; index < task.images.count; index++) explanations.push(yield* explainOne(task, index))
  return explanations
}

async function* explainOne(task: ExplainTask, index: number): AsyncGenerator<Step, Explanation, void> {
  const { parameters, signal } = task
  const samples = numberOf(parameters, 'samples')
  checkCancelled(signal)
  const subject = createSegmentSubject(task, index, 'lime')
  const random = createRandom(task.seeds[index]!, 'lime', 'samples')
  const distance = sampleDistance(subject, wordOf<DistanceKind>(parameters, 'distance'))
  const width = numberOf(parameters, 'kernel-width')
  const shown = drawSamples(subject.count, samples, random)
  const scores = new Float32Array(samples)
  const weights = new Float64Array(samples)

  for (let from = 0; from < samples; from += block) {
    checkCancelled(signal)
    await task.steer?.(from)
    const to = Math.min(samples, from + block)
    const rows = shown.subarray(from * subject.count, to * subject.count)
    scores.set(await subject.ask(rows), from)
    for (let i = from; i < to; i++) {
      const d = distance(shown.subarray(i * subject.count, (i + 1) * subject.count))
      weights[i] = Math.exp(-(d * d) / (2 * width * width))
    }
    const fit = fitSamples(subject, shown, scores, weights, to, parameters)
    yield {
      image: index, iteration: to, iterations: samples, losses: { error: fit.error }, probability: Number.NaN,
      evaluations: { forward: subject.forward, backward: 0 }, frame: segmentMap(subject, fit.coefficients, parameters),
    }
  }
  const fit = fitSamples(subject, shown, scores, weights, samples, parameters)
  return finish(task, subject, fit, inputOf(subject, shown, scores, weights, samples))
}

async function finish(task: ExplainTask, subject: SegmentSubject, fit: LinearFit, input: FitInput): Promise<Explanation> {
  const { parameters } = task
  const map = segmentMap(subject, fit.coefficients, parameters)
  const parts: MapPart[] = [segmentPart(subject)]
  const penalty = penaltyOf(parameters)
  // After a lasso or a selection the usual errors do not hold.
  const errors = penalty.kind === 'ridge' && selected(subject, parameters) === null ? standardErrors(input, fit, penalty.strength) : null
  if (errors) {
    const { height, width } = subject.frame
    const data = Float32Array.from(subject.labels, (label) => errors[label]!)
    parts.push({ name: 'standard-error', title: 'Standard error', count: 1, height, width, data, signed: false })
  }
  const facts: Fact[] = [
    { label: 'R² of the fit', value: fit.rSquared },
    { label: 'Intercept', value: fit.intercept },
    { label: 'Kernel width', value: numberOf(parameters, 'kernel-width') },
    { label: 'Segments', value: subject.count },
    { label: 'Score of the image', value: input.y[0]! },
    { label: 'Score by the linear model', value: fit.intercept + fit.coefficients.reduce((sum, value) => sum + value, 0) },
  ]
  if (errors) facts.push({ label: 'Median standard error', value: [...errors].sort((a, b) => a - b)[Math.floor(errors.length / 2)]! })
  return {
    saliency: map, own: map, range: [-Infinity, Infinity], signed: true, score: subject.score, target: subject.target,
    probability: { original: await subject.original(), masked: Number.NaN }, iterations: input.y.length,
    evaluations: { forward: subject.forward, backward: 0 }, notes: segmentNotes(subject, fit.coefficients), parts, facts,
  }
}

/** Every segment shown with probability ½, but for the first row, which shows all. */
function drawSamples(segments: number, samples: number, random: Random): Float32Array {
  return Float32Array.from({ length: segments * samples }, (_, i) => (i < segments || random.uniform() < 0.5 ? 1 : 0))
}

function inputOf(subject: SegmentSubject, shown: Float32Array, scores: Float32Array, weights: Float64Array, rows: number): FitInput {
  return { x: shown.subarray(0, rows * subject.count), y: scores.subarray(0, rows), weights, columns: subject.count }
}

function fitSamples(
  subject: SegmentSubject, shown: Float32Array, scores: Float32Array, weights: Float64Array, rows: number, parameters: ParameterValues,
): LinearFit {
  const input = inputOf(subject, shown, scores, weights, rows)
  const penalty = penaltyOf(parameters)
  const keep = selected(subject, parameters)
  if (keep === null) return fitLinear(input, penalty)
  // As the repository selects by "highest weights": a nearly free fit first.
  const first = fitLinear(input, { kind: 'ridge', strength: 0.01 }).coefficients
  const best = [...first.keys()].sort((a, b) => Math.abs(first[b]!) - Math.abs(first[a]!) || a - b).slice(0, keep)
  const x = Float32Array.from({ length: rows * keep }, (_, i) => shown[Math.floor(i / keep) * subject.count + best[i % keep]!]!)
  const fit = fitLinear({ ...input, x, columns: keep }, penalty)
  const coefficients = new Float64Array(subject.count)
  best.forEach((segment, k) => (coefficients[segment] = fit.coefficients[k]!))
  return { ...fit, coefficients }
}

/** How many segments are fitted again; null: all. */
function selected(subject: SegmentSubject, parameters: ParameterValues): number | null {
  const features = numberOf(parameters, 'features')
  return features === 0 || features >= subject.count ? null : features
}

function penaltyOf(parameters: ParameterValues): Penalty {
  return { kind: wordOf<Penalty['kind']>(parameters, 'penalty'), strength: numberOf(parameters, 'penalty-strength') }
}

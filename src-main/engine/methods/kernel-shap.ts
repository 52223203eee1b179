import type { Explanation, Fact } from '#shared/domain/run.ts'
import { createRandom } from '#shared/random/random.ts'
import { checkCancelled } from './common/cancelled.ts'
import { numberOf, wordOf } from './common/parameters.ts'
import { kernelShapSchema, type Constraint } from './kernel-shap-parameters.ts'
import { pairedCoalitions, sampledCoalitions, type Coalitions } from './perturbation/coalitions.ts'
import { fitLinear } from './perturbation/linear-fit.ts'
import { createSegmentSubject, segmentBaseline, segmentMap, segmentNotes, segmentPart, type SegmentSubject } from './perturbation/segment-subject.ts'
import { constrainedShapley } from './perturbation/shapley.ts'
import type { ExplainTask, Method, Step } from './method.ts'

/**
 * KernelSHAP: the Shapley values of the game "which segments are shown", by weighted least squares over coalitions.
 */
export const kernelShap: Method = {
  id: 'kernel-shap',
  title: 'KernelSHAP',
  citation: 'S. M. Lundberg, S.-I. Lee: A Unified Approach to Interpreting Model Predictions. NeurIPS 2017.',
  access: 'query',
  spreads: true,
  family: 'perturbation',
  map: { range: [-Infinity, Infinity], signed: true },
  ...kernelShapSchema,
  explain,
  baseline: segmentBaseline('kernel-shap'),
}

/** Coalitions between two pieces of news, and in one question; fixed, so that nothing depends on the machine. */
const block = 256
/** What Captum weighs the untouched and the empty image with. */
const certain = 1e6

async function* explain(task: ExplainTask): AsyncGenerator<Step, Explanation[], void> {
  const explanations: Explanation[] = []
  for (let index = 0; index < task.images.count; index++) explanations.push(yield* explainOne(task, index))
  return explanations
}

async function* explainOne(task: ExplainTask, index: number): AsyncGenerator<Step, Explanation, void> {
  const { parameters, signal } = task
  checkCancelled(signal)
  const subject = createSegmentSubject(task, index, 'kernel-shap')
  const players = subject.count
  const constraint = wordOf<Constraint>(parameters, 'constraint')
  const coalitions = drawCoalitions(task, index, subject, constraint)
  const ends = await subject.ask(Float32Array.from({ length: 2 * players }, (_, i) => (i < players ? 0 : 1)))
  const [none, all] = [ends[0]!, ends[1]!]
  const values = new Float32Array(coalitions.count)
  let phi: Float64Array = new Float64Array(players).fill((all - none) / players)
  let error = 0
  yield news(0)
  for (let from = 0; from < coalitions.count; from += block) {
    checkCancelled(signal)
    await task.steer?.(from)
    const to = Math.min(coalitions.count, from + block)
    values.set(await subject.ask(coalitions.members.subarray(from * players, to * players)), from)
    phi = solve(coalitions, values.subarray(0, to), none, all, constraint)
    error = misfit(coalitions, values.subarray(0, to), none, phi)
    yield news(to)
  }
  const map = segmentMap(subject, phi, parameters)
  const sum = phi.reduce((total, value) => total + value, 0)
  const facts: Fact[] = [
    { label: 'Segments', value: players },
    { label: 'Score of the image', value: all },
    { label: 'Score of the fill', value: none },
    { label: 'Sum of the values', value: sum },
    { label: 'Gap: sum minus difference of the scores', value: sum - (all - none) },
    { label: 'Coalitions', value: coalitions.count },
    { label: 'Sizes taken in full', value: coalitions.complete },
    { label: 'Error of the fit', value: error },
  ]
  return {
    saliency: map, own: map, range: [-Infinity, Infinity], signed: true, score: subject.score, target: subject.target,
    probability: { original: await subject.original(), masked: Number.NaN }, iterations: coalitions.count,
    evaluations: { forward: subject.forward, backward: 0 }, notes: segmentNotes(subject, phi), parts: [segmentPart(subject)], facts,
  }

  function news(iteration: number): Step {
    return {
      image: index, iteration, iterations: Math.max(1, coalitions.count), losses: { error }, probability: Number.NaN,
      evaluations: { forward: subject.forward, backward: 0 }, frame: segmentMap(subject, phi, parameters),
    }
  }
}

function drawCoalitions(task: ExplainTask, index: number, subject: SegmentSubject, constraint: Constraint): Coalitions {
  const players = subject.count
  const given = numberOf(task.parameters, 'samples')
  const random = createRandom(task.seeds[index]!, 'kernel-shap', 'coalitions')
  const budget = given === 0 ? 2 * players + 2048 : given
  if (players === 1) return { count: 0, members: new Float32Array(0), weights: new Float64Array(0), complete: 0 }
  if (wordOf(task.parameters, 'coalitions') === 'paired') return pairedCoalitions(players, budget, random)
  // Captum counts the two certain rows among its samples.
  return sampledCoalitions(players, Math.max(1, constraint === 'weighted' ? budget - 2 : budget), random)
}

function solve(coalitions: Coalitions, values: Float32Array, none: number, all: number, constraint: Constraint): Float64Array {
  const { weights } = coalitions
  const players = coalitions.members.length / coalitions.count
  const members = coalitions.members.subarray(0, values.length * players)
  if (constraint === 'exact') return constrainedShapley({ members, weights }, values, none, all)
  const free = { kind: 'ridge', strength: 0 } as const
  if (constraint === 'none') return fitLinear({ x: members, y: values, weights, columns: players }, free).coefficients
  const x = new Float32Array(members.length + 2 * players)
  x.set(members)
  x.fill(1, members.length + players)
  const y = new Float32Array(values.length + 2)
  y.set(values)
  y.set([none, all], values.length)
  const heavy = new Float64Array(values.length + 2).fill(certain)
  heavy.set(weights.subarray(0, values.length))
  return fitLinear({ x, y, weights: heavy, columns: players }, free).coefficients
}

/** Square root of the weighted mean of (f(z) − f(none) − Σφz)². */
function misfit({ members, weights, count }: Coalitions, values: Float32Array, none: number, phi: Float64Array): number {
  const players = members.length / count
  let sum = 0
  let total = 0
  values.forEach((value, i) => {
    let rest = value - none
    for (let j = 0; j < players; j++) rest -= members[i * players + j]! * phi[j]!
    sum += weights[i]! * rest * rest
    total += weights[i]!
  })
  return total > 0 ? Math.sqrt(sum / total) : 0
}

import { MaskscopeError } from '#shared/domain/errors.ts'
import type { MapData } from '#shared/domain/image.ts'
import { whyNot } from '#shared/domain/method.ts'
import type { ModelInfo } from '#shared/domain/model.ts'
import { resolveParameters, type ParameterValues } from '#shared/domain/parameters.ts'
import { storedIterations, type Evaluations, type Explanation, type Fact, type MapPart } from '#shared/domain/run.ts'
import { judgedMapOf } from '../metrics/judged-map.ts'
import { averageRanks } from '../metrics/rank-correlation.ts'
import { checkCancelled } from './common/cancelled.ts'
import { finishMap, mapBlurOf } from './common/finished-map.ts'
import { mapBlurParameter, wordOf } from './common/parameters.ts'
import { plainExplanation } from './common/plain-result.ts'
import { frameOf } from './gradients/samples.ts'
import { classifyAll } from './masks/calls.ts'
import { drawsNothing, type ExplainTask, type Method, type Step } from './method.ts'

const chosen = 'input-x-gradient,grad-cam'

/**
 * The mean of rank-normalised maps of other methods.
 * @param find a method by its id; throws for one that is not there. The registry gives it, since it holds this method too.
 */
export function createConsensus(find: (id: string) => Method): Method {
  const consensus: Method = {
    id: 'consensus',
    title: 'Consensus',
    citation: 'The mean of rank-normalised maps of several methods, ours; after L. Rieger, L. K. Hansen: Aggregating Explanation Methods for Stable and Robust Explainability. arXiv:1903.00519, 2019.',
    access: 'query',
    // As far as its members do.
    spreads: true,
    family: 'combination',
    map: { range: [0, 1], signed: false },
    parameters: [
      {
        type: 'text', kind: 'methods', name: 'methods', label: 'Methods', group: 'Methods', common: true,
        help: 'Whose maps are combined, with commas between them.',
        default: chosen,
        tune: { values: [chosen, 'integrated-gradients,grad-cam', 'smoothgrad,grad-cam', 'integrated-gradients,grad-cam,score-cam', 'smoothgrad,integrated-gradients,layer-cam'] },
      },
      {
        type: 'choice', name: 'presets', label: 'Their parameters', group: 'Methods',
        help: 'With which parameters they run.',
        default: 'maskscope', options: [{ value: 'maskscope', label: 'Our preset where a method has one, else its first' }, { value: 'first', label: "Each method's first preset" }],
        tune: { values: ['maskscope', 'first'] },
      },
      mapBlurParameter(0, 8),
    ],
    presets: [{ id: 'maskscope', title: 'Maskscope', source: 'Ours: one map that is fine and one that is sure of the place; two backward passes in all.', values: { methods: chosen, presets: 'maskscope', 'map-blur': 0 } }],
    deterministic: (parameters) => membersOf(parameters, find).every((member) => drawsNothing(member, parametersOf(member, parameters))),
    whyNotWith: (parameters, info, hasObject) => refusal(membersOf(parameters, find), parameters, info, hasObject),
    explain(task) {
      const members = membersOf(task.parameters, find)
      const reason = refusal(members, task.parameters, task.classifier.info, task.objects?.every((object) => object !== null) ?? false)
      if (reason !== null) throw new MaskscopeError('unavailable', reason, { subject: 'methods' })
      return explain(task, members)
    },
  }
  return consensus
}

/** @throws MaskscopeError 'usage' for a list that cannot be */
function membersOf(parameters: ParameterValues, find: (id: string) => Method): Method[] {
  const refuse = (what: string): never => {
    throw new MaskscopeError('usage', `Parameter methods ${what}.`, { subject: 'methods' })
  }
  const ids = wordOf(parameters, 'methods').split(',').map((id) => id.trim()).filter((id) => id !== '')
  if (ids.length === 0) refuse('names no method; name one or more, with commas between them')
  for (const [k, id] of ids.entries()) {
    if (id === 'consensus') refuse('names the consensus itself; name other methods')
    if (ids.indexOf(id) !== k) refuse(`names ${id} twice; name each method once`)
  }
  return ids.map((id) => {
    try {
      return find(id)
    } catch (error) {
      throw new MaskscopeError('usage', `Parameter methods: ${error instanceof Error ? error.message : String(error)}`, { subject: 'methods', cause: error })
    }
  })
}

/** Of a member, as the consensus runs it. */
function parametersOf(member: Method, parameters: ParameterValues): ParameterValues {
  const ours = wordOf(parameters, 'presets') === 'maskscope' && member.presets.some(({ id }) => id === 'maskscope')
  return resolveParameters(member, ours ? { preset: 'maskscope' } : {})
}

/** Why one of the members cannot run; null: all can. */
function refusal(members: readonly Method[], parameters: ParameterValues, info: ModelInfo, hasObject: boolean): string | null {
  for (const member of members) {
    const reason = whyNot(member, info, hasObject) ?? member.whyNotWith?.(parametersOf(member, parameters), info, hasObject) ?? null
    if (reason !== null) return `${reason} Leave it out of the parameter methods of the consensus.`
  }
  return null
}

/** Steps of one member, whatever it counts itself. */
const share = 20

async function* explain(task: ExplainTask, members: readonly Method[]): AsyncGenerator<Step, Explanation[], void> {
  const { classifier, images, parameters, targets, signal } = task
  const frame = frameOf(task)
  const blur = mapBlurOf(parameters, frame)
  const iterations = share * members.length
  const stored = new Set(storedIterations(iterations))
  checkCancelled(signal)
  const clean = await classifyAll(classifier, frame, images.data, images.count)
  const subjects = targets.map(() => ({
    ranks: new Float64Array(frame.height * frame.width), found: [] as Explanation[], at: 0, evaluations: { forward: 1, backward: 0 } as Evaluations,
  }))

  for (const [m, member] of members.entries()) {
    /** The members before this one, or all; before the first is done nothing ranks above anything. */
    const mapOf = ({ ranks, found }: (typeof subjects)[number]): MapData =>
      ({ height: frame.height, width: frame.width, data: Float32Array.from(ranks, (sum) => (found.length === 0 ? 0.5 : sum / found.length)) })
    const news = function* (image: number, until: number, own: Evaluations): Generator<Step> {
      const subject = subjects[image]!
      while (subject.at < until) {
        const iteration = ++subject.at
        const look = (): MapData => finishMap(mapOf(subject), frame, blur).own
        const evaluations = { forward: subject.evaluations.forward + own.forward, backward: subject.evaluations.backward + own.backward }
        yield {
          image, iteration, iterations, losses: { methods: subject.found.length }, probability: NaN, evaluations,
          ...(stored.has(iteration) ? { frame: look() } : { look }),
        }
      }
    }
    // A member counts its own steps; a pause waits before the next of ours.
    const steer = async (): Promise<null> => {
      await task.steer?.(Math.min(iterations, Math.max(...subjects.map(({ at }) => at)) + 1))
      return null
    }
    const inner = member.explain({ ...task, parameters: parametersOf(member, parameters), steer })
    let explanations: Explanation[] | undefined
    try {
      while (!explanations) {
        const step = await inner.next()
        checkCancelled(signal)
        if (step.done) explanations = step.value
        else {
          const { image, iteration, iterations: all, evaluations } = step.value
          // Its last step is told once its map is there.
          const done = Math.min(share - 1, Math.floor((share * iteration) / Math.max(1, all)))
          yield* news(image, m * share + done, evaluations ?? { forward: 0, backward: 0 })
        }
      }
    } finally {
      // Lets the member give its tensors back.
      if (!explanations) await inner.return([]).catch(() => undefined)
    }
    for (const [image, explanation] of explanations.entries()) {
      const subject = subjects[image]!
      normalisedRanks(judgedMapOf(explanation).ranking.data).forEach((rank, i) => (subject.ranks[i]! += rank))
      subject.found.push(explanation)
      subject.evaluations.forward += explanation.evaluations.forward
      subject.evaluations.backward += explanation.evaluations.backward
      yield* news(image, (m + 1) * share, { forward: 0, backward: 0 })
    }
  }
  return subjects.map(({ ranks, found, evaluations }, index) => plainExplanation(frame, classifier.info.head, blur, {
    map: { height: frame.height, width: frame.width, data: Float32Array.from(ranks, (sum) => sum / found.length) },
    signed: false, range: [0, 1], score: found[0]!.score, target: targets[index]!, logits: clean[index]!, iterations, evaluations,
    whyConstant: 'every map that it is the mean of is the same everywhere. Choose other methods.',
    notes: found.flatMap(({ notes }, m) => notes.map((note) => `${members[m]!.title}: ${note}`)),
    facts: members.map(({ title }, m): Fact => ({ label: `Score of ${title}`, value: found[m]!.score })),
    parts: members.map(({ id, title }, m): MapPart => ({ name: id, title, signed: found[m]!.signed, count: 1, ...found[m]!.saliency })),
  }))
}

/** 0 for the least value and 1 for the greatest, evenly between them; equal values share the mean of their places, so a constant map is ½. */
function normalisedRanks(values: Float32Array): Float64Array {
  const last = Math.max(1, values.length - 1)
  return averageRanks(values).map((rank) => (values.length - rank) / last)
}

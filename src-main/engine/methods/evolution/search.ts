import type { MapData } from '#shared/domain/image.ts'
import { storedIterations, type Evaluations, type Explanation } from '#shared/domain/run.ts'
import { createRandom } from '#shared/random/random.ts'
import { checkScores } from '../../classifier/scores.ts'
import { checkCancelled } from '../common/cancelled.ts'
import { constantValue, finishMap, mapBlurOf } from '../common/finished-map.ts'
import { clearProbability } from '../common/plain-result.ts'
import { frameOf, imageAt } from '../gradients/samples.ts'
import { classifyAll } from '../masks/calls.ts'
import { createFill, fillNames } from '../masks/fills.ts'
import { judgeMask } from '../masks/judging.ts'
import { logProbabilities } from '../masks/prediction.ts'
import type { BaselineTask, ExplainTask, Step } from '../method.ts'
import { createMaskQueries } from '../queries/mask-queries.ts'
import { createArchipelago, type Archipelago } from './archipelago.ts'
import { stream, type Place } from './island.ts'
import { sidesOf } from './judge.ts'
import type { EvolutionSettings } from './settings.ts'

interface Subject {
  place: Place
  archipelago: Archipelago
  clean: Float32Array
  evaluations: Evaluations
}

/** Masks of a population that are shown on the way. */
const shown = 24

/** What `de-cam` and `random-search` do: generation after generation of every image, and one step of news for each. */
export async function* search(task: ExplainTask, settings: EvolutionSettings): AsyncGenerator<Step, Explanation[], void> {
  const { classifier, images, targets, signal } = task
  const { head, classes } = classifier.info
  const frame = frameOf(task)
  checkScores(targets.map((target) => ({ kind: settings.score, target })), classes, head)
  checkCancelled(signal)
  const clean = await classifyAll(classifier, frame, images.data, images.count)
  const subjects = targets.map((target, index): Subject => {
    const image = imageAt(task, index)
    const place = { frame, image, target, head, seed: task.seeds[index]!, queries: createMaskQueries(classifier, frame, image, task) }
    return { place, archipelago: createArchipelago(place, settings), clean: clean[index]!, evaluations: { forward: 1, backward: 0 } }
  })
  try {
    return yield* evolve(task, settings, subjects)
  } finally {
    for (const { place } of subjects) place.queries.close()
  }
}

async function* evolve(task: ExplainTask, settings: EvolutionSettings, subjects: readonly Subject[]): AsyncGenerator<Step, Explanation[], void> {
  const { signal } = task
  const iterations = settings.plan.length - 1
  const stored = new Set(storedIterations(iterations))
  for (const [iteration, { spent }] of settings.plan.entries()) {
    await task.steer?.(iteration)
    for (const [image, { archipelago, evaluations }] of subjects.entries()) {
      checkCancelled(signal)
      await archipelago.advance(iteration)
      // Not what was asked ahead.
      evaluations.forward = 1 + settings.islands * spent
      const look = (): MapData => archipelago.map()
      yield {
        image, iteration, iterations, losses: archipelago.losses(), probability: archipelago.best().probability, evaluations: { ...evaluations },
        ...(stored.has(iteration) ? { frame: look() } : { look }), lookAtStrip: () => archipelago.strip(shown),
      }
    }
  }
  const explanations: Explanation[] = []
  for (const subject of subjects) {
    checkCancelled(signal)
    explanations.push(await finish(task, settings, subject))
  }
  return explanations
}

/** Of fills that differ between islands the first island's first. */
export function searchBaseline(settings: EvolutionSettings, { image, seed, height, width, channels }: BaselineTask): { picture: Float32Array; name: string } {
  const fill = createFill(settings.fill, { height, width, channels }, image, settings.fillBlur, createRandom(seed, stream, 'fill', 0))
  return { picture: fill.next().slice(), name: fillNames[settings.fill] }
}

async function finish(task: ExplainTask, settings: EvolutionSettings, { place, archipelago, clean, evaluations }: Subject): Promise<Explanation> {
  const { frame, image, target, head, seed, queries } = place
  const map = archipelago.map()
  const { own, saliency } = finishMap(map, frame, mapBlurOf(task.parameters, frame))
  const judging = createFill(settings.fill, frame, image, settings.fillBlur, createRandom(seed, stream, settings.fill === 'drawn' ? 'judge' : 'fill', 0))
  const [side] = sidesOf(settings.aim)
  const rows = await judgeMask(task.classifier, frame, image, saliency.data, judging, [side!])
  const probabilities = rows.map(([row]) => (head === 'none' ? Number.NaN : Math.exp(logProbabilities(row!, target, head).hit)))
  const { best, median, worst, diversity } = archipelago.losses()
  return {
    saliency, own, range: [0, 1], signed: false, score: settings.score, target,
    probability: { original: clearProbability(clean, target, head), masked: probabilities.reduce((sum, p) => sum + p, 0) / probabilities.length },
    iterations: settings.plan.length - 1,
    evaluations: { forward: evaluations.forward + rows.length, backward: 0 },
    notes: notesOn(settings, archipelago, map),
    facts: [
      { label: 'Queries of the search', value: queries.forward },
      { label: 'Generations', value: settings.plan.length },
      { label: 'Best fitness at the end', value: best },
      { label: 'Median fitness', value: median },
      { label: 'Worst fitness', value: worst },
      { label: 'Diversity at the end', value: diversity },
    ],
    parts: archipelago.parts(),
  }
}

function notesOn(settings: EvolutionSettings, archipelago: Archipelago, map: MapData): string[] {
  const notes: string[] = []
  if (!archipelago.reacted) {
    notes.push('The score was the same under every mask of a population, so the map says nothing about the classifier: the output does not react to the masked image.')
  }
  const constant = constantValue(map.data)
  if (constant !== null) {
    notes.push(`The mask is constant at ${constant.toFixed(3)}: the price of its area outweighed the score everywhere, or the score does not need the image; change area-weight or the fill.`)
  }
  return notes
}

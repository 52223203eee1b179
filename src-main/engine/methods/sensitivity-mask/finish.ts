import type { Explanation, Fact, MapPart } from '#shared/domain/run.ts'
import { upsample } from '#shared/imaging/interpolation.ts'
import type { Classifier } from '../../classifier/classifier.ts'
import { alongEdges } from '../masks/edges.ts'
import { judgeMask } from '../masks/judging.ts'
import { sidesOf } from '../masks/sides.ts'
import { composeMap } from './map.ts'
import { probabilityOf, regularise, worth } from './objective.ts'
import { meanLosses, type Losses } from './probe.ts'
import { pixelsPerCell, sensitivityOf, type Subject } from './subject.ts'
import { fillFor, type Plan } from './trial.ts'

/** The finished mask, judged under the fill it was optimised with, in place, and the map made of it and its sensitivity. */
export async function finish(classifier: Classifier, plan: Plan, subject: Subject): Promise<{ losses: Losses; explanation: Explanation }> {
  const { frame, settings } = plan
  const { aim } = subject
  const parametrisation = plan.parametrisations.at(-1)!
  const { height, width } = parametrisation
  const v = Float32Array.from(subject.sum, (sum) => sum / subject.summed)
  const mask = parametrisation.squash(v)
  const large = upsample({ height, width, data: mask }, frame.height, frame.width).data

  const sides = sidesOf(settings.mode)
  const fill = fillFor(settings, frame, subject.image, subject.seed, settings.fill === 'drawn' ? 'judge' : 'fill', 0)
  const draws = await judgeMask(classifier, frame, subject.image, large, fill, sides)
  subject.evaluations.forward += draws.length * sides.length
  const terms = regularise(mask, {
    height, width, areaWeight: settings.areaWeight, variationWeight: settings.variationWeight, prices: new Float32Array(mask.length).fill(1),
  })
  const losses = meanLosses(draws.map((rows) => {
    const value = rows.reduce((sum, row, k) => sum + worth(row, sides[k]!, aim) / sides.length, 0)
    return { prediction: -value, ...terms, total: terms.area + terms.variation - value, probability: probabilityOf(rows[0]!, aim) }
  }))

  const { sensitivity, error } = sensitivityOf(subject)
  const { own, ranking } = composeMap(settings, parametrisation, v, sensitivity, pixelsPerCell(plan))
  const ownMap = alongEdges(subject.edges, { height, width, data: own })
  const part = (name: string, title: string, data: Float32Array): MapPart => ({ name, title, count: 1, height, width, data, signed: false })
  const explanation: Explanation = {
    saliency: upsample(ownMap, frame.height, frame.width),
    own: ownMap,
    ...(ranking && !subject.edges ? { ranking: { height, width, data: ranking } } : {}),
    range: [0, 1],
    signed: false,
    score: aim.kind,
    target: aim.target,
    probability: { original: subject.original, masked: losses.probability },
    iterations: settings.iterations,
    evaluations: subject.evaluations,
    notes: notesOn(plan, subject, own),
    parts: [part('mask', 'Mask', mask), part('sensitivity', 'Sensitivity', sensitivity), part('standard-error', 'Standard error', error)],
    facts: factsOf(plan, subject, error),
  }
  return { losses, explanation }
}

function factsOf({ settings }: Plan, { evaluations }: Subject, error: Float32Array): Fact[] {
  return [
    settings.access === 'query' ? { label: 'Queries', value: evaluations.forward } : { label: 'Gradients', value: evaluations.backward },
    { label: 'Mean standard error of the sensitivity', value: error.reduce((sum, value) => sum + value, 0) / error.length },
  ]
}

function notesOn({ settings }: Plan, subject: Subject, own: Float32Array): string[] {
  const notes: string[] = []
  if (settings.map !== 'mask' || subject.edges) notes.push('The masked probability is that of the mask alone, which is kept beside the map.')
  if (!subject.reacted) {
    notes.push('The classifier answered the same to every mask, so the map says nothing about it: its output does not react to the masked image (a saturated or constant score).')
  }
  let [low, high] = [Infinity, -Infinity]
  for (const value of own) [low, high] = [Math.min(low, value), Math.max(high, value)]
  // A settled mask still trembles by one step of the optimiser.
  if (high - low < 0.02) {
    const why = settings.map === 'sensitivity' || settings.map === 'product' ? 'no cell stands out of the noise; raise queries or pairs, or lower area-weight'
      : high < 0.5 ? 'its area outweighed the prediction everywhere; lower area-weight' : 'its area has not taken hold; raise area-weight, queries or steps'
    notes.push(`The map is constant at ${high.toFixed(3)}: ${why}.`)
  }
  return notes
}

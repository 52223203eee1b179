import { MaskscopeError } from '#shared/domain/errors.ts'
import { placesOf, type ClassPrototype, type ClassView, type ClassViewRequest, type GeneratorSettings, type PictureSize, type SalientSet } from '#shared/domain/reconstruction.ts'
import { createRandom, type Random } from '#shared/random/random.ts'
import type { Classifier } from '../classifier/classifier.ts'
import { aligned, meanOf, spreadOf } from './alignment.ts'
import { clustersOf, type Clusters } from './clusters.ts'
import type { Generator, Posteriors } from './generator.ts'
import { judgePictures } from './judging.ts'
import { fitSet, weighted } from './salient.ts'
import { variationOf } from './variations.ts'

/** Draws around a prototype, for every accepted variation that is wanted. */
const drawsPerVariation = 16

/**
 * What the salient inputs of one outcome have in common: their masks, as they lie and aligned, and groups of latents, each with
 * accepted variations around its middle.
 * @param tell after every group
 * @throws MaskscopeError 'usage'
 */
export async function viewClass(
  set: SalientSet, request: ClassViewRequest, generator: Generator, classifier: Classifier, tell: (done: number, total: number) => Promise<void>,
): Promise<ClassView> {
  const { settings } = generator
  const { size } = settings
  checkRequest(request, classifier)
  const chosen = Array.from(set.outcomes, (_, i) => i).filter((i) => set.outcomes[i] === request.class)
  if (chosen.length === 0) throw new MaskscopeError('usage', `None of the ${set.count} images has the outcome ${request.class}; choose another class, or more images.`, { subject: 'class' })
  const { images, masks, outcomes } = fitSet(pickImages(set, chosen), settings)
  const salient = weighted(images, masks)
  const posteriors = await generator.encode(salient, outcomes)
  const traits = traitsOf(posteriors.mean, settings)
  const { groups, silhouette } = clustersOf(traits.data, traits.length, request.prototypes, request.seed)
  const area = size.height * size.width
  const moved = aligned({ data: masks, height: size.height, width: size.width })
  const prototypes: ClassPrototype[] = []
  for (const [index, group] of groups.entries()) {
    await tell(index, groups.length)
    const random = createRandom(request.seed, 'prototype', request.class, index)
    prototypes.push(await prototypeOf({ group, traits, posteriors, request, generator, classifier, size, random, chosen }))
  }
  return {
    class: request.class, count: chosen.length, size, silhouette, prototypes,
    meanMask: meanOf(masks, area), spreadMask: spreadOf(masks, area),
    alignedMean: meanOf(moved, area), alignedSpread: spreadOf(moved, area),
    meanSalient: meanOf(salient, area * size.channels),
  }
}

/** What inputs are grouped by, [count, length]. */
interface Traits {
  data: Float32Array
  length: number
}

/**
 * The latent itself; a spatial one says where things are, too, so of that the mean and the standard deviation of each number over the
 * places: the same thing elsewhere is the same.
 */
export function traitsOf(mean: Float32Array, settings: GeneratorSettings): Traits {
  if (!settings.spatial) return { data: mean, length: settings.latent }
  const places = placesOf(settings)
  const numbers = settings.latent / places
  const count = mean.length / settings.latent
  const data = new Float32Array(count * 2 * numbers)
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < numbers; k++) {
      let sum = 0
      let squares = 0
      for (let place = 0; place < places; place++) {
        const value = mean[i * settings.latent + place * numbers + k]!
        sum += value
        squares += value * value
      }
      data[(2 * i) * numbers + k] = sum / places
      data[(2 * i + 1) * numbers + k] = Math.sqrt(Math.max(0, squares / places - (sum / places) ** 2))
    }
  }
  return { data, length: 2 * numbers }
}

/**
 * Around which latent, and how far, a group's variations are drawn: its mean; of spatial ones, whose mean has things in all places at
 * once, the member nearest to the others.
 */
function middleOf({ group, posteriors, generator: { settings: { spatial, latent } } }: GroupWork, nearest: number): { centre: Float32Array; spread: Float32Array } {
  const { mean, logVariance } = posteriors
  if (spatial) {
    const own = (values: Float32Array): Float32Array => values.slice(nearest * latent, (nearest + 1) * latent)
    return { centre: own(mean), spread: own(logVariance).map((value) => Math.exp(value / 2)) }
  }
  return { centre: group.centre, spread: spreadAround(posteriors, group.members, group.centre) }
}

interface GroupWork {
  group: Clusters['groups'][number]
  traits: Traits
  posteriors: Posteriors
  request: ClassViewRequest
  generator: Generator
  classifier: Classifier
  size: PictureSize
  random: Random
  /** Places of the class's images in the set. */
  chosen: readonly number[]
}

async function prototypeOf(work: GroupWork): Promise<ClassPrototype> {
  const { group: { members }, traits, request, generator, classifier, size, random, chosen } = work
  const { latent } = generator.settings
  const nearest = nearestTo(work.group.centre, traits, members)
  const { centre, spread } = middleOf(work, nearest)
  const decodedCentre = await generator.decode(centre, [request.class])
  const [ofCentre] = await judgePictures(classifier, decodedCentre, size)
  const outcome = { class: request.class, probability: ofCentre!.probability(request.class) }
  const values = size.height * size.width * size.channels
  const variations: ClassPrototype['variations'] = []
  let draws = 0
  let accepted = 0
  while (variations.length < request.variations && draws < drawsPerVariation * request.variations) {
    const count = request.variations
    const latents = Float32Array.from({ length: count * latent }, (_, i) => centre[i % latent]! + request.temperature * spread[i % latent]! * random.normal())
    const pictures = await generator.decode(latents, new Int32Array(count).fill(request.class))
    const judged = await judgePictures(classifier, pictures, size)
    judged.forEach((verdict, i) => {
      const variation = variationOf(pictures.slice(i * values, (i + 1) * values), verdict, outcome, undefined)
      if (!variation.accepted) return
      accepted++
      if (variations.length < request.variations) variations.push(variation)
    })
    draws += count
  }
  return {
    share: members.length / chosen.length,
    nearest: chosen[nearest]!,
    image: variationOf(decodedCentre, ofCentre!, outcome, undefined),
    variations,
    acceptance: draws === 0 ? NaN : accepted / draws,
  }
}

/** Standard deviation of latents sampled from the posteriors of a group, per dimension. */
function spreadAround({ mean, logVariance }: Posteriors, members: readonly number[], centre: Float32Array): Float32Array {
  const latent = centre.length
  return centre.map((middle, k) => {
    const sum = members.reduce((total, i) => total + (mean[i * latent + k]! - middle) ** 2 + Math.exp(logVariance[i * latent + k]!), 0)
    return Math.sqrt(sum / members.length)
  })
}

function nearestTo(centre: Float32Array, { data, length }: Traits, members: readonly number[]): number {
  const distance = (i: number): number => centre.reduce((sum, middle, k) => sum + (data[i * length + k]! - middle) ** 2, 0)
  return members.reduce((a, b) => (distance(b) < distance(a) ? b : a))
}

function pickImages(set: SalientSet, indices: readonly number[]): SalientSet {
  const area = set.height * set.width
  const values = area * set.channels
  const gather = <T extends Uint8Array | Float32Array>(from: T, each: number): T => {
    const out = new (from.constructor as new (length: number) => T)(indices.length * each)
    indices.forEach((i, k) => out.set(from.subarray(i * each, (i + 1) * each), k * each))
    return out
  }
  return {
    ...set, count: indices.length, images: gather(set.images, values), masks: gather(set.masks, area),
    outcomes: Int32Array.from(indices, (i) => set.outcomes[i]!), labels: set.labels && Int32Array.from(indices, (i) => set.labels![i]!),
  }
}

function checkRequest(request: ClassViewRequest, { info }: Classifier): void {
  const refuse = (subject: string, message: string): never => {
    throw new MaskscopeError('usage', message, { subject })
  }
  const { variations, prototypes, temperature } = request
  if (!(Number.isInteger(request.class) && request.class >= 0 && request.class < info.classes)) refuse('class', `The class is ${request.class}; ${info.name} has the classes 0 to ${info.classes - 1}.`)
  if (!Number.isInteger(variations) || variations < 0 || variations > 1000) refuse('variations', `${variations} variations were asked for; ask for 0 to 1,000.`)
  if (prototypes !== undefined && !(Number.isInteger(prototypes) && prototypes >= 1 && prototypes <= 50)) refuse('prototypes', `${prototypes} prototypes were asked for; ask for 1 to 50.`)
  if (!(temperature >= 0 && temperature <= 10)) refuse('temperature', `The temperature is ${temperature}; it must lie between 0 and 10.`)
}

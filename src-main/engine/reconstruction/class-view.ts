import { MaskscopeError } from '#shared/domain/errors.ts'
import type { ClassPrototype, ClassView, ClassViewRequest, PictureSize, SalientSet } from '#shared/domain/reconstruction.ts'
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
 * accepted variations around its centre.
 * @param tell after every group
 * @throws MaskscopeError 'usage'
 */
export async function viewClass(
  set: SalientSet, request: ClassViewRequest, generator: Generator, classifier: Classifier, tell: (done: number, total: number) => Promise<void>,
): Promise<ClassView> {
  const { settings } = generator
  const { size, latent } = settings
  checkRequest(request, classifier)
  const chosen = Array.from(set.outcomes, (_, i) => i).filter((i) => set.outcomes[i] === request.class)
  if (chosen.length === 0) throw new MaskscopeError('usage', `None of the ${set.count} images has the outcome ${request.class}; choose another class, or more images.`, { subject: 'class' })
  const { images, masks, outcomes } = fitSet(pickImages(set, chosen), settings)
  const salient = weighted(images, masks)
  const posteriors = await generator.encode(salient, outcomes)
  const { groups, silhouette } = clustersOf(posteriors.mean, latent, request.prototypes, request.seed)
  const area = size.height * size.width
  const moved = aligned({ data: masks, height: size.height, width: size.width })
  const prototypes: ClassPrototype[] = []
  for (const [index, group] of groups.entries()) {
    await tell(index, groups.length)
    const random = createRandom(request.seed, 'prototype', request.class, index)
    prototypes.push(await prototypeOf({ group, posteriors, request, generator, classifier, size, random, chosen }))
  }
  return {
    class: request.class, count: chosen.length, size, silhouette, prototypes,
    meanMask: meanOf(masks, area), spreadMask: spreadOf(masks, area),
    alignedMean: meanOf(moved, area), alignedSpread: spreadOf(moved, area),
    meanSalient: meanOf(salient, area * size.channels),
  }
}

interface GroupWork {
  group: Clusters['groups'][number]
  posteriors: Posteriors
  request: ClassViewRequest
  generator: Generator
  classifier: Classifier
  size: PictureSize
  random: Random
  /** Places of the class's images in the set. */
  chosen: readonly number[]
}

async function prototypeOf({ group, posteriors, request, generator, classifier, size, random, chosen }: GroupWork): Promise<ClassPrototype> {
  const { latent } = generator.settings
  const { centre, members } = group
  const spread = spreadAround(posteriors, members, centre)
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
    nearest: chosen[nearestTo(centre, posteriors.mean, members)]!,
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

function nearestTo(centre: Float32Array, means: Float32Array, members: readonly number[]): number {
  const latent = centre.length
  const distance = (i: number): number => centre.reduce((sum, middle, k) => sum + (means[i * latent + k]! - middle) ** 2, 0)
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

import { MaskscopeError } from '#shared/domain/errors.ts'
import { placesOf, type PictureSize, type Variation, type VariationRequest, type VariationSet } from '#shared/domain/reconstruction.ts'
import { createRandom } from '#shared/random/random.ts'
import type { Classifier } from '../classifier/classifier.ts'
import type { Generator, Posteriors } from './generator.ts'
import { judgePictures, type Verdict } from './judging.ts'
import { klTerms } from './losses.ts'
import { fitImages, prepareMasks, weighted } from './salient.ts'
import { samplePosterior } from './sampling.ts'

/** An image and its mask at the size of the classifier's input; floats in [0, 1] or bytes. */
export interface SalientImage {
  image: Uint8Array | Float32Array
  /** Neither dilated nor blurred. */
  mask: Uint8Array | Float32Array
}

export interface VaryWork extends SalientImage {
  /** The other end of an interpolation. */
  other?: SalientImage
  request: VariationRequest
}

const defaultRange = 3

/**
 * Variations of one salient input, each classified again.
 * @throws MaskscopeError 'usage' naming the field
 */
export async function vary(work: VaryWork, generator: Generator, classifier: Classifier): Promise<VariationSet> {
  const { request } = work
  const { size } = generator.settings
  const { info } = classifier
  checkRequest(work, generator, classifier)
  const [clean] = await judgePictures(classifier, fitImages(work.image, info.input, info.input), info.input)
  const outcome = { class: clean!.top, probability: clean!.probability(clean!.top) }
  const own = await encodeOne(work, outcome.class, generator, info.input)
  const { latents, places } = await latentsOf(work, own.posterior, outcome.class, generator, info.input)
  const told = request.kind === 'prior' ? (request.class ?? outcome.class) : outcome.class
  const decoded = await generator.decode(latents, new Int32Array(request.count).fill(told))
  const pictures = request.pinned ? pinned(decoded, own.image, own.mask) : decoded
  const judged = await judgePictures(classifier, pictures, size)
  const values = size.height * size.width * size.channels
  const variations = judged.map((verdict, i): Variation => {
    const variation = variationOf(pictures.slice(i * values, (i + 1) * values), verdict, outcome, request.margin)
    return places ? { ...variation, place: places[i]! } : variation
  })
  const mean = await generator.decode(own.posterior.mean, [outcome.class])
  const [ofMean] = await judgePictures(classifier, mean, size)
  return {
    size, outcome, image: own.image, mask: own.mask, salient: own.salient, variations,
    reconstruction: variationOf(mean, ofMean!, outcome, request.margin),
    acceptance: variations.filter(({ accepted }) => accepted).length / variations.length,
    informative: klOfDimensions(own.posterior, placesOf(generator.settings)),
  }
}

/** @param margin by which the probability may fall at most */
export function variationOf(image: Float32Array, verdict: Verdict, outcome: { class: number; probability: number }, margin: number | undefined): Variation {
  const probability = verdict.probability(outcome.class)
  const near = margin === undefined || probability >= outcome.probability - margin
  return { image, probability, top: verdict.top, topProbability: verdict.probability(verdict.top), accepted: verdict.top === outcome.class && near }
}

interface Encoded {
  image: Float32Array
  mask: Float32Array
  salient: Float32Array
  posterior: Posteriors
}

async function encodeOne({ image, mask }: SalientImage, outcome: number, generator: Generator, input: PictureSize): Promise<Encoded> {
  const { settings } = generator
  const fitted = fitImages(image, input, settings.size)
  const prepared = prepareMasks(mask, input, settings)
  const salient = weighted(fitted, prepared)
  return { image: fitted, mask: prepared, salient, posterior: await generator.encode(salient, [outcome]) }
}

async function latentsOf(
  { request, other }: VaryWork, posterior: Posteriors, outcome: number, generator: Generator, input: PictureSize,
): Promise<{ latents: Float32Array; places?: number[] }> {
  const { count, temperature, seed } = request
  const { latent } = generator.settings
  const random = createRandom(seed, 'variations', request.kind)
  switch (request.kind) {
    case 'posterior':
      return { latents: samplePosterior(posterior, latent, temperature, random, count) }
    case 'prior': {
      const { classMeans, classSpreads } = generator.description
      const target = request.class ?? outcome
      const logVariance = Float32Array.from(classSpreads[target]!, (spread) => 2 * Math.log(Math.max(spread, 1e-6)))
      return { latents: samplePosterior({ mean: Float32Array.from(classMeans[target]!), logVariance }, latent, temperature, random, count) }
    }
    case 'interpolation': {
      const { posterior: end } = await encodeOne(other!, outcome, generator, input)
      const places = spread(0, 1, count)
      return { places, latents: rows(places, latent, (t, k) => (1 - t) * posterior.mean[k]! + t * end.mean[k]!) }
    }
    case 'traversal': {
      const range = request.range ?? defaultRange
      const terms = klOfDimensions(posterior, placesOf(generator.settings))
      const dimension = request.dimension ?? terms.indexOf(Math.max(...terms))
      const places = spread(-range, range, count)
      // One value at all places would take away what tells them apart.
      const from = (k: number): number => (generator.settings.spatial ? posterior.mean[k]! : 0)
      return { places, latents: rows(places, latent, (value, k) => (k % terms.length === dimension ? from(k) + value : posterior.mean[k]!)) }
    }
  }
}

function rows(places: readonly number[], latent: number, value: (place: number, dimension: number) => number): Float32Array {
  return Float32Array.from({ length: places.length * latent }, (_, i) => value(places[Math.floor(i / latent)]!, i % latent))
}

function spread(from: number, to: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (count === 1 ? (from + to) / 2 : from + ((to - from) * i) / (count - 1)))
}

/** @param places whose latents lie one after the other @returns of each dimension, over all places */
function klOfDimensions({ mean, logVariance }: Posteriors, places: number): Float32Array {
  const sums = new Float32Array(mean.length / places)
  klTerms(mean, logVariance).forEach((term, k) => (sums[k % sums.length]! += term))
  return sums
}

/** image·m + variation·(1 − m) */
function pinned(pictures: Float32Array, image: Float32Array, mask: Float32Array): Float32Array {
  const channels = image.length / mask.length
  return pictures.map((value, i) => {
    const at = i % image.length
    const m = mask[Math.floor(at / channels)]!
    return image[at]! * m + value * (1 - m)
  })
}

function checkRequest({ request, other, image, mask }: VaryWork, { settings, description }: Generator, { info }: Classifier): void {
  const refuse = (subject: string, message: string): never => {
    throw new MaskscopeError('usage', message, { subject })
  }
  const { count, temperature, margin, dimension, range, kind } = request
  const { height, width, channels } = info.input
  const dimensions = settings.latent / placesOf(settings)
  if (channels !== settings.size.channels) refuse('model', `${info.name} takes images of ${channels} channels and the generator makes ${settings.size.channels}; choose the model that it was trained with.`)
  for (const one of other ? [{ image, mask }, other] : [{ image, mask }]) {
    if (one.image.length !== height * width * channels || one.mask.length !== height * width) refuse('image', `The image and its mask must have the size of the input of ${info.name}, ${width}×${height}.`)
  }
  if (!Number.isInteger(count) || count < 1 || count > 10_000) refuse('count', `${count} variations were asked for; ask for 1 to 10,000.`)
  if (!(temperature >= 0 && temperature <= 10)) refuse('temperature', `The temperature is ${temperature}; it must lie between 0 and 10.`)
  if (margin !== undefined && !(margin >= 0 && margin <= 1)) refuse('margin', `The margin is ${margin}; it must lie between 0 and 1.`)
  if (margin !== undefined && info.head === 'none') refuse('margin', `A margin needs probabilities, and the outputs of ${info.name} are none; state "head" in its model card.`)
  if (dimension !== undefined && !(Number.isInteger(dimension) && dimension >= 0 && dimension < dimensions)) refuse('dimension', `The dimension is ${dimension}; the latent has the dimensions 0 to ${dimensions - 1}.`)
  if (range !== undefined && !(range > 0 && range <= 100)) refuse('range', `The range is ${range}; it must be above 0 and at most 100.`)
  if (kind === 'interpolation' && !other) refuse('other', 'An interpolation leads from one image to another; name the second.')
  if (kind !== 'prior') return
  if (!settings.conditional) refuse('kind', 'Only a class-conditional generator has a prior for each class; train one with the class, or draw around the posterior.')
  const asked = request.class
  if (asked !== undefined && !(Number.isInteger(asked) && asked >= 0 && asked < description.classes)) refuse('class', `The class is ${asked}; the generator knows 0 to ${description.classes - 1}.`)
}

import { MaskscopeError } from './errors.ts'
import type { ParameterSchema, ParameterValues } from './parameters.ts'

/**
 * Saliency map reconstruction (docs/reconstruction.md): a *salient input* is an image weighted by its prepared mask (dilated and
 * blurred); the *generator* is a variational autoencoder that encodes salient inputs and decodes full images; a *variation* is a
 * decoded image; it is *accepted* where the explained classifier's *outcome*, its top class, is unaltered.
 */

/** Of pictures in pixels. */
export interface PictureSize {
  height: number
  width: number
  /** 1 (grey) or 3 (RGB). */
  channels: number
}

/** What generators are made for; pictures of other sizes are resized to the nearest, and back. */
export const generatorSizes: readonly PictureSize[] = [
  { height: 28, width: 28, channels: 1 },
  { height: 32, width: 32, channels: 3 },
  { height: 64, width: 64, channels: 3 },
]

/** @returns of the sizes with as many channels the one whose number of pixels is nearest, by ratio */
export function nearestSize({ height, width, channels }: PictureSize): PictureSize {
  const fitting = generatorSizes.filter((size) => size.channels === channels)
  if (fitting.length === 0) {
    throw new MaskscopeError('usage', `A generator makes pictures of 1 or 3 channels, and these have ${channels}.`, { subject: 'channels' })
  }
  const distance = (size: PictureSize): number => Math.abs(Math.log((size.height * size.width) / (height * width)))
  return fitting.reduce((a, b) => (distance(b) < distance(a) ? b : a))
}

/** How often the picture is halved before a spatial latent: each place stands for 4×4 pixels. */
export const spatialHalvings = 2

/** Latents per picture: 1, or a spatial one's places. */
export function placesOf({ size, spatial }: Pick<GeneratorSettings, 'size' | 'spatial'>): number {
  const halves = 2 ** spatialHalvings
  return spatial ? (size.height / halves) * (size.width / halves) : 1
}

/** Everything that determines a generator's bytes, with the data and the classifier. */
export interface GeneratorSettings {
  /** One of `generatorSizes`. */
  size: PictureSize
  /** A latent at each place of the smallest feature maps instead of one for the whole picture. */
  spatial: boolean
  /** Numbers per latent, those of all places together. */
  latent: number
  /** Weight of the KL term, in units of the negative log-likelihood per image. */
  beta: number
  /** Epochs over which beta rises linearly from 0. */
  warmUp: number
  /** Weight of the explained classifier's cross-entropy on the decoded image; 0: it is in no loss. */
  gamma: number
  /** Encoder and decoder are told the outcome. */
  conditional: boolean
  /** A second encoder sees the whole image in training, so that samples vary what the salient input hides. */
  recognition: boolean
  /** How much a fully salient pixel counts in the reconstruction, where any pixel counts 1; with recognition, under latents of the salient posterior. 1 and up. */
  salientWeight: number
  epochs: number
  /** Images per step. */
  batch: number
  /** Of Adam, at its height. */
  learningRate: number
  /** Of masks before encoding: values up to this count as 0, those above are stretched to [0, 1]; in [0, 1). */
  floor: number
  /** Of masks before encoding, in pixels of the generator's pictures: radius of the disc that spreads them. */
  dilation: number
  /** Of masks before encoding, after the dilation, in pixels of the generator's pictures: σ of a Gaussian. */
  blur: number
  /** Of the samples that training shows, and of variations unless a request says otherwise; 0 gives the posterior's mean. */
  temperature: number
  /** A whole number from 0. */
  seed: number
}

/** Images with their masks and outcomes, at the size of the classifier's input. */
export interface SalientSet extends PictureSize {
  count: number
  /** [count, height, width, channels]; floats in [0, 1], or bytes from 0 to 255. */
  images: Uint8Array | Float32Array
  /** [count, height, width]; as the method found them, neither dilated nor blurred: floats in [0, 1], or bytes from 0 to 255. */
  masks: Uint8Array | Float32Array
  /** The explained classifier's top class of each image. */
  outcomes: Int32Array
  /** True classes, where they are known. */
  labels: Int32Array | null
}

/** Terms of the loss, each as a mean per image. */
export interface GeneratorLosses {
  /** Weighted negative log-likelihood of the image, in nats, without constants. */
  reconstruction: number
  /** Of the posterior from the standard normal, in nats; not yet multiplied by beta. */
  kl: number
  /** Cross-entropy of the explained classifier on the decoded image, in nats; not yet multiplied by gamma. Only where gamma > 0. */
  classifier?: number
  /** What is minimised: reconstruction + beta·kl + gamma·classifier, with the beta that holds. */
  total: number
}

/** Pictures of one size, as the engine hands them out. */
export interface PictureStack extends PictureSize {
  count: number
  /** [count, height, width, channels], values in [0, 1]. */
  data: Float32Array
}

/** What training shows after an epoch: the same few images each time. Row by row: the images, their salient inputs, their reconstructions at the settings' temperature. */
export interface TrainingSamples {
  images: PictureStack
  salient: PictureStack
  reconstructions: PictureStack
  /** Drawn from the prior. */
  drawn: PictureStack
}

/** One step's news; the last step of an epoch also tells the epoch. */
export interface TrainingNews {
  /** Counted from 1. */
  epoch: number
  epochs: number
  /** Within the epoch, counted from 1. */
  step: number
  steps: number
  /** Of this step's batch. */
  losses: GeneratorLosses
  /** The beta that holds. */
  beta: number
  /** At the end of an epoch. */
  finished?: FinishedEpoch
}

export interface FinishedEpoch {
  /** Means over the epoch. */
  training: GeneratorLosses
  /** With the full beta, one sample each; null without validation images. */
  validation: GeneratorLosses | null
  samples: TrainingSamples
}

/** A training as it stands after a whole number of epochs. From it training goes on to the same bytes as without the break. */
export interface TrainingCheckpoint {
  /** Finished epochs. */
  epoch: number
  /** Updates made so far. */
  steps: number
  /** Of settings and data: a checkpoint goes on with the same only. Hex. */
  fingerprint: string
  /** All weights in the order of the networks, encoder first; as long as the moments. */
  weights: Float32Array
  /** Adam's running means of the gradient and of its square. */
  mean: Float32Array
  square: Float32Array
}

/** One network as a standard TF.js layers model. */
export interface LayersModelFiles {
  /** The text of model.json; it names its one shard `weights.bin`. */
  json: string
  /** weights.bin */
  weights: Uint8Array
}

/** A trained generator as files. */
export interface GeneratorFiles {
  encoder: LayersModelFiles
  decoder: LayersModelFiles
  description: GeneratorDescription
}

/** generator.json */
export interface GeneratorDescription {
  version: 1
  settings: GeneratorSettings
  /** Number of classes of the explained classifier; told to a conditional generator. */
  classes: number
  /** Images it was trained on. */
  trainedOn: number
  /** Epochs that were trained, fewer than in the settings where training was ended early. */
  epochs: number
  /** The pictures it was trained on were resized from this size. */
  pictures: PictureSize
  /** Of settings and data, as in its checkpoints. */
  fingerprint: string
  /** Mean of the posteriors of each class: where the class prior of a conditional generator lies. [classes][latent] */
  classMeans: number[][]
  /** Standard deviation of latents sampled from the posteriors of each class. */
  classSpreads: number[][]
}

/** How variations are drawn. All are sampled with the request's own seed. */
export type VariationKind =
  /** Samples around the posterior of the input. */
  | 'posterior'
  /** On the way from the input's posterior mean to another's. */
  | 'interpolation'
  /** Along one dimension of the latent, the others as the posterior mean has them; of a spatial latent that dimension at all places, each from where its mean is. */
  | 'traversal'
  /** From the prior of a class, whatever the input; conditional generators only. */
  | 'prior'

export interface VariationRequest {
  kind: VariationKind
  count: number
  /** Standard deviations of the sampling in units of the posterior's (`posterior`) or the prior's (`prior`). */
  temperature: number
  seed: number
  /** The salient pixels are put back: image·m + variation·(1 − m) with the prepared mask. */
  pinned: boolean
  /** An accepted variation's probability of the outcome lies at most so far below that of the image; top-1 alone where undefined. In [0, 1]. */
  margin?: number
  /** `traversal`: of the latent, of a spatial one at each place. The one with the largest KL where undefined. */
  dimension?: number
  /** `traversal`: from −range to range, in units of the prior's standard deviation; 3 where undefined. */
  range?: number
  /** `prior`: which class is drawn; the image's outcome where undefined. */
  class?: number
}

/** A decoded image, classified again. */
export interface Variation {
  /** [height, width, channels] in [0, 1], at the generator's size. */
  image: Float32Array
  /** Of the outcome of the original image, by the explained classifier. */
  probability: number
  /** The class that the explained classifier gives it. */
  top: number
  /** Its probability. */
  topProbability: number
  accepted: boolean
  /** Along `interpolation` (0 to 1) and `traversal` (the latent's value); absent elsewhere. */
  place?: number
}

/** Variations of one salient input. */
export interface VariationSet {
  size: PictureSize
  /** The explained classifier's top class of the image, and its probability there. */
  outcome: { class: number; probability: number }
  /** At the generator's size. */
  image: Float32Array
  /** Dilated and blurred, [height, width]. */
  mask: Float32Array
  /** What is encoded: image·mask. */
  salient: Float32Array
  /** The posterior's mean decoded. */
  reconstruction: Variation
  variations: Variation[]
  /** Of the variations. */
  acceptance: number
  /** KL of each dimension of the posterior from the prior, in nats, over all places of a spatial latent: which dimensions say something. */
  informative: Float32Array
}

/** One group of a class's salient inputs that resemble each other to the generator. */
export interface ClassPrototype {
  /** Of the class's images that belong to it, in [0, 1]. */
  share: number
  /** Index of the image nearest to the group's centre, in the set. */
  nearest: number
  /** The centre decoded; of a spatial latent that nearest image's own. [height, width, channels] */
  image: Variation
  /** Drawn around it until enough were accepted. */
  variations: Variation[]
  /** Share of the draws that were accepted. */
  acceptance: number
}

/** What the salient inputs of one class have in common. */
export interface ClassView {
  class: number
  /** Images whose outcome is the class. */
  count: number
  size: PictureSize
  /** Mean and standard deviation per pixel of the prepared masks as they lie, [height, width]. */
  meanMask: Float32Array
  spreadMask: Float32Array
  /** The same after each mask was moved so that they lie on each other best. */
  alignedMean: Float32Array
  alignedSpread: Float32Array
  /** Mean of the salient inputs, [height, width, channels], as they lie. */
  meanSalient: Float32Array
  /** The largest share first. */
  prototypes: ClassPrototype[]
  /** Mean silhouette of the clusters, −1 to 1; 0 for one. */
  silhouette: number
}

export interface ClassViewRequest {
  class: number
  /** Clusters of latents; the number with the best silhouette from 2 to 6 where undefined. */
  prototypes?: number
  /** Accepted variations around each. */
  variations: number
  temperature: number
  seed: number
}

/** A share with a 95% interval by the bootstrap over images. */
export interface ShareInterval {
  mean: number
  low: number
  high: number
}

/** Of the images of one outcome. Shares are of the images, by the explained classifier unless it says otherwise; null where there is none. */
export interface ClassReport {
  class: number
  label: string | null
  images: number
  /** Share whose reconstruction keeps the outcome. */
  inLoop: number
  /** The same by the judge; null without one. */
  rawAgreement: number | null
  /** Share of the clean images to which the judge gives the outcome; null without one. */
  judgeOnClean: number | null
  /** Of all samples at temperature 1. */
  acceptance: number
  empty: number
  randomMask: number
  maskAlone: number
  diversity: Diversity
}

/**
 * Mean standard deviations of the samples of one input at temperature 1, where its mask is below ½ (outside) and where it is not, and of
 * the real images of its class in the same places. Values in [0, 1]; pixels constant over the data are left out. Null where there are none.
 */
export interface Diversity {
  outside: number | null
  inside: number | null
  outsideReal: number | null
  insideReal: number | null
}

/** One temperature: the share of samples that keep the outcome, and how much those of one input differ. */
export interface TemperatureReport {
  temperature: number
  rate: number
  /** Inputs that were asked. */
  images: number
  outside: number | null
  inside: number | null
}

/** Shares that follow the class that counts (the outcome; for `swapped` that of the source), one sample each; null where it cannot be made. */
export interface ReportControls<Value = number | null> {
  /** No pixel at all. */
  empty: Value
  /** The image under a random mask of equal area. */
  randomMask: Value
  /** The salient input of an image with another outcome; the share that follows this source. */
  swapped: Value
  /** The mask without its pixels: one colour everywhere under it. */
  maskAlone: Value
  /** The salient input itself, not decoded. */
  salientUndecoded: Value
  /** A random training image of the class. */
  randomOfClass: Value
}

/** The report of `maskscope reconstruct --json`; all fractions in [0, 1]. Null where the judge is missing. */
export interface ReconstructionReport {
  /** Test images, one reconstruction each. */
  images: number
  /** Against true labels, of the clean images; null where they are not known. */
  classifierAccuracy: number | null
  judgeAccuracy: number | null
  /** The judge gives the clean image the explained classifier's prediction. */
  judgeOnClean: number | null
  /** The judge gives the reconstruction the explained classifier's clean prediction. */
  rawAgreement: ShareInterval | null
  /** The explained classifier gives the reconstruction its own clean prediction. */
  inLoop: number
  controls: ReportControls
  acceptance: TemperatureReport[]
  diversity: Diversity
  memorising: { p: number; high: number }
  perClass: ClassReport[]
  /** [clean outcome][outcome of the reconstruction], counts. */
  confusion: number[][]
  /** Path of the generator's folder, relative to the report. */
  generator: string
  /** Of the headline and of each control, by the explained classifier. */
  intervals: { inLoop: ShareInterval; controls: ReportControls<ShareInterval | null> }
  /** The controls by the judge; null without one. */
  judgeControls: ReportControls | null
}

/** What may be set, as the form, the flags and the documentation show it, with the defaults for pictures of this size. */
export function generatorSchema({ width }: PictureSize): ParameterSchema {
  const pixels = Math.round((2 * width) / 28) / 2
  return { presets: [], parameters: [
    { name: 'epochs', label: 'Epochs', help: 'Times that training goes through all images.', group: 'Training', type: 'number', default: 20, min: 1, max: 1000, step: 1, integer: true, common: true },
    { name: 'conditional', label: 'Class-conditional', help: 'Tells encoder and decoder the outcome; its accuracy then says little about the salient input.', group: 'Objective', type: 'boolean', default: false, common: true },
    { name: 'gamma', label: 'Classifier loss', symbol: 'γ', help: "Weight of the explained classifier's cross-entropy on the decoded image; its accuracy then says little about the salient input.", group: 'Objective', type: 'number', default: 0, min: 0, max: 1000, step: 0.1, common: true },
    { name: 'recognition', label: 'Recognition network', help: 'In training a second encoder sees the whole image, so that samples vary what the salient input hides.', group: 'Network', type: 'boolean', default: true },
    { name: 'spatial', label: 'Spatial latent', help: 'A latent at each place of the picture instead of one for the whole: details stay, and places vary each for itself.', group: 'Network', type: 'boolean', default: true },
    { name: 'latent', label: 'Latent size', help: 'Numbers that a salient input is encoded in; of a spatial latent, at each place.', group: 'Network', type: 'number', default: 8, min: 1, max: 512, step: 1, integer: true },
    { name: 'beta', label: 'KL weight', symbol: 'β', help: 'Higher: more varied, less faithful reconstructions.', group: 'Objective', type: 'number', default: 0.5, min: 0, max: 1000, step: 0.1 },
    { name: 'warm-up', label: 'Warm-up', help: 'Epochs over which the KL weight rises from 0.', group: 'Objective', type: 'number', default: 5, min: 0, max: 1000, step: 1, integer: true },
    { name: 'salient-weight', label: 'Salient weight', help: 'How much a fully salient pixel counts in the reconstruction, where any pixel counts 1.', group: 'Objective', type: 'number', default: 100, min: 1, max: 1000, step: 1 },
    { name: 'batch', label: 'Batch', help: 'Images per step.', group: 'Training', type: 'number', default: width > 32 ? 16 : 32, min: 2, max: 1024, step: 1, integer: true },
    { name: 'learning-rate', label: 'Learning rate', help: 'Of Adam, at its height.', group: 'Training', type: 'number', default: 0.003, min: 1e-6, max: 1, step: 0.0001, logarithmic: true },
    { name: 'floor', label: 'Floor of masks', help: 'Mask values up to this hide fully: a network can read a picture at a hundredth of its brightness.', group: 'Salient input', type: 'number', default: 0.2, min: 0, max: 0.9, step: 0.05 },
    { name: 'dilation', label: 'Dilation of masks', help: "Radius of the disc that spreads masks before encoding, so that their outline tells less; in pixels of the generator's pictures.", group: 'Salient input', type: 'number', default: pixels, min: 0, max: 16, step: 0.5, unit: 'px' },
    { name: 'blur', label: 'Blur of masks', help: "σ of the Gaussian that blurs masks after the dilation; in pixels of the generator's pictures.", group: 'Salient input', type: 'number', default: pixels, min: 0, max: 16, step: 0.5, unit: 'px' },
    { name: 'temperature', label: 'Temperature', help: "Spread of samples in units of the posterior's standard deviation.", group: 'Samples', type: 'number', default: 1, min: 0, max: 4, step: 0.1, common: true },
  ] }
}

/** @param values resolved by `resolveParameters` from the schema of this size */
export function settingsOf(values: ParameterValues, size: PictureSize, seed: number): GeneratorSettings {
  const number = (name: string): number => values[name] as number
  const spatial = values['spatial'] as boolean
  return {
    size, seed, spatial,
    latent: number('latent') * placesOf({ size, spatial }), beta: number('beta'), warmUp: number('warm-up'), gamma: number('gamma'), conditional: values['conditional'] as boolean, recognition: values['recognition'] as boolean,
    salientWeight: number('salient-weight'), epochs: number('epochs'), batch: number('batch'), learningRate: number('learning-rate'),
    floor: number('floor'), dilation: number('dilation'), blur: number('blur'), temperature: number('temperature'),
  }
}

/** The inverse of `settingsOf`. */
export function valuesOf({ size, spatial, conditional, recognition, gamma, latent, beta, warmUp, salientWeight, epochs, batch, learningRate, floor, dilation, blur, temperature }: GeneratorSettings): ParameterValues {
  return {
    conditional, recognition, gamma, spatial, latent: latent / placesOf({ size, spatial }), beta, 'warm-up': warmUp, 'salient-weight': salientWeight, epochs, batch, 'learning-rate': learningRate, floor, dilation, blur, temperature,
  }
}

import { tensor, type Variable } from '@tensorflow/tfjs-core'
import { initializers, input, layers, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers'
import { spatialHalvings, type GeneratorSettings } from '#shared/domain/reconstruction.ts'
import { createRandom } from '#shared/random/random.ts'

/** The two networks of a generator, as layers models without anything of our own in them. */
export interface Networks {
  /** [salient] or [salient, class] → [mean, log variance] */
  encoder: LayersModel
  /** [latent] or [latent, class] → picture in [0, 1] */
  decoder: LayersModel
  /** The decoder without its last sigmoid; the same weights. */
  decoderLogits: LayersModel
  /** [image and salient] → [mean, log variance]; in training only, null where the settings do without. */
  recogniser: LayersModel | null
}

/** Channels after each halving of the picture, by its height; the decoder goes the same way back. */
const widths: Readonly<Record<number, readonly number[]>> = { 28: [24, 48], 32: [32, 64, 128], 64: [32, 64, 96, 128] }
const hidden = 128
const kernelSize = 4
/** Channels that tell each place of a spatial latent about the whole picture. */
const surroundings = 16

/** Layers between the smallest feature maps and the latent, on both sides. */
interface Neck {
  /** @returns mean and log variance, [latent] each */
  inwards(maps: SymbolicTensor): [SymbolicTensor, SymbolicTensor]
  /** @returns maps of the size that `inwards` was given */
  outwards(code: SymbolicTensor): SymbolicTensor
}

/** @param classes number of classes, told as one of so many numbers where the settings are conditional */
export function buildNetworks(settings: GeneratorSettings, classes: number): Networks {
  const { size, latent, conditional, spatial } = settings
  const channels = spatial ? widths[size.height]!.slice(0, spatialHalvings) : widths[size.height]!
  const told = (): SymbolicTensor[] => (conditional ? [input({ shape: [classes], name: 'class' })] : [])

  /** Convolutions that halve the picture, then a normal distribution of the latent. */
  function distribution(name: string, channelsIn: number): { model: LayersModel; small: number[] } {
    const picture = input({ shape: [size.height, size.width, channelsIn], name: name === 'encoder' ? 'salient' : 'image-and-salient' })
    let maps = picture
    channels.forEach((filters, i) => {
      maps = layers.conv2d({ ...zeros(), name: `down${i + 1}`, filters, kernelSize, strides: 2, padding: 'same', activation: 'relu' }).apply(maps) as SymbolicTensor
    })
    const small = maps.shape.slice(1) as number[]
    const seen = told()
    return { model: model({ name, inputs: [picture, ...seen], outputs: neck(small, seen).inwards(maps) }), small }
  }
  const neck = (small: readonly number[], also: readonly SymbolicTensor[]): Neck => (spatial ? spatialNeck : vectorNeck)(small, latent, also)
  const { model: encoder, small } = distribution('encoder', size.channels)
  const recogniser = settings.recognition ? distribution('recogniser', 2 * size.channels).model : null

  const code = input({ shape: [latent], name: 'latent' })
  const again = told()
  let values = neck(small, again).outwards(code)
  channels.toReversed().slice(1).forEach((filters, i) => {
    values = layers.conv2dTranspose({ ...zeros(), name: `up${i + 1}`, filters, kernelSize, strides: 2, padding: 'same', activation: 'relu' }).apply(values) as SymbolicTensor
  })
  const logits = layers.conv2dTranspose({ ...zeros(), name: 'picture-logits', filters: size.channels, kernelSize, strides: 2, padding: 'same' }).apply(values) as SymbolicTensor
  const picture = layers.activation({ name: 'picture', activation: 'sigmoid' }).apply(logits) as SymbolicTensor
  const inputs = [code, ...again]
  return { encoder, decoder: model({ name: 'decoder', inputs, outputs: picture }), decoderLogits: model({ name: 'decoder-logits', inputs, outputs: logits }), recogniser }
}

/** One latent for the whole picture: two dense layers on either side. */
function vectorNeck(small: readonly number[], latent: number, also: readonly SymbolicTensor[]): Neck {
  return {
    inwards(maps) {
      const thought = dense('inner', hidden, 'relu', joined(layers.flatten({ name: 'flat' }).apply(maps) as SymbolicTensor, also))
      return [dense('mean', latent, 'linear', thought), dense('log-variance', latent, 'linear', thought)]
    },
    outwards: (code) => mapsOf('maps', small, dense('wide', product(small), 'relu', dense('outer', hidden, 'relu', joined(code, also)))),
  }
}

/**
 * A latent at each place of the smallest maps, so that what is salient stays where it is and as it is. Each place also hears of the
 * whole, through dense layers as above.
 */
function spatialNeck(small: readonly number[], latent: number, also: readonly SymbolicTensor[]): Neck {
  const [height, width, filters] = small as [number, number, number]
  const each = latent / (height * width)
  const besides = (name: string, maps: SymbolicTensor, flat: SymbolicTensor): SymbolicTensor => {
    const whole = dense(`${name}-whole`, hidden, 'relu', joined(flat, also))
    const heard = mapsOf(`${name}-heard`, [height, width, surroundings], dense(`${name}-told`, height * width * surroundings, 'relu', whole))
    return layers.concatenate({ name: `${name}-both` }).apply([maps, heard]) as SymbolicTensor
  }
  const convolved = (name: string, units: number, kernel: number, activation: 'relu' | 'linear', maps: SymbolicTensor): SymbolicTensor =>
    layers.conv2d({ ...zeros(), name, filters: units, kernelSize: kernel, padding: 'same', activation }).apply(maps) as SymbolicTensor
  const flattened = (name: string, maps: SymbolicTensor): SymbolicTensor => layers.flatten({ name }).apply(maps) as SymbolicTensor
  return {
    inwards(maps) {
      const thought = convolved('inner', filters, 3, 'relu', besides('inner', maps, flattened('flat', maps)))
      return [flattened('mean', convolved('mean-maps', each, 1, 'linear', thought)), flattened('log-variance', convolved('log-variance-maps', each, 1, 'linear', thought))]
    },
    outwards(code) {
      const places = mapsOf('places', [height, width, each], code)
      return convolved('outer', filters, 3, 'relu', besides('outer', places, code))
    },
  }
}

function dense(name: string, units: number, activation: 'relu' | 'linear', values: SymbolicTensor): SymbolicTensor {
  return layers.dense({ ...zeros(), name, units, activation }).apply(values) as SymbolicTensor
}

function mapsOf(name: string, shape: readonly number[], values: SymbolicTensor): SymbolicTensor {
  return layers.reshape({ name, targetShape: [...shape] }).apply(values) as SymbolicTensor
}

function joined(values: SymbolicTensor, also: readonly SymbolicTensor[]): SymbolicTensor {
  return also.length === 0 ? values : (layers.concatenate({ name: 'joined' }).apply([values, ...also]) as SymbolicTensor)
}

/** Values come from `drawWeights`. */
function zeros(): { kernelInitializer: ReturnType<typeof initializers.zeros> } {
  return { kernelInitializer: initializers.zeros() }
}

function product(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1)
}

/** Their weights in the order of checkpoints: the encoder's, the decoder's, then the recogniser's, as the layers stand. */
export function weightsOf({ encoder, decoder, recogniser }: Pick<Networks, 'encoder' | 'decoder' | 'recogniser'>): Variable[] {
  // What a layer's weight reads is the variable itself, though its type is the tensor.
  return [...encoder.trainableWeights, ...decoder.trainableWeights, ...(recogniser?.trainableWeights ?? [])].map((weight) => weight.read() as Variable)
}

export function weightCount(weights: readonly Variable[]): number {
  return weights.reduce((sum, { size }) => sum + size, 0)
}

/** Normal with the variance that keeps signals as large through ReLUs (He et al., 2015); biases 0. */
export function drawWeights(weights: readonly Variable[], seed: number): Float32Array {
  const values = new Float32Array(weightCount(weights))
  let at = 0
  weights.forEach(({ shape, size }, i) => {
    const random = createRandom(seed, 'generator-weights', i)
    const spread = shape.length < 2 ? 0 : Math.sqrt(2 / fanIn(shape))
    for (let k = 0; k < size; k++) values[at + k] = spread * random.normal()
    at += size
  })
  return values
}

/** Inputs of one unit: dense [in, out], convolution [k, k, in, out]. Of a transposed one [k, k, out, in] each output sees a quarter of the taps. */
function fanIn(shape: readonly number[]): number {
  const [a, b, c] = shape as [number, number, number]
  return shape.length === 2 ? a : a * b * c
}

/** Copies values into the variables. */
export function putWeights(weights: readonly Variable[], values: Float32Array): void {
  let at = 0
  for (const weight of weights) {
    const value = tensor(values.subarray(at, at + weight.size), weight.shape)
    weight.assign(value)
    value.dispose()
    at += weight.size
  }
}

/** The decoder's layers go with it, those without the sigmoid too. */
export function disposeNetworks({ encoder, decoder, recogniser }: Networks): void {
  encoder.dispose()
  decoder.dispose()
  recogniser?.dispose()
}

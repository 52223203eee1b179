import { tensor, type Variable } from '@tensorflow/tfjs-core'
import { initializers, input, layers, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers'
import type { GeneratorSettings } from '#shared/domain/reconstruction.ts'
import { createRandom } from '#shared/random/random.ts'

/** The two networks of a generator, as layers models without anything of our own in them. */
export interface Networks {
  /** [salient] or [salient, class] → [mean, log variance] */
  encoder: LayersModel
  /** [latent] or [latent, class] → picture in [0, 1] */
  decoder: LayersModel
  /** The decoder without its last sigmoid; the same weights. */
  decoderLogits: LayersModel
}

/** Channels after each halving of the picture, by its height; the decoder goes the same way back. */
const widths: Readonly<Record<number, readonly number[]>> = { 28: [24, 48], 32: [32, 64, 128], 64: [32, 64, 96, 128] }
const hidden = 128
const kernelSize = 4

/** @param classes number of classes, told as one of so many numbers where the settings are conditional */
export function buildNetworks(settings: GeneratorSettings, classes: number): Networks {
  const { size, latent, conditional } = settings
  const channels = widths[size.height]!
  const zeros = (): { kernelInitializer: ReturnType<typeof initializers.zeros> } => ({ kernelInitializer: initializers.zeros() })
  const told = (): SymbolicTensor[] => (conditional ? [input({ shape: [classes], name: 'class' })] : [])
  const join = (values: SymbolicTensor, also: readonly SymbolicTensor[]): SymbolicTensor =>
    also.length === 0 ? values : (layers.concatenate({ name: 'joined' }).apply([values, ...also]) as SymbolicTensor)

  const salient = input({ shape: [size.height, size.width, size.channels], name: 'salient' })
  let maps = salient
  channels.forEach((filters, i) => {
    maps = layers.conv2d({ ...zeros(), name: `down${i + 1}`, filters, kernelSize, strides: 2, padding: 'same', activation: 'relu' }).apply(maps) as SymbolicTensor
  })
  const small = maps.shape.slice(1) as number[]
  const seen = told()
  const flat = join(layers.flatten({ name: 'flat' }).apply(maps) as SymbolicTensor, seen)
  const thought = layers.dense({ ...zeros(), name: 'inner', units: hidden, activation: 'relu' }).apply(flat) as SymbolicTensor
  const mean = layers.dense({ ...zeros(), name: 'mean', units: latent }).apply(thought) as SymbolicTensor
  const logVariance = layers.dense({ ...zeros(), name: 'log-variance', units: latent }).apply(thought) as SymbolicTensor
  const encoder = model({ name: 'encoder', inputs: [salient, ...seen], outputs: [mean, logVariance] })

  const code = input({ shape: [latent], name: 'latent' })
  const again = told()
  let values = layers.dense({ ...zeros(), name: 'outer', units: hidden, activation: 'relu' }).apply(join(code, again)) as SymbolicTensor
  values = layers.dense({ ...zeros(), name: 'wide', units: small.reduce((a, b) => a * b, 1), activation: 'relu' }).apply(values) as SymbolicTensor
  values = layers.reshape({ name: 'maps', targetShape: small }).apply(values) as SymbolicTensor
  channels.toReversed().slice(1).forEach((filters, i) => {
    values = layers.conv2dTranspose({ ...zeros(), name: `up${i + 1}`, filters, kernelSize, strides: 2, padding: 'same', activation: 'relu' }).apply(values) as SymbolicTensor
  })
  const logits = layers.conv2dTranspose({ ...zeros(), name: 'picture-logits', filters: size.channels, kernelSize, strides: 2, padding: 'same' }).apply(values) as SymbolicTensor
  const picture = layers.activation({ name: 'picture', activation: 'sigmoid' }).apply(logits) as SymbolicTensor
  const inputs = [code, ...again]
  return { encoder, decoder: model({ name: 'decoder', inputs, outputs: picture }), decoderLogits: model({ name: 'decoder-logits', inputs, outputs: logits }) }
}

/** Their weights in the order of checkpoints: the encoder's, then the decoder's, as the layers stand. */
export function weightsOf({ encoder, decoder }: Pick<Networks, 'encoder' | 'decoder'>): Variable[] {
  // What a layer's weight reads is the variable itself, though its type is the tensor.
  return [...encoder.trainableWeights, ...decoder.trainableWeights].map((weight) => weight.read() as Variable)
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
export function disposeNetworks({ encoder, decoder }: Networks): void {
  encoder.dispose()
  decoder.dispose()
}

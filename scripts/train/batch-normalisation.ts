import {
  add, avgPool, customGrad, mean, mul, neg, reshape, rsqrt, square, sub, tidy, type Tensor, type Tensor1D, type Tensor4D,
} from '@tensorflow/tfjs-core'
import type { Sequential } from '@tensorflow/tfjs-layers'

type Layer = Sequential['layers'][number]

/** As `layers.batchNormalization` has it by default. */
const epsilon = 1e-3

/**
 * The network in training mode. Batch normalisation is computed here rather than by the layers, whose gradient on WASM
 * costs more than that of the convolutions; its closed form (Ioffe & Szegedy, 2015, section 3) costs little.
 * @param images [N, H, W, C]
 * @param momentum of the moving statistics, which the saved layers use
 * @returns the logits, and the last feature map [N, 8, 8, C]
 */
export function applyInTraining(model: Sequential, images: Tensor, momentum: number): { logits: Tensor; features: Tensor } {
  let x = images
  let features = images
  for (const layer of model.layers) {
    x = layer.getClassName() === 'BatchNormalization'
      ? normalise(layer, x as Tensor4D, momentum)
      : (layer.apply(x, { training: true }) as Tensor)
    if (x.rank === 4) features = x
  }
  return { logits: x, features }
}

function normalise(layer: Layer, x: Tensor4D, momentum: number): Tensor {
  const [gamma, beta, movingMean, movingVariance] = layer.weights
  tidy(() => {
    const now = channelMeans(x)
    const variance = channelMeans(square(sub(x, now)))
    movingMean!.write(add(mul(movingMean!.read(), momentum), mul(now, 1 - momentum)))
    movingVariance!.write(add(mul(movingVariance!.read(), momentum), mul(variance, 1 - momentum)))
  })
  return standardise(x, gamma!.read(), beta!.read())
}

/** γ·(x − mean)/sqrt(variance + ε) + β by channel, differentiated through mean and variance. */
const standardise = customGrad((...inputs) => {
  const [x, gamma, beta, save] = inputs as unknown as [Tensor4D, Tensor1D, Tensor1D, (tensors: Tensor[]) => void]
  const centred = sub(x, channelMeans(x)) as Tensor4D
  const inverse = rsqrt(add(channelMeans(square(centred)), epsilon))
  save([centred, inverse, gamma])
  const gradFunc = (dy: Tensor4D, saved: Tensor[]): Tensor[] => {
    const [centred, inverse, gamma] = saved as [Tensor4D, Tensor1D, Tensor1D]
    const [n, h, w] = centred.shape
    const meanDy = channelMeans(dy)
    const meanProduct = channelMeans(mul(dy, centred) as Tensor4D)
    const scale = mul(gamma, inverse)
    const slope = neg(mul(mul(scale, square(inverse)), meanProduct))
    const dx = add(mul(sub(dy, meanDy), scale), mul(centred, slope))
    return [dx, mul(mul(meanProduct, inverse), n * h * w), mul(meanDy, n * h * w)]
  }
  return { value: add(mul(centred, mul(gamma, inverse)), beta), gradFunc: gradFunc as never }
})

/** By pooling: on WASM a sum over rows transposes first. */
function channelMeans(x: Tensor4D): Tensor1D {
  const [n, h, w, c] = x.shape
  return mean(reshape(avgPool(x, [h, w], 1, 'valid'), [n, c]), 0)
}

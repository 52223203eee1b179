import type { LayerValues } from './layer-values.ts'

/** Σ_k weight_k·A_k at every place. */
export function weightedSum({ activations, channels }: LayerValues, weights: ArrayLike<number>): Float32Array {
  const map = new Float32Array(activations.length / channels)
  for (let i = 0; i < map.length; i++) {
    let sum = 0
    for (let k = 0; k < channels; k++) sum += weights[k]! * activations[i * channels + k]!
    map[i] = sum
  }
  return map
}

/** In place. */
export function rectify(map: Float32Array): Float32Array {
  for (let i = 0; i < map.length; i++) if (!(map[i]! > 0)) map[i] = 0
  return map
}

/**
 * Grad-CAM's α: the mean gradient of every channel.
 * @param gated only where activation and gradient are both positive, as tf-explain does
 */
export function meanGradients({ activations, gradients, channels }: LayerValues, gated: boolean): Float64Array {
  const places = gradients.length / channels
  const sums = new Float64Array(channels)
  for (let i = 0; i < gradients.length; i++) if (!gated || (gradients[i]! > 0 && activations[i]! > 0)) sums[i % channels]! += gradients[i]!
  return sums.map((sum) => sum / places)
}

/**
 * Grad-CAM++: w_k = Σ_ij a·ReLU(g) with a = g²/(2g² + S·g³), where S is the sum of the channel's activations. The closed form holds for
 * exp(score), whose factor cancels.
 * @param means S and the sum over places are means, as in Xplique
 */
export function plusPlusWeights({ activations, gradients, channels }: LayerValues, means: boolean): Float64Array {
  const places = gradients.length / channels
  const share = means ? 1 / places : 1
  const sums = new Float64Array(channels)
  for (let i = 0; i < activations.length; i++) sums[i % channels]! += activations[i]! * share
  const weights = new Float64Array(channels)
  for (let i = 0; i < gradients.length; i++) {
    const g = gradients[i]!
    if (g <= 0) continue
    const below = 2 * g * g + sums[i % channels]! * g ** 3
    // A layer without ReLU may have a negative sum, where the form has a pole.
    if (Math.abs(below) > 1e-30) weights[i % channels]! += (g ** 3 / below) * share
  }
  return weights
}

/** Layer-CAM: Σ_k ReLU(g)·A at every place. */
export function layerCam({ activations, gradients, channels }: LayerValues): Float32Array {
  const map = new Float32Array(activations.length / channels)
  for (let i = 0; i < activations.length; i++) {
    const g = gradients[i]!
    if (g > 0) map[Math.floor(i / channels)]! += g * activations[i]!
  }
  return map
}

import {
  add, customGrad, exp, mul, neg, scalar, sigmoid, softplus, square, sub, sum, type Scalar, type Tensor,
} from '@tensorflow/tfjs-core'

/**
 * Weighted negative log-likelihood of pictures under independent Bernoulli pixels, in nats, summed over all pixels:
 * Σ w·(softplus(l) − x·l), with grey values in [0, 1] as the share of ones. Its gradient, w·(σ(l) − x), is written out: TF.js's own
 * of a sum of softplus and products takes four times as many passes.
 * @param logits of the pixels
 * @param pictures in [0, 1], in the same shape
 * @param weights of the pixels, in a shape that broadcasts to it
 */
export function reconstructionLoss(logits: Tensor, pictures: Tensor, weights: Tensor): Scalar {
  const loss = customGrad((...given) => {
    const [l] = given as [Tensor]
    const save = given[1] as unknown as (tensors: Tensor[]) => void
    save([l])
    return {
      value: sum(mul(weights, sub(softplus(l), mul(pictures, l)))),
      gradFunc: (dy: Tensor, saved: Tensor[]) => mul(dy, mul(weights, sub(sigmoid(saved[0]!), pictures))),
    }
  })
  return loss(logits) as Scalar
}

/**
 * KL divergence of N(mean, exp(logVariance)) from N(0, 1), summed over all dimensions and inputs, in nats:
 * ½ Σ (μ² + σ² − 1 − log σ²) (Kingma & Welling, 2014, appendix B).
 */
export function klLoss(mean: Tensor, logVariance: Tensor): Scalar {
  return mul(scalar(0.5), sum(sub(add(square(mean), exp(logVariance)), add(logVariance, scalar(1))))) as Scalar
}

/**
 * KL divergence of N(mean, exp(logVariance)) from N(otherMean, exp(otherLogVariance)), summed over all dimensions and inputs, in nats:
 * ½ Σ ((σ² + (μ − μ')²)/σ'² − 1 − log σ²/σ'²).
 */
export function klBetween(mean: Tensor, logVariance: Tensor, otherMean: Tensor, otherLogVariance: Tensor): Scalar {
  const ratio = mul(add(exp(logVariance), square(sub(mean, otherMean))), exp(neg(otherLogVariance)))
  return mul(scalar(0.5), sum(sub(add(ratio, otherLogVariance), add(logVariance, scalar(1))))) as Scalar
}

/** The same of each dimension of each input, in plain numbers. */
export function klTerms(mean: Float32Array, logVariance: Float32Array): Float32Array {
  return mean.map((m, i) => 0.5 * (m * m + Math.exp(logVariance[i]!) - 1 - logVariance[i]!))
}

/** What is added to a gradient elsewhere: the sum of values·slopes, whose gradient with respect to the values is the slopes. */
export function linearTerm(values: Tensor, slopes: Tensor): Scalar {
  return sum(mul(values, slopes)) as Scalar
}

import { add, concat, exp, mul, scalar, sigmoid, split, tensor, tidy, variableGrads, type Scalar, type Tensor, type Variable } from '@tensorflow/tfjs-core'
import type { GeneratorLosses, GeneratorSettings } from '#shared/domain/reconstruction.ts'
import type { Classifier } from '../classifier/classifier.ts'
import { classCode } from './class-code.ts'
import { klBetween, klLoss, linearTerm, reconstructionLoss } from './losses.ts'
import { weightCount, type Networks } from './networks.ts'
import { createResampler } from './resampling.ts'
import type { Batch } from './training-set.ts'

/** Of the divergence of the salient posterior from the standard normal, with recognition: enough that latents can be drawn and walked along. */
const priorWeight = 0.1

export interface StepSubject {
  networks: Networks
  variables: readonly Variable[]
  settings: GeneratorSettings
  classes: number
  /** Asked where gamma > 0. */
  classifier: Classifier | null
}

export interface StepResult {
  losses: GeneratorLosses
  /** With respect to all weights, one variable after the other. */
  gradient: Float32Array
}

/** A batch as tensors; call within a tidy. */
interface Fed {
  count: number
  pictures: Tensor
  salient: Tensor
  /** Of each pixel in the reconstruction of the whole image. */
  weights: Tensor
  /** The same of the salient part alone. */
  salientWeights: Tensor
  noise: Tensor
  told: Tensor[]
}

/**
 * The loss of a batch, as a mean per image, and its gradient with respect to all weights.
 * @param noise standard normal, [count, latent]
 * @param beta that holds
 */
export async function lossAndGradient(subject: StepSubject, batch: Batch, noise: Float32Array, beta: number): Promise<StepResult> {
  const asked = await askClassifier(subject, batch, noise)
  return within(() => {
    const fed = feed(subject, batch, noise)
    const terms = { reconstruction: 0, kl: 0 }
    const { value, grads } = variableGrads(() => {
      const passed = pass(subject, fed)
      const { reconstruction, kl } = termsOf(fed, passed)
      terms.reconstruction = reconstruction.dataSync()[0]!
      terms.kl = kl.dataSync()[0]!
      const total = add(reconstruction, mul(kl, beta)) as Scalar
      return asked ? (add(total, linearTerm(sigmoid(passed.drawn), tensor(asked.slopes, passed.drawn.shape))) as Scalar) : total
    }, [...subject.variables])
    value.dispose()
    const gradient = new Float32Array(weightCount(subject.variables))
    let at = 0
    for (const { name, size } of subject.variables) {
      gradient.set(grads[name]!.dataSync(), at)
      at += size
    }
    return { losses: lossesOf(subject.settings, terms, asked, beta), gradient }
  })
}

/** The loss alone. */
export async function lossOf(subject: StepSubject, batch: Batch, noise: Float32Array, beta: number): Promise<GeneratorLosses> {
  const asked = await askClassifier(subject, batch, noise)
  return within(() => {
    const fed = feed(subject, batch, noise)
    const { reconstruction, kl } = termsOf(fed, pass(subject, fed))
    return lossesOf(subject.settings, { reconstruction: reconstruction.dataSync()[0]!, kl: kl.dataSync()[0]! }, asked, beta)
  })
}

/** A tidy that answers with plain values. */
function within<T>(work: () => T): T {
  let answer: T | undefined
  tidy(() => void (answer = work()))
  return answer!
}

function lossesOf({ gamma }: GeneratorSettings, { reconstruction, kl }: { reconstruction: number; kl: number }, asked: Asked | null, beta: number): GeneratorLosses {
  const total = reconstruction + beta * kl + (asked ? gamma * asked.loss : 0)
  return asked ? { reconstruction, kl, classifier: asked.loss, total } : { reconstruction, kl, total }
}

function feed({ settings: { size, latent, salientWeight }, classes, settings }: StepSubject, { count, images, masks, outcomes }: Batch, noise: Float32Array): Fed {
  const pictures = tensor(images, [count, size.height, size.width, size.channels])
  const mask = tensor(masks, [count, size.height, size.width, 1])
  return {
    count, pictures,
    salient: mul(pictures, mask),
    weights: settings.recognition ? scalar(1) : add(mul(mask, salientWeight - 1), 1),
    salientWeights: mul(mask, salientWeight),
    noise: tensor(noise, [count, latent]),
    told: settings.conditional ? [classCode(outcomes, classes)] : [],
  }
}

interface Normal {
  mean: Tensor
  logVariance: Tensor
}

interface Passed {
  /** Of the salient input. */
  posterior: Normal
  /** Of the whole image; null without recognition. */
  recognised: Normal | null
  /** Of pictures whose latents come from `recognised`, without it from `posterior`. */
  logits: Tensor
  /** Of pictures whose latents come from `posterior`. */
  drawn: Tensor
}

function pass({ networks: { encoder, recogniser, decoderLogits } }: StepSubject, { pictures, salient, noise, told }: Fed): Passed {
  const normal = ([mean, logVariance]: Tensor[]): Normal => ({ mean: mean!, logVariance: logVariance! })
  const latents = ({ mean, logVariance }: Normal): Tensor => add(mean, mul(exp(mul(logVariance, 0.5)), noise))
  const posterior = normal(encoder.apply([salient, ...told], { training: true }) as Tensor[])
  if (!recogniser) {
    const logits = decoderLogits.apply([latents(posterior), ...told], { training: true }) as Tensor
    return { posterior, recognised: null, logits, drawn: logits }
  }
  const recognised = normal(recogniser.apply([concat([pictures, salient], 3), ...told], { training: true }) as Tensor[])
  const both = [concat([latents(recognised), latents(posterior)]), ...told.map((code) => concat([code, code]))]
  const [logits, drawn] = split(decoderLogits.apply(both, { training: true }) as Tensor, 2) as [Tensor, Tensor]
  return { posterior, recognised, logits, drawn }
}

/**
 * Means per image. Without recognition, a variational autoencoder of salient inputs (Kingma & Welling, 2014): whole images, salient
 * pixels weighted higher, under the salient posterior. Nothing then asks it to vary what is hidden. With recognition, as in conditional
 * variational autoencoders (Sohn et al., 2015): whole images, all pixels alike, under the posterior of the image, which the salient
 * posterior is drawn to cover; and the salient pixels, weighted, under the salient posterior itself, so that whatever is drawn from it keeps them.
 */
function termsOf({ count, pictures, weights, salientWeights }: Fed, { posterior, recognised, logits, drawn }: Passed): { reconstruction: Scalar; kl: Scalar } {
  const mean = (sum: Scalar): Scalar => mul(sum, 1 / count) as Scalar
  const whole = reconstructionLoss(logits, pictures, weights)
  const fromStandard = klLoss(posterior.mean, posterior.logVariance)
  if (!recognised) return { reconstruction: mean(whole), kl: mean(fromStandard) }
  const kept = reconstructionLoss(drawn, pictures, salientWeights)
  const apart = klBetween(recognised.mean, recognised.logVariance, posterior.mean, posterior.logVariance)
  return { reconstruction: mean(add(whole, kept) as Scalar), kl: mean(add(apart, mul(fromStandard, priorWeight)) as Scalar) }
}

interface Asked {
  /** Mean cross-entropy per image. */
  loss: number
  /** gamma times its gradient with respect to the decoded pictures. */
  slopes: Float32Array
}

/** The chain rule is cut at the classifier: the pictures are decoded once for it, and once more for the gradient. */
async function askClassifier(subject: StepSubject, batch: Batch, noise: Float32Array): Promise<Asked | null> {
  const { settings: { gamma, size }, classifier } = subject
  if (gamma === 0 || !classifier) return null
  const decoded = within(() => sigmoid(pass(subject, feed(subject, batch, noise)).drawn).dataSync() as Float32Array)
  const { height, width, channels } = classifier.info.input
  const resampler = createResampler(size, { height, width })
  const images = { count: batch.count, height, width, channels, data: resampler.apply(decoded, channels) }
  const scores = Array.from(batch.outcomes, (target) => ({ kind: 'log-probability' as const, target }))
  const answer = await classifier.scoreGradient(images, scores)
  const slopes = resampler.adjoint(answer.gradient, channels)
  return {
    loss: -answer.scores.reduce((a, b) => a + b, 0) / batch.count,
    slopes: slopes.map((slope) => (-gamma * slope) / batch.count),
  }
}
